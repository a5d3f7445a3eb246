"""What can a user set, and which environment variable sets it?

One frozen config. Each field names its environment variable; arguments win over the environment, the environment over
the default. What OpenTelemetry or Temporal already have a variable for (`OTEL_*`, `TEMPORAL_*`) is read by them.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

logger = logging.getLogger("durable_trace")

Number = TypeVar("Number", int, float)

Redactor = Callable[[str, str], str]
"""Takes an attribute key and its content; returns what may leave the process."""

_FLAGS: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
# OpenTelemetry's own switch knows where content goes; what concerns spans is on or off.
_CONTENT: Final = {"span_only": True, "span_and_event": True, "event_only": False, "no_content": False, **_FLAGS}


def _flag(text: str) -> bool:
    return _FLAGS[text.strip().lower()]


def _content(text: str) -> bool:
    return _CONTENT[text.strip().lower()]


def _count(text: str) -> int:
    return _not_negative(int(text))


def _seconds(text: str) -> float:
    return _not_negative(float(text))


def _not_negative(number: Number) -> Number:
    if not 0 <= number < math.inf:
        raise ValueError(number)
    return number


def _variable(name: str, read: Callable[[str], Any], default: Any) -> Any:
    return field(default=default, metadata={"variable": name, "read": read})


@dataclass(frozen=True)
class TracingConfig:
    """Settings of both readers. Both must run with the same content settings to show the same content.

    Attributes:
        capture_content: Whether messages, inputs, outputs, summaries and exception texts are recorded.
            ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` (SPAN_ONLY or SPAN_AND_EVENT); off.
        max_content_length: Longest text of one attribute, in characters; more is cut, with a mark.
            ``DURABLE_TRACE_MAX_CONTENT_LENGTH``; 32768.
        ledger: Whether attempts record their model calls beside their result in the history.
            ``DURABLE_TRACE_LEDGER``; on.
        max_ledger_bytes: Largest ledger of one attempt, in bytes as stored.
            ``DURABLE_TRACE_MAX_LEDGER_BYTES``; 65536.
        max_run_ledger_bytes: Sum of the ledgers of one run, in bytes: histories grow, and servers suggest to continue
            as new by size. ``DURABLE_TRACE_MAX_RUN_LEDGER_BYTES``; 4 MiB.
        idle_release_seconds: How long the spans of a workflow task wait for a sign that the task was committed, before
            they are sent all the same, in seconds. ``DURABLE_TRACE_IDLE_RELEASE_SECONDS``; 2.
        redact: Called with key and text of every piece of content before it leaves the process.
    """

    capture_content: bool = _variable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", _content, default=False)
    max_content_length: int = _variable("DURABLE_TRACE_MAX_CONTENT_LENGTH", _count, default=32_768)
    ledger: bool = _variable("DURABLE_TRACE_LEDGER", _flag, default=True)
    max_ledger_bytes: int = _variable("DURABLE_TRACE_MAX_LEDGER_BYTES", _count, default=65_536)
    max_run_ledger_bytes: int = _variable("DURABLE_TRACE_MAX_RUN_LEDGER_BYTES", _count, default=4 << 20)
    idle_release_seconds: float = _variable("DURABLE_TRACE_IDLE_RELEASE_SECONDS", _seconds, default=2.0)
    redact: Redactor | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> TracingConfig:
        """Settings from environment variables; ``given`` wins over them.

        A variable that cannot be read is named in a warning and its default used: tracing never stops the agent.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for setting in fields(cls):
            name = setting.metadata.get("variable")
            text = environ.get(name, "") if name else ""
            if not text:
                continue
            try:
                values[setting.name] = setting.metadata["read"](text)
            except (ValueError, KeyError):
                logger.warning("%s=%r is not understood: using %r instead", name, text, setting.default)
        return cls(**{**values, **given})

    def content(self, key: str, text: str) -> str:
        """A piece of content as it may leave the process: redacted, then cut to the limit with a mark.

        Cutting what was cut changes nothing. Content that the redactor fails on is withheld.
        """
        if self.redact is not None:
            try:
                text = self.redact(key, text)
                if not isinstance(text, str):
                    raise TypeError(f"it gave {type(text).__name__}, not str")  # noqa: TRY301 - handled like its own errors
            except Exception as error:  # noqa: BLE001 - a user's hook: whatever it raises, the content stays inside
                logger.warning("Redactor failed on %s with %s: content withheld", key, type(error).__name__)
                return "[withheld: the redactor failed]"
        if len(text) > self.max_content_length:
            mark = f"… [cut: {len(text)} characters]"
            return (text[: max(0, self.max_content_length - len(mark))] + mark)[: self.max_content_length]
        return text

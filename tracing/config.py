"""What can a user set, and which environment variable sets it?

One frozen config. Each field names its environment variable; arguments win over the environment, the environment over
the default. What OpenTelemetry or Temporal already have a variable for (`OTEL_*`, `TEMPORAL_*`) is read by them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

logger = logging.getLogger("durable_trace")

Redactor = Callable[[str, str], str]
"""Takes an attribute key and its content; returns what may leave the process."""

_TRUE: Final = frozenset({"1", "true", "yes", "on"})


def _flag(text: str) -> bool:
    return text.strip().lower() in _TRUE


def _content(text: str) -> bool:
    # OpenTelemetry's own switch knows where content goes; what concerns spans is on or off.
    return text.strip().upper() in {"SPAN_ONLY", "SPAN_AND_EVENT"} or _flag(text)


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
    max_content_length: int = _variable("DURABLE_TRACE_MAX_CONTENT_LENGTH", int, default=32_768)
    ledger: bool = _variable("DURABLE_TRACE_LEDGER", _flag, default=True)
    max_ledger_bytes: int = _variable("DURABLE_TRACE_MAX_LEDGER_BYTES", int, default=65_536)
    max_run_ledger_bytes: int = _variable("DURABLE_TRACE_MAX_RUN_LEDGER_BYTES", int, default=4 << 20)
    idle_release_seconds: float = _variable("DURABLE_TRACE_IDLE_RELEASE_SECONDS", float, default=2.0)
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
            except ValueError:
                logger.warning("%s=%r is not a number: using %r instead", name, text, setting.default)
        return cls(**{**values, **given})

    def content(self, key: str, text: str) -> str:
        """A piece of content as it may leave the process: redacted, then cut to the limit with a mark.

        Content that the redactor fails on is withheld.
        """
        if self.redact is not None:
            try:
                text = self.redact(key, text)
            except Exception as error:  # noqa: BLE001 - a user's hook: whatever it raises, the content stays inside
                logger.warning("Redactor failed on %s with %s: content withheld", key, type(error).__name__)
                return "[withheld: the redactor failed]"
        if len(text) > self.max_content_length:
            return f"{text[: self.max_content_length]}… [cut: {self.max_content_length} of {len(text)} characters]"
        return text

"""What can a user set, and which environment variable sets it?

One frozen config. Each field names its environment variable; arguments win over the environment, the environment over
the default. What OpenTelemetry or Temporal already have a variable for (`OTEL_*`, `TEMPORAL_*`) is read by them.
"""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final, TypeVar

from tracing.cutting import cut, cut_json
from tracing.encodable import encodable
from tracing.redaction import redactors

logger = logging.getLogger("durable_trace")

Number = TypeVar("Number", int, float)

Redactor = Callable[[str, str], str]
"""Takes an attribute key and its content; returns what may leave the process."""

AttributeHook = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Takes a span's name and attributes; returns attributes to be added."""

_MAX_ROUNDS: Final = 8
_PATTERNS: Final = ("include_workflows", "exclude_workflows", "include_activities", "exclude_activities")

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


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(pattern for part in text.split(",") if (pattern := part.strip()))


def _redactors(text: str) -> Redactor:
    try:
        return redactors(*(name.lower() for name in _patterns(text)))
    except ValueError as error:
        # A slip of the pen must not let out what was to be hidden.
        logger.warning("DURABLE_TRACE_REDACT=%r: %s All are used.", text, error)
        return redactors("all")


def _address(text: str) -> str:
    # It stands on every span: without a user's name and password.
    return re.sub(r"://[^/@]*@", "://", text.strip())


def _count(text: str) -> int:
    return _not_negative(int(text))


def _seconds(text: str) -> float:
    return _not_negative(float(text))


def _not_negative(number: Number) -> Number:
    if not 0 <= number < math.inf:
        raise ValueError(number)
    return number


def _chosen(name: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    if not include and not exclude:  # as nearly always
        return True
    if any(fnmatchcase(name, pattern) for pattern in exclude):
        return False
    return not include or any(fnmatchcase(name, pattern) for pattern in include)


@lru_cache(maxsize=1024)
def _say_withheld(key: str, kind: str) -> None:
    """Once for each: a redactor that fails may fail on every text of every span."""
    logger.warning("Redactor failed on %s with %s: content withheld", key, kind)


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
        include_workflows: Patterns (``Research*``) of the workflow types that are traced; empty is all.
            ``DURABLE_TRACE_INCLUDE_WORKFLOWS``, separated by commas.
        exclude_workflows: Patterns of those that are not; they win. ``DURABLE_TRACE_EXCLUDE_WORKFLOWS``.
        include_activities: Patterns of the activity types that are traced, with all that is in them; empty is all.
            ``DURABLE_TRACE_INCLUDE_ACTIVITIES``.
        exclude_activities: Patterns of those that are not; they win. ``DURABLE_TRACE_EXCLUDE_ACTIVITIES``.
        spool: Folder that keeps finished spans until they have arrived, so that a killed worker loses none; see
            docs/delivery.md. ``DURABLE_TRACE_SPOOL``; none.
        spool_max_bytes: Most bytes of all files in that folder. ``DURABLE_TRACE_SPOOL_MAX_BYTES``; 256 MiB.
        temporal_ui: Address of Temporal's UI, such as ``http://localhost:8233``; spans then carry their run's address
            in it. ``DURABLE_TRACE_TEMPORAL_UI``.
        prices: Path of a JSON file with prices of your own (negotiated, self-hosted, fine-tuned models), which go
            before the price list; its form is in docs/cost.md. ``DURABLE_TRACE_PRICES``.
        add_attributes: Called with name and attributes of every finished span; what it returns is added. It must depend
            on nothing else, so that both readers add the same.
        redact: Called with key and text of every piece of content before it leaves the process, and of every text that
            instrumentations of others put on spans inside attempts. ``DURABLE_TRACE_REDACT`` names ready-made ones
            (keys, tokens, email, cards: `tracing.redaction`); none.
        decode_payloads: Whether spans show content that a payload codec encodes: history holds it encrypted, so it
            does not leave decrypted unless this is on. ``DURABLE_TRACE_DECODE_PAYLOADS``; off.
        encoded_payloads: Whether a payload codec encodes what is decoded here; both readers find that out themselves.
    """

    capture_content: bool = _variable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", _content, default=False)
    max_content_length: int = _variable("DURABLE_TRACE_MAX_CONTENT_LENGTH", _count, default=32_768)
    ledger: bool = _variable("DURABLE_TRACE_LEDGER", _flag, default=True)
    max_ledger_bytes: int = _variable("DURABLE_TRACE_MAX_LEDGER_BYTES", _count, default=65_536)
    max_run_ledger_bytes: int = _variable("DURABLE_TRACE_MAX_RUN_LEDGER_BYTES", _count, default=4 << 20)
    idle_release_seconds: float = _variable("DURABLE_TRACE_IDLE_RELEASE_SECONDS", _seconds, default=2.0)
    include_workflows: tuple[str, ...] = _variable("DURABLE_TRACE_INCLUDE_WORKFLOWS", _patterns, default=())
    exclude_workflows: tuple[str, ...] = _variable("DURABLE_TRACE_EXCLUDE_WORKFLOWS", _patterns, default=())
    include_activities: tuple[str, ...] = _variable("DURABLE_TRACE_INCLUDE_ACTIVITIES", _patterns, default=())
    exclude_activities: tuple[str, ...] = _variable("DURABLE_TRACE_EXCLUDE_ACTIVITIES", _patterns, default=())
    spool: str | None = _variable("DURABLE_TRACE_SPOOL", str.strip, default=None)
    spool_max_bytes: int = _variable("DURABLE_TRACE_SPOOL_MAX_BYTES", _count, default=256 << 20)
    temporal_ui: str = _variable("DURABLE_TRACE_TEMPORAL_UI", _address, default="")
    prices: str = _variable("DURABLE_TRACE_PRICES", str.strip, default="")
    add_attributes: AttributeHook | None = None
    redact: Redactor | None = _variable("DURABLE_TRACE_REDACT", _redactors, default=None)  # noqa: RUF009 - a field
    decode_payloads: bool = _variable("DURABLE_TRACE_DECODE_PAYLOADS", _flag, default=False)
    encoded_payloads: bool = False

    def __post_init__(self) -> None:
        """Patterns may be given as one text, as the variables have them: its letters would be patterns else."""
        for name in _PATTERNS:
            given = getattr(self, name)
            if isinstance(given, str):
                object.__setattr__(self, name, _patterns(given))

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

    def traces_workflow(self, workflow_type: str) -> bool:
        """Whether runs of a workflow type are traced."""
        return _chosen(workflow_type, self.include_workflows, self.exclude_workflows)

    def traces_activity(self, activity_type: str) -> bool:
        """Whether activities of a type are traced."""
        return _chosen(activity_type, self.include_activities, self.exclude_activities)

    def inside(self) -> TracingConfig:
        """The settings for what happens inside attempts and handlers.

        Messages of models and tools repeat the payloads, and the ledger that holds them is encoded with these.
        """
        return replace(self, capture_content=False) if self.encoded_payloads else self

    def content(self, key: str, text: str, *, json: bool = False) -> str:
        """A piece of content as it may leave the process: redacted, then cut to the limit with a mark.

        Redacting and cutting again changes nothing. Content that the redactor fails on is withheld.

        Args:
            key: Attribute key that it goes under.
            text: The text.
            json: Whether readers take it for JSON: then it is cut inside its strings.
        """
        shorten = cut_json if json else cut
        text = self.redacted(key, text)
        shown = shorten(text, self.max_content_length)
        # What is cut may look like a secret where the whole did not: the other reader redacts it again.
        for _ in range(_MAX_ROUNDS if self.redact is not None and shown != text else 0):
            again = shorten(self.redacted(key, shown), self.max_content_length)
            if again == shown:
                break
            shown = again
        return shown

    def redacted(self, key: str, text: str) -> str:
        """A text that UTF-8 can say, without secrets as far as the redactor knows them; withheld where it fails."""
        text = encodable(text)
        if self.redact is None:
            return text
        try:
            text = self.redact(key, text)
            if not isinstance(text, str):
                raise TypeError(f"it gave {type(text).__name__}, not str")  # noqa: TRY301 - handled like its own errors
        except Exception as error:  # noqa: BLE001 - a user's hook: whatever it raises, the content stays inside
            _say_withheld(key, type(error).__name__)
            return "[withheld: the redactor failed]"
        return encodable(text)

"""What does our header carry from a client to a run, and from a run to its activities?

One Temporal header field (``durable-trace``) with JSON: where the trace goes on, the session, the service that issued
the step. Headers are not encrypted and come from outside: they hold no user ID unless the user set one, and what is
read is checked and capped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Annotated, Final, Literal

import msgspec

from tracing.config import logger
from tracing.conventions import FOREIGN_HEADER, HEADER
from tracing.identity import SCHEME
from tracing.payloads import PayloadMessage
from tracing.versioned import encode_versioned

MAX_BYTES: Final = 8192
"""A header of more bytes is ignored."""
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class SpanReference(msgspec.Struct, frozen=True):
    """A span elsewhere: W3C Trace Context's ``traceparent``."""

    trace_id: int
    span_id: int
    sampled: bool = True

    @staticmethod
    def parse(traceparent: str) -> SpanReference | None:
        """Read a ``traceparent``; None where it is not valid (W3C Trace Context, any version)."""
        return _parsed(traceparent)

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"


@lru_cache(maxsize=256)  # an attempt asks for its parent several times
def _parsed(traceparent: str) -> SpanReference | None:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in match.groups()[:3])
    return SpanReference(trace_id, span_id, bool(flags & 1)) if trace_id and span_id else None


StartCall = Literal["start", "signal_with_start", "update_with_start"]
"""The client's calls that start a run."""


class ClientStart(msgspec.Struct, frozen=True, omit_defaults=True):
    """The client's ``StartWorkflow`` span, so that a target which lacks it can be given it again.

    Attributes:
        time_us: Its start, in µs since the epoch.
        parent: Span ID of its parent, as 16 hex digits.
        call: Which of the client's calls it is: a start, one with a signal, one with an update.
    """

    time_us: Annotated[int, msgspec.Meta(ge=0, le=1 << 52)]
    parent: Annotated[str, msgspec.Meta(max_length=16)] = ""
    call: StartCall = "start"


Cancellation = Literal["try", "wait", "abandon"]
"""How a workflow cancels a step: it goes on at once, waits until the step has ended, or does not tell it (Temporal's
TRY_CANCEL, WAIT_CANCELLATION_COMPLETED, ABANDON)."""


class TraceHeader(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Content of our header.

    Attributes:
        v: Version of the identity scheme.
        traceparent: Parent of the run or attempt; None where the receiver's own run ID decides.
        sampled: The sampling decision of the run, where no traceparent carries it.
        session: Session ID set by the user.
        user: User ID; only where the user set one.
        tags: Tags set by the user.
        environment: Environment set by the user.
        resource: Service identity of the worker that issued the step.
        start: The client's span, where it has one.
        previous: The span of the run that this one continues as new, as a ``traceparent``.
        cancellation: How the workflow cancels the step, where that is not its kind's default: what history shows of a
            cancelled step does not tell when it was over for the workflow.
        nth: Which use of its activity ID in the run the step is, from 1.
        ledger_left: Bytes that the attempt's ledger may take, where the run's budget is running out.
    """

    v: int = SCHEME
    traceparent: str | None = None
    sampled: bool | None = None
    session: str | None = None
    user: str | None = None
    tags: tuple[str, ...] = ()
    environment: str | None = None
    resource: dict[str, str] = {}
    start: ClientStart | None = None
    previous: str | None = None
    cancellation: Cancellation | None = None
    ledger_left: int | None = None
    nth: int = 1

    @property
    def parent(self) -> SpanReference | None:
        """The span that the receiver continues, if any."""
        return SpanReference.parse(self.traceparent) if self.traceparent else None

    @property
    def previous_span(self) -> SpanReference | None:
        """The span of the run before, if the header names it."""
        return SpanReference.parse(self.previous) if self.previous else None

    def encode(self) -> bytes:
        """JSON of the header; defaults are left out.

        Where session, user and tags make it larger than a reader takes, it goes without them: the trace must go on.
        """
        data = encode_versioned(self)
        if len(data) > MAX_BYTES:
            _say_too_large()
            data = encode_versioned(
                msgspec.structs.replace(self, session=None, user=None, tags=(), environment=None, resource={})
            )
        return data


@cache
def _say_too_large() -> None:
    """Once in a process: every start within the same session would say it."""
    logger.warning(
        "session() holds more than %d bytes: runs started in it have none of it. Make it shorter.", MAX_BYTES
    )


_DECODER: Final = msgspec.json.Decoder(TraceHeader)


def read_header(fields: Mapping[str, PayloadMessage]) -> TraceHeader | None:
    """Our header among a message's header fields; None where it is absent, too large, or not ours to read."""
    if HEADER not in fields:
        return None
    data = fields[HEADER].data
    if len(data) > MAX_BYTES:
        return None
    try:
        header = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return header if header.v == SCHEME else None


class _Foreign(msgspec.Struct):
    traceparent: str


def read_foreign_header(fields: Mapping[str, PayloadMessage]) -> SpanReference | None:
    """The span in a header of Temporal's own integration, where ours is not beside it."""
    if FOREIGN_HEADER not in fields or HEADER in fields:
        return None
    data = fields[FOREIGN_HEADER].data
    if len(data) > MAX_BYTES:
        return None
    try:
        return SpanReference.parse(msgspec.json.decode(data, type=_Foreign).traceparent)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None

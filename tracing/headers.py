"""What does our header carry from a client to a run, and from a run to its activities?

One Temporal header field (``durable-trace``) with JSON: where the trace goes on, the session, the service that issued
the step. Headers are not encrypted and come from outside: they hold no user ID unless the user set one, and what is
read is checked and capped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from tracing.conventions import HEADER
from tracing.identity import SCHEME
from tracing.payloads import PayloadMessage

MAX_BYTES: Final = 8192
"""A header of more bytes is ignored."""
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class SpanReference(msgspec.Struct, frozen=True):
    """A span elsewhere: W3C Trace Context's ``traceparent``."""

    trace_id: int
    span_id: int
    sampled: bool = True

    @classmethod
    def parse(cls, traceparent: str) -> SpanReference | None:
        """Read a ``traceparent``; None where it is not valid (W3C Trace Context, any version)."""
        match = _TRACEPARENT.fullmatch(traceparent)
        if match is None:
            return None
        trace_id, span_id, flags = (int(part, 16) for part in match.groups()[:3])
        return cls(trace_id, span_id, bool(flags & 1)) if trace_id and span_id else None

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"


class ClientStart(msgspec.Struct, frozen=True, omit_defaults=True):
    """The client's ``StartWorkflow`` span, so that a target which lacks it can be given it again.

    Attributes:
        time_us: Its start, in µs since the epoch.
        parent: Span ID of its parent, as 16 hex digits.
    """

    time_us: Annotated[int, msgspec.Meta(ge=0, le=1 << 52)]
    parent: Annotated[str, msgspec.Meta(max_length=16)] = ""


class TraceHeader(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Content of our header.

    Attributes:
        v: Version of the identity scheme.
        traceparent: Parent of the run or attempt; None where the receiver's own run ID decides.
        sampled: The sampling decision, where no traceparent carries it.
        session: Session ID set by the user.
        user: User ID; only where the user set one.
        tags: Tags set by the user.
        resource: Service identity of the worker that issued the step.
        start: The client's span, where it has one.
        nth: Which use of its activity ID in the run the step is, from 1.
        ledger_left: Bytes that the attempt's ledger may take, where the run's budget is running out.
    """

    v: int = SCHEME
    traceparent: str | None = None
    sampled: bool | None = None
    session: str | None = None
    user: str | None = None
    tags: tuple[str, ...] = ()
    resource: dict[str, str] = {}
    start: ClientStart | None = None
    ledger_left: int | None = None
    nth: int = 1

    @property
    def parent(self) -> SpanReference | None:
        """The span that the receiver continues, if any."""
        return SpanReference.parse(self.traceparent) if self.traceparent else None

    def encode(self) -> bytes:
        """JSON of the header; defaults are left out.

        Where session, user and tags make it larger than a reader takes, it goes without them: the trace must go on.
        """
        data = _json(self)
        if len(data) > MAX_BYTES:
            data = _json(msgspec.structs.replace(self, session=None, user=None, tags=(), resource={}))
        return data


_DECODER: Final = msgspec.json.Decoder(TraceHeader)


def _json(header: TraceHeader) -> bytes:
    # `v` is written although it is the default: a later scheme has another default.
    return msgspec.json.encode({"v": header.v, **msgspec.to_builtins(header)})


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

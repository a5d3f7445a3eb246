"""What travels in our header from a client's call to what receives it?"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from opentelemetry import trace
from temporalio.api.common.v1 import Payload

from tracing import conventions as c
from tracing.headers import ClientStart, SpanReference, StartCall, TraceHeader
from tracing.live.client.session import current_session
from tracing.spans.model import NS_PER_US


def session_header() -> TraceHeader:
    """What starts and schedules carry, under a span or not: the session around the call."""
    session = current_session()
    return TraceHeader(
        session=session.id, user=session.user, tags=session.tags, environment=session.environment or None
    )


def message_header(span: trace.Span | None) -> TraceHeader | None:
    """What signals, queries and updates carry: the client's span to link to, and the session's user, who sends them.

    None where there is neither.
    """
    traceparent, user = traceparent_of(span) if span is not None else None, current_session().user
    return TraceHeader(traceparent=traceparent, user=user) if traceparent or user else None


def start_header(span: trace.Span, outer_span_id: int, call: StartCall = "start") -> TraceHeader:
    """What a start under a span carries: the client's span, which the run continues, and how to make it again."""
    header = msgspec.structs.replace(session_header(), traceparent=traceparent_of(span))
    started = getattr(span, "start_time", None)  # a span that is not recorded has none
    if isinstance(started, int):
        start = ClientStart(started // NS_PER_US, f"{outer_span_id:016x}", call)
        header = msgspec.structs.replace(header, start=start)
    return header


def schedule_header(before: TraceHeader | None, span: trace.Span | None) -> TraceHeader:
    """What the runs of a schedule carry: the session, and the span that last said what they do, to link to.

    Args:
        before: The header of the schedule so far. What the session and span around an update do not say stays.
        span: The client's span, if there is one.
    """
    now = session_header()
    before = before or TraceHeader()
    traceparent = traceparent_of(span) if span is not None else None
    return TraceHeader(
        traceparent=traceparent or before.traceparent,
        session=now.session or before.session,
        user=now.user or before.user,
        tags=now.tags or before.tags,
        environment=now.environment or before.environment,
    )


def traceparent_of(span: trace.Span) -> str | None:
    """A span as a ``traceparent``; None of the invalid span."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return str(SpanReference(context.trace_id, context.span_id, context.trace_flags.sampled))


def with_header(headers: Mapping[str, Payload] | None, header: TraceHeader) -> dict[str, Payload]:
    """Temporal header fields with ours added."""
    return {**(headers or {}), c.HEADER: header_payload(header)}


def header_payload(header: TraceHeader) -> Payload:
    """Our header as a payload that every SDK's default converter can read."""
    return Payload(metadata={"encoding": b"json/plain"}, data=header.encode())

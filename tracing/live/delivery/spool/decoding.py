"""How is a span of the spool read back, so that it is sent as it would have been sent at once?

The exporter takes SDK spans, so it is read into one; what the exporter then makes of it is, byte for byte, what it
would have made of the first.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

from tracing.live.delivery.spool.encoding import IS_REMOTE, KINDS

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SDK_KINDS: Final = {number: kind for kind, number in KINDS.items()}


class StoredSpan(ReadableSpan):
    """A span read back from the spool."""

    def __init__(self, message: trace_pb2.Span, **given: Any) -> None:
        super().__init__(**given)
        self._message = message

    @property
    def dropped_attributes(self) -> int:
        """See the SDK."""
        return self._message.dropped_attributes_count

    @property
    def dropped_events(self) -> int:
        """See the SDK."""
        return self._message.dropped_events_count

    @property
    def dropped_links(self) -> int:
        """See the SDK."""
        return self._message.dropped_links_count


def decode_span(data: bytes, **changed: Any) -> ReadableSpan:
    """The span that :func:`tracing.live.delivery.spool.encoding.encode_span` wrote, as an SDK span.

    Args:
        data: The span.
        changed: Arguments of ``ReadableSpan`` to be used instead of what was written.

    Raises:
        ValueError: It is none; also where protobuf cannot read it.
    """
    try:
        request = trace_pb2.TracesData.FromString(data)
        [resource_spans] = request.resource_spans
        [scope_spans] = resource_spans.scope_spans
        [message] = scope_spans.spans
        return StoredSpan(message, **(_fields(resource_spans, scope_spans, message) | changed))
    except Exception as error:
        raise ValueError(f"not a span of the spool: {type(error).__name__}") from error


def _fields(
    resource_spans: trace_pb2.ResourceSpans, scope_spans: trace_pb2.ScopeSpans, message: trace_pb2.Span
) -> dict[str, Any]:
    trace_id = int.from_bytes(message.trace_id, "big")
    state = TraceState.from_header([message.trace_state]) if message.trace_state else None
    context = SpanContext(trace_id, int.from_bytes(message.span_id, "big"), is_remote=False, trace_flags=_SAMPLED)
    if state is not None:
        context = SpanContext(trace_id, context.span_id, is_remote=False, trace_flags=_SAMPLED, trace_state=state)
    scope = scope_spans.scope
    code = StatusCode(message.status.code)
    return {
        "name": message.name,
        "context": context,
        "parent": _context(trace_id, message.parent_span_id, message.flags) if message.parent_span_id else None,
        "resource": Resource(_attributes(resource_spans.resource.attributes), resource_spans.schema_url),
        "attributes": _attributes(message.attributes),
        "events": [
            Event(event.name, _bounded(event.attributes, event.dropped_attributes_count), event.time_unix_nano)
            for event in message.events
        ],
        "links": [
            Link(
                _context(int.from_bytes(link.trace_id, "big"), link.span_id, link.flags),
                _bounded(link.attributes, link.dropped_attributes_count),
            )
            for link in message.links
        ],
        "kind": _SDK_KINDS[message.kind],
        "status": Status(code, message.status.message or None if code is StatusCode.ERROR else None),
        "start_time": message.start_time_unix_nano,
        "end_time": message.end_time_unix_nano or None,
        "instrumentation_scope": InstrumentationScope(
            scope.name, scope.version, scope_spans.schema_url, _attributes(scope.attributes)
        )
        if scope_spans.HasField("scope")
        else None,
    }


def _context(trace_id: int, span_id: bytes, flags: int) -> SpanContext:
    return SpanContext(trace_id, int.from_bytes(span_id, "big"), is_remote=bool(flags & IS_REMOTE))


def _attributes(attributes: Any) -> dict[str, Any]:
    return {attribute.key: _value(attribute.value) for attribute in attributes}


def _bounded(attributes: Any, dropped: int) -> Any:
    plain = _attributes(attributes)
    if not dropped:
        return plain
    bounded = BoundedAttributes(attributes=plain)
    bounded.dropped = dropped
    return bounded


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return tuple(_value(item) for item in value.array_value.values)
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind)


with suppress(ValueError):
    # Protobuf's first use takes milliseconds: not within an agent's first model call.
    decode_span(b"")

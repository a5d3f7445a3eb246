"""How is a span written into the spool? As OTLP protobuf, one span with its resource and scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

# By name: the API numbers them from 0, OTLP from 1.
KINDS: Final = {kind: trace_pb2.Span.SpanKind.Value(f"SPAN_KIND_{kind.name}") for kind in trace.SpanKind}
IS_REMOTE: Final = trace_pb2.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
_HAS_IS_REMOTE: Final = trace_pb2.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK


def span_key(trace_id: int, span_id: int) -> bytes:
    """What a span is known by in the spool."""
    return trace_id.to_bytes(16, "big") + span_id.to_bytes(8, "big")


def key_of(span: ReadableSpan) -> bytes:
    """What an SDK span is known by in the spool."""
    context = span.get_span_context()
    assert context is not None
    return span_key(context.trace_id, context.span_id)


def encode_span(span: ReadableSpan) -> bytes:
    """A span as OTLP; an open one has no end."""
    # Everything is added in place: the SDK's encoder makes messages first and copies them, which takes four times as
    # long, in the agent's own thread.
    request = trace_pb2.TracesData()
    resource_spans = request.resource_spans.add()
    resource_spans.MergeFromString(_encoded_resource(span.resource))
    scope_spans = resource_spans.scope_spans.add()
    scope = span.instrumentation_scope
    if scope is not None:
        scope_spans.schema_url = scope.schema_url or ""
        scope_spans.scope.SetInParent()
        scope_spans.scope.name = scope.name
        scope_spans.scope.version = scope.version or ""
        _add(scope_spans.scope.attributes, scope.attributes)
    _fill(scope_spans.spans.add(), span)
    return request.SerializeToString()


_resources: Final[dict[int, tuple[Resource, bytes]]] = {}
_MAX_RESOURCES: Final = 16


def _encoded_resource(resource: Resource) -> bytes:
    """A resource as OTLP; most spans have the same one."""
    known = _resources.get(id(resource))
    if known is not None and known[0] is resource:
        return known[1]
    message = trace_pb2.ResourceSpans(schema_url=resource.schema_url or "")
    message.resource.SetInParent()
    _add(message.resource.attributes, resource.attributes)
    if len(_resources) >= _MAX_RESOURCES:
        _resources.clear()
    encoded = message.SerializeToString()
    _resources[id(resource)] = (resource, encoded)
    return encoded


def _fill(message: trace_pb2.Span, span: ReadableSpan) -> None:
    context = span.get_span_context()
    assert context is not None
    message.trace_id = context.trace_id.to_bytes(16, "big")
    message.span_id = context.span_id.to_bytes(8, "big")
    if context.trace_state:
        message.trace_state = context.trace_state.to_header()
    if span.parent is not None:
        message.parent_span_id = span.parent.span_id.to_bytes(8, "big")
    message.flags = _flags(span.parent)
    message.name = span.name
    message.kind = KINDS[span.kind]
    message.start_time_unix_nano = span.start_time or 0
    message.end_time_unix_nano = span.end_time or 0
    _add(message.attributes, span.attributes)
    message.dropped_attributes_count = span.dropped_attributes
    message.dropped_events_count = span.dropped_events
    message.dropped_links_count = span.dropped_links
    message.status.code = trace_pb2.Status.StatusCode.ValueType(span.status.status_code.value)
    message.status.message = span.status.description or ""
    for event in span.events:
        added = message.events.add(
            name=event.name, time_unix_nano=event.timestamp, dropped_attributes_count=event.dropped_attributes
        )
        _add(added.attributes, event.attributes)
    for link in span.links:
        pointer = message.links.add(
            trace_id=link.context.trace_id.to_bytes(16, "big"),
            span_id=link.context.span_id.to_bytes(8, "big"),
            flags=_flags(link.context),
            dropped_attributes_count=link.dropped_attributes,
        )
        _add(pointer.attributes, link.attributes)


def _flags(context: SpanContext | None) -> int:
    return _HAS_IS_REMOTE | (IS_REMOTE if context is not None and context.is_remote else 0)


def _add(target: Any, attributes: Mapping[str, Any] | None) -> None:
    for key, value in (attributes or {}).items():
        try:
            _set(target.add(key=key).value, value)
        except (TypeError, ValueError):
            # What the exporter cannot encode it leaves out, too.
            del target[-1]


def _set(target: AnyValue, value: Any) -> None:
    # bool before int, which it is a kind of; str first, which most are.
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, bytes):
        target.bytes_value = value
    elif value is not None:
        _set_many(target, value)


def _set_many(target: AnyValue, value: Any) -> None:
    if isinstance(value, Mapping):
        target.kvlist_value.SetInParent()
        for key, item in value.items():
            _set(target.kvlist_value.values.add(key=str(key)).value, item)
    elif isinstance(value, Sequence):
        target.array_value.SetInParent()
        for item in value:
            _set(target.array_value.values.add(), item)
    else:
        raise TypeError(f"no OTLP value: {type(value).__name__}")

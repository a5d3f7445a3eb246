"""How is a span written as OTLP protobuf, for sending?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tracing.runs import AttributeValue
from tracing.spans.model import Span
from tracing.tracefile.otlp import fits, grouped, mended, unix_nano


class _KeyValues(Protocol):
    """Where a message keeps its attributes."""

    def add(self, *, key: str) -> KeyValue: ...


def request_message(spans: Sequence[Span]) -> ExportTraceServiceRequest:
    """One ``ExportTraceServiceRequest`` of all the spans."""
    try:
        return _request(spans)
    except UnicodeEncodeError:
        return _request([mended(span) for span in spans])


def _request(spans: Sequence[Span]) -> ExportTraceServiceRequest:
    # Everything is added in place: a message made first and added then is copied, which takes thrice as long.
    request = ExportTraceServiceRequest()
    for resource, scopes in grouped(spans, spans):
        resource_spans = request.resource_spans.add()
        resource_spans.resource.SetInParent()
        _add(resource_spans.resource.attributes, resource)
        for name, members in scopes.items():
            scope_spans = resource_spans.scope_spans.add()
            scope_spans.scope.name = name
            for span in members:
                _fill(scope_spans.spans.add(), span)
    return request


def _fill(message: trace_pb2.Span, span: Span) -> None:
    message.trace_id = span.trace_id.to_bytes(16, "big")
    message.span_id = span.span_id.to_bytes(8, "big")
    if span.parent_id is not None:
        message.parent_span_id = span.parent_id.to_bytes(8, "big")
    message.name = span.name
    message.kind = trace_pb2.Span.SpanKind.ValueType(span.kind)
    message.start_time_unix_nano = unix_nano(span.start)
    if span.end is not None:
        message.end_time_unix_nano = unix_nano(span.end)
    message.status.message = span.status_message
    message.status.code = trace_pb2.Status.StatusCode.ValueType(span.status)
    _add(message.attributes, span.attributes)
    for event in span.events:
        added = message.events.add(time_unix_nano=unix_nano(event.time), name=event.name)
        _add(added.attributes, event.attributes)
    for link in span.links:
        pointer = message.links.add(trace_id=link.trace_id.to_bytes(16, "big"), span_id=link.span_id.to_bytes(8, "big"))
        _add(pointer.attributes, link.attributes)


def _add(target: _KeyValues, attributes: Mapping[str, AttributeValue]) -> None:
    for key, value in attributes.items():
        _set(target.add(key=key).value, value)


def _set(target: AnyValue, value: AttributeValue) -> None:
    # bool before int, which it is a kind of; str first, which most are.
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        if fits(value):
            target.int_value = value
        else:
            target.string_value = str(value)
    elif isinstance(value, float):
        target.double_value = value
    else:
        target.array_value.SetInParent()
        for item in value:
            target.array_value.values.add(string_value=item)

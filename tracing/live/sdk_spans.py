"""How do our spans become OpenTelemetry SDK spans, and those ours?"""

from __future__ import annotations

from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link as ApiLink
from opentelemetry.trace import SpanContext, Status, TraceFlags
from opentelemetry.util.types import Attributes as ApiAttributes

from tracing import conventions as c
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.version import VERSION

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SCOPE: Final = InstrumentationScope(c.SCOPE_NAME, VERSION)
# By name: the API numbers them from 0, OTLP and our model from 1.
_TO_SDK_KIND: Final = {kind: trace.SpanKind[kind.name] for kind in SpanKind}
_FROM_SDK_KIND: Final = {sdk: kind for kind, sdk in _TO_SDK_KIND.items()}
_TO_SDK_STATUS: Final = {code: trace.StatusCode[code.name] for code in StatusCode}
_FROM_SDK_STATUS: Final = {sdk: code for code, sdk in _TO_SDK_STATUS.items()}


def to_sdk_span(span: Span, resource: Resource) -> ReadableSpan:
    """A finished span as span processors take it, of the service that ``resource`` names."""
    return ReadableSpan(
        name=span.name,
        context=SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED),
        parent=SpanContext(span.trace_id, span.parent_id, is_remote=True, trace_flags=_SAMPLED)
        if span.parent_id
        else None,
        resource=resource,
        attributes=span.attributes,
        events=[SdkEvent(event.name, event.attributes, event.time) for event in span.events],
        links=[
            ApiLink(SpanContext(link.trace_id, link.span_id, is_remote=True), link.attributes) for link in span.links
        ],
        kind=_TO_SDK_KIND[span.kind],
        status=Status(_TO_SDK_STATUS[span.status], span.status_message or None),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=_SCOPE,
    )


def from_sdk_span(span: ReadableSpan) -> Span:
    """An SDK span as one of ours."""
    context = span.get_span_context()
    assert context is not None
    return Span(
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_id=span.parent.span_id if span.parent else None,
        name=span.name,
        kind=_FROM_SDK_KIND[span.kind],
        start=span.start_time or 0,
        end=span.end_time,
        attributes=plain_attributes(span.attributes),
        status=_FROM_SDK_STATUS[span.status.status_code],
        status_message=span.status.description or "",
        events=tuple(Event(event.name, event.timestamp, plain_attributes(event.attributes)) for event in span.events),
        links=tuple(
            Link(link.context.trace_id, link.context.span_id, plain_attributes(link.attributes)) for link in span.links
        ),
        resource=plain_attributes(span.resource.attributes),
        scope=span.instrumentation_scope.name if span.instrumentation_scope else "",
    )


def plain_attributes(attributes: ApiAttributes) -> Attributes:
    """OpenTelemetry's attributes as ours; sequences become tuples of text."""
    return {key: _plain(value) for key, value in (attributes or {}).items()}


def _plain(value: object) -> AttributeValue:
    if isinstance(value, (str, bool, int, float)):
        return value
    return tuple(str(item) for item in value) if isinstance(value, (tuple, list)) else str(value)

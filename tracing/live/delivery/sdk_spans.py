"""How do our spans become OpenTelemetry SDK spans, and those ours?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link as ApiLink
from opentelemetry.trace import SpanContext, Status, TraceFlags
from opentelemetry.util.types import Attributes as ApiAttributes
from opentelemetry.util.types import AttributeValue as ApiAttributeValue

from tracing import conventions as c
from tracing.encodable import encodable, encodable_value
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
        instrumentation_scope=_SCOPE if span.scope == c.SCOPE_NAME else InstrumentationScope(span.scope),
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
    """OpenTelemetry's attributes as ours; sequences become tuples of text, what is nested becomes JSON."""
    return {key: _plain(value) for key, value in (attributes or {}).items()}


def told_attributes(given: ApiAttributes, told: Attributes) -> dict[str, ApiAttributeValue]:
    """An SDK span's attributes as they may be told; what is told unchanged stays as its instrumentation typed it."""
    return {
        key: _typed(value) if told[key] == _plain(value) else told[key]
        for key, value in (given or {}).items()
        if key in told
    }


def tell(span: SdkSpan, told: Span, attributes: Mapping[str, ApiAttributeValue]) -> None:
    """Make an SDK span that has ended, and is not yet handed on, say what may be told of it.

    The SDK calls its OnEnding hooks at that moment, but then refuses `set_attribute`, against the specification;
    replacing what the span holds is what is left.
    """
    span._attributes = dict(attributes)  # noqa: SLF001
    span._name = told.name  # noqa: SLF001
    span._status = Status(span.status.status_code, told.status_message or None)  # noqa: SLF001
    if span.events:
        span._events = [  # noqa: SLF001
            SdkEvent(shown.name, told_attributes(event.attributes, shown.attributes), event.timestamp)
            for event, shown in zip(span.events, told.events, strict=True)
        ]
    if span.links:
        span._links = [  # noqa: SLF001
            ApiLink(link.context, told_attributes(link.attributes, shown.attributes))
            for link, shown in zip(span.links, told.links, strict=True)
        ]


def withhold(span: SdkSpan, known: Mapping[str, ApiAttributeValue]) -> None:
    """Leave of an SDK span as it ends what is known to be no content: what may be told of it could not be found out."""
    span._attributes = {key: value for key, value in (span.attributes or {}).items() if key in known}  # noqa: SLF001
    span._status = Status(span.status.status_code)  # noqa: SLF001
    span._events = []  # noqa: SLF001
    span._links = []  # noqa: SLF001


def _typed(value: Any) -> Any:
    return encodable_value(value) if _has_parts(value) else value


def _plain(value: object) -> AttributeValue:
    if isinstance(value, (str, bool, int, float)):
        return value
    if _has_parts(value):
        return msgspec.json.encode(_as_json(value)).decode()
    return tuple(str(item) for item in value) if isinstance(value, (tuple, list)) else str(value)


def _has_parts(value: object) -> bool:
    """Whether a value is a mapping, or a sequence of others than scalars."""
    if isinstance(value, (tuple, list)):
        return any(isinstance(item, (Mapping, tuple, list)) for item in value)
    return isinstance(value, Mapping)


def _as_json(value: Any) -> Any:
    """A nested value with all that is in it as JSON has it, so that a redactor sees all of its text."""
    if isinstance(value, Mapping):
        return {encodable(str(key)): _as_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_as_json(item) for item in value]
    return encodable(str(value)) if isinstance(value, (str, bytes)) else value

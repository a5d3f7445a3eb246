"""How is a span written as OTLP/JSON?

By the OTLP JSON mapping: IDs in hex, 64-bit integers as strings, enums as numbers, names in camel case. Not through
protobuf, whose own JSON mapping differs and is many times slower.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from tracing.runs import AttributeValue
from tracing.spans.model import Event, Link, Span, StatusCode
from tracing.tracefile.otlp import fits, grouped, mended, unix_nano

LINE_SPANS: Final = 500
"""Most spans of one line."""
LINE_BYTES: Final = 1_000_000
"""Longest line of more than one span. The Collector's OTLP JSON file receiver cuts lines after 1 MiB by default."""


class _String(msgspec.Struct, rename="camel", gc=False):
    string_value: str


class _Bool(msgspec.Struct, rename="camel", gc=False):
    bool_value: bool


class _Int(msgspec.Struct, rename="camel", gc=False):
    int_value: str


class _Double(msgspec.Struct, rename="camel", gc=False):
    double_value: float | str


class _Values(msgspec.Struct, gc=False):
    values: list[_String]


class _Array(msgspec.Struct, rename="camel", gc=False):
    array_value: _Values


_Value = _String | _Bool | _Int | _Double | _Array


class _KeyValue(msgspec.Struct, gc=False):
    key: str
    value: _Value


class _Event(msgspec.Struct, rename="camel", gc=False):
    time_unix_nano: str
    name: str
    attributes: list[_KeyValue]


class _Link(msgspec.Struct, rename="camel", gc=False):
    trace_id: str
    span_id: str
    attributes: list[_KeyValue]


class _Status(msgspec.Struct, omit_defaults=True, gc=False):
    message: str = ""
    code: int = 0


class _Span(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    trace_id: str
    span_id: str
    name: str
    kind: int
    start_time_unix_nano: str
    attributes: list[_KeyValue]
    status: _Status
    parent_span_id: str = ""
    end_time_unix_nano: str = ""
    events: list[_Event] = []
    links: list[_Link] = []


class _Resource(msgspec.Struct, gc=False):
    attributes: list[_KeyValue]


class _Scope(msgspec.Struct, gc=False):
    name: str


class _ScopeSpans(msgspec.Struct, gc=False):
    scope: _Scope
    spans: list[msgspec.Raw]


class _ResourceSpans(msgspec.Struct, rename="camel", gc=False):
    resource: _Resource
    scope_spans: list[_ScopeSpans]


class _Request(msgspec.Struct, rename="camel", gc=False):
    resource_spans: list[_ResourceSpans]


_ENCODER: Final = msgspec.json.Encoder()
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # protobuf's JSON mapping
_NO_STATUS: Final = _Status()


def encode_lines(
    spans: Iterable[Span], *, line_spans: int = LINE_SPANS, line_bytes: int = LINE_BYTES
) -> Iterator[bytes]:
    """Write spans as lines of one ``ExportTraceServiceRequest`` each, newline included.

    The same spans give the same bytes. Only one line's spans are held at a time.

    Args:
        spans: Spans, in the order in which they are to be written.
        line_spans: Most spans of one line.
        line_bytes: Longest line that holds more than one span.
    """
    source = iter(spans)
    while chunk := list(islice(source, line_spans)):
        yield from _lines(chunk, [encode_span(span) for span in chunk], line_bytes)


def encode_request(spans: Sequence[Span]) -> bytes:
    """One ``ExportTraceServiceRequest`` of all the spans, as JSON."""
    return _request(spans, [encode_span(span) for span in spans])


def encode_span(span: Span) -> msgspec.Raw:
    """One span as JSON, without its resource and scope."""
    try:
        return msgspec.Raw(_ENCODER.encode(_span(span)))
    except UnicodeEncodeError:
        return msgspec.Raw(_ENCODER.encode(_span(mended(span))))


def _lines(spans: Sequence[Span], encoded: Sequence[msgspec.Raw], line_bytes: int) -> Iterator[bytes]:
    line = _request(spans, encoded) + b"\n"
    if len(line) <= line_bytes or len(spans) == 1:
        yield line
        return
    half = len(spans) // 2
    yield from _lines(spans[:half], encoded[:half], line_bytes)
    yield from _lines(spans[half:], encoded[half:], line_bytes)


def _request(spans: Sequence[Span], encoded: Sequence[msgspec.Raw]) -> bytes:
    try:
        return _ENCODER.encode(_grouped_request(spans, encoded))
    except UnicodeEncodeError:
        return _ENCODER.encode(_grouped_request([mended(span) for span in spans], encoded))


def _grouped_request(spans: Sequence[Span], encoded: Sequence[msgspec.Raw]) -> _Request:
    return _Request(
        [
            _ResourceSpans(
                _Resource(_attributes(resource)),
                [_ScopeSpans(_Scope(name), items) for name, items in scopes.items()],
            )
            for resource, scopes in grouped(spans, encoded)
        ]
    )


def _span(span: Span) -> _Span:
    return _Span(
        trace_id=f"{span.trace_id:032x}",
        span_id=f"{span.span_id:016x}",
        parent_span_id="" if span.parent_id is None else f"{span.parent_id:016x}",
        name=span.name,
        kind=span.kind,
        start_time_unix_nano=str(unix_nano(span.start)),
        # OTLP has no sign for an open span but a missing end.
        end_time_unix_nano="" if span.end is None else str(unix_nano(span.end)),
        attributes=_attributes(span.attributes),
        events=[_event(event) for event in span.events],
        links=[_link(link) for link in span.links],
        status=_NO_STATUS
        if span.status is StatusCode.UNSET and not span.status_message
        else _Status(span.status_message, span.status),
    )


def _event(event: Event) -> _Event:
    return _Event(str(unix_nano(event.time)), event.name, _attributes(event.attributes))


def _link(link: Link) -> _Link:
    return _Link(f"{link.trace_id:032x}", f"{link.span_id:016x}", _attributes(link.attributes))


def _attributes(attributes: Mapping[str, AttributeValue]) -> list[_KeyValue]:
    return [_KeyValue(key, _value(value)) for key, value in attributes.items()]


def _value(value: AttributeValue) -> _Value:
    # bool before int, which it is a kind of; str first, which most are.
    if isinstance(value, str):
        return _String(value)
    if isinstance(value, bool):
        return _Bool(value)
    if isinstance(value, int):
        return _Int(str(value)) if fits(value) else _String(str(value))
    if isinstance(value, float):
        return _Double(value if math.isfinite(value) else _NOT_FINITE[str(value)])
    return _Array(_Values([_String(item) for item in value]))

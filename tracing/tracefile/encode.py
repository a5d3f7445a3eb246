"""How is a span written as OTLP/JSON?

By the OTLP JSON mapping: IDs in hex, 64-bit integers as strings, enums as numbers, names in camel case. Not through
protobuf, whose own JSON mapping differs and is many times slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from tracing.runs import AttributeValue
from tracing.spans.model import Event, Link, Span
from tracing.tracefile.columns import joined_each
from tracing.tracefile.fragments import Fragments
from tracing.tracefile.otlp import fits, grouped, mended, unix_nano

LINE_SPANS: Final = 500
"""Most spans of one line."""
LINE_BYTES: Final = 1_000_000
"""Longest line of more than one span. The Collector's OTLP JSON file receiver cuts lines after 1 MiB by default."""

_JSON: Final = msgspec.json.Encoder().encode
_SPAN: Final = (
    b'{"traceId":"%032x","spanId":"%016x","name":%b,"kind":%d,"startTimeUnixNano":"%d","attributes":[%b],"status":%b'
)
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # protobuf's JSON mapping


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
    return LineWriter().lines(spans, line_spans=line_spans, line_bytes=line_bytes)


def encode_request(spans: Sequence[Span]) -> bytes:
    """One ``ExportTraceServiceRequest`` of all the spans, as JSON."""
    return LineWriter().request(spans)


class LineWriter:
    """Writes traces, one after the other; what recurs on their spans is encoded once."""

    def __init__(self) -> None:
        self._fragments = Fragments(_attribute)

    def lines(
        self, spans: Iterable[Span], *, line_spans: int = LINE_SPANS, line_bytes: int = LINE_BYTES
    ) -> Iterator[bytes]:
        """The lines of a trace, as ``encode_lines`` gives them."""
        source = iter(spans)
        while chunk := list(islice(source, line_spans)):
            yield from self._lines(chunk, self._encoded(chunk), line_bytes)

    def request(self, spans: Sequence[Span]) -> bytes:
        """One ``ExportTraceServiceRequest`` of all the spans."""
        return self._grouped(spans, self._encoded(spans))

    def _lines(self, spans: Sequence[Span], encoded: Sequence[bytes], line_bytes: int) -> Iterator[bytes]:
        line = self._grouped(spans, encoded) + b"\n"
        if len(line) <= line_bytes or len(spans) == 1:
            yield line
            return
        half = len(spans) // 2
        yield from self._lines(spans[:half], encoded[:half], line_bytes)
        yield from self._lines(spans[half:], encoded[half:], line_bytes)

    def _encoded(self, spans: Sequence[Span]) -> list[bytes]:
        """Each span, without its resource and scope."""
        try:
            return self._spans(spans)
        except UnicodeEncodeError:
            return self._spans([mended(span) for span in spans])

    def _grouped(self, spans: Sequence[Span], encoded: Sequence[bytes]) -> bytes:
        """A request of spans, from what was made of each."""
        try:
            return self._request(spans, encoded)
        except UnicodeEncodeError:
            return self._request([mended(span) for span in spans], encoded)

    def _request(self, spans: Sequence[Span], encoded: Sequence[bytes]) -> bytes:
        return b'{"resourceSpans":[%b]}' % b",".join(
            b'{"resource":{"attributes":%b},"scopeSpans":[%b]}'
            % (
                self._attributes(resource),
                b",".join(
                    b'{"scope":{"name":%b},"spans":[%b]}' % (_JSON(name), b",".join(items))
                    for name, items in scopes.items()
                ),
            )
            for resource, scopes in grouped(spans, encoded)
        )

    def _spans(self, spans: Sequence[Span]) -> list[bytes]:
        return list(map(self._span, spans, joined_each(self._fragments, b",", [span.attributes for span in spans])))

    def _span(self, span: Span, attributes: bytes) -> bytes:
        written = _SPAN % (
            span.trace_id,
            span.span_id,
            _JSON(span.name),
            span.kind,
            unix_nano(span.start),
            attributes,
            _status(span) if span.status or span.status_message else b"{}",
        )
        if span.parent_id is not None:
            written += b',"parentSpanId":"%016x"' % span.parent_id
        # OTLP has no sign for an open span but a missing end.
        if span.end is not None:
            written += b',"endTimeUnixNano":"%d"' % unix_nano(span.end)
        if span.events:
            written += b',"events":[%b]' % b",".join(map(self._event, span.events))
        if span.links:
            written += b',"links":[%b]' % b",".join(map(self._link, span.links))
        return written + b"}"

    def _event(self, event: Event) -> bytes:
        return b'{"timeUnixNano":"%d","name":%b,"attributes":%b}' % (
            unix_nano(event.time),
            _JSON(event.name),
            self._attributes(event.attributes),
        )

    def _link(self, link: Link) -> bytes:
        return b'{"traceId":"%032x","spanId":"%016x","attributes":%b}' % (
            link.trace_id,
            link.span_id,
            self._attributes(link.attributes),
        )

    def _attributes(self, attributes: Mapping[str, AttributeValue]) -> bytes:
        return b"[%b]" % self._fragments.joined(b",", attributes)


def _status(span: Span) -> bytes:
    message = [b'"message":%b' % _JSON(span.status_message)] if span.status_message else []
    code = [b'"code":%d' % span.status] if span.status else []
    return b"{%b}" % b",".join(message + code)


def _attribute(key: str) -> Callable[[AttributeValue], bytes]:
    """Writes an attribute of this key."""
    name = b'{"key":%b,"value":' % _JSON(key)
    text = name + b'{"stringValue":'

    def write(value: AttributeValue) -> bytes:
        if value.__class__ is str:  # as most are
            return text + _JSON(value) + b"}}"
        return name + _value(value) + b"}"

    return write


def _value(value: AttributeValue) -> bytes:
    # bool before int, which it is a kind of.
    if isinstance(value, str):
        return b'{"stringValue":%b}' % _JSON(value)
    if isinstance(value, bool):
        return b'{"boolValue":true}' if value else b'{"boolValue":false}'
    if isinstance(value, int):
        return b'{"intValue":"%d"}' % value if fits(value) else b'{"stringValue":"%d"}' % value
    if isinstance(value, float):
        return b'{"doubleValue":%b}' % _JSON(value if math.isfinite(value) else _NOT_FINITE[str(value)])
    return b'{"arrayValue":{"values":[%b]}}' % b",".join(b'{"stringValue":%b}' % _JSON(item) for item in value)

"""How is a span written as OTLP protobuf, for sending?

The bytes are put together here, from pieces that recur: protobuf's own messages would be filled field by field, span by
span, only to be written once. The format is small (protobuf.dev/programming-guides/encoding), and the tests hold every
byte against what the messages of ``opentelemetry-proto`` give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from struct import Struct
from typing import Final

from tracing.runs import AttributeValue
from tracing.spans.model import Event, Link, Span
from tracing.tracefile.columns import joined_each
from tracing.tracefile.fragments import Fragments, Texts
from tracing.tracefile.otlp import fits, grouped, mended

_IDS: Final = Struct(">H16sHQ").pack
"""Trace ID and span ID, each with its tag and length."""
_IDS_PARENT: Final = Struct(">H16sHQHQ").pack
_LARGEST: Final = (1 << 64) - 1
_FIXED64: Final = Struct("<BQ").pack
"""A field's tag and its fixed 64 bits."""
_KIND_START_END: Final = Struct("<BBBQBQ").pack
_DOUBLE: Final = Struct("<Bd").pack

_BITS: Final = 7
_MORE: Final = 1 << _BITS
_NEGATIVE: Final = 1 << 64
_CACHED: Final = 4_096
"""Heads that are remembered: most spans of a run are of a few sizes."""
_SMALL: Final = [bytes((number,)) for number in range(_MORE)]


class RequestWriter:
    """Writes requests; what recurs on their spans is encoded once."""

    def __init__(self) -> None:
        self._names = Texts(_name)
        self._fragments = Fragments(_attribute)

    def request(self, spans: Sequence[Span]) -> bytes:
        """One ``ExportTraceServiceRequest`` of all the spans."""
        try:
            return self._request(spans)
        except UnicodeEncodeError:
            return self._request([mended(span) for span in spans])

    # Fields in the order of their numbers, as protobuf writes them; each as tag (number << 3 | wire type) and value.

    def _request(self, spans: Sequence[Span]) -> bytes:
        attributes = joined_each(self._fragments, b"\x4a", [span.attributes for span in spans])
        return b"".join(
            _delimited(0x0A, self._resource_spans(resource, scopes))
            for resource, scopes in grouped(spans, list(map(self._span, spans, attributes)))
        )

    def _resource_spans(self, resource: Mapping[str, AttributeValue], scopes: Mapping[str, Sequence[bytes]]) -> bytes:
        parts = [_delimited(0x0A, self._attributes(0x0A, resource))]
        for name, encoded in scopes.items():
            scope = _delimited(0x0A, _text(0x0A, name))
            parts.append(_delimited(0x12, scope + b"".join(encoded)))
        return b"".join(parts)

    def _span(self, span: Span, attributes: bytes) -> bytes:
        plain = not (span.events or span.links or span.status or span.status_message)
        written = b"".join(
            (
                _ids(span.trace_id, span.span_id, span.parent_id),
                self._names[span.name],
                _kind_and_times(span.kind, span.start, span.end),
                b"\x4a" + attributes if attributes else b"",
                b"\x7a\x00" if plain else self._events_links_status(span),
            )
        )
        return _delimited(0x12, written)

    def _events_links_status(self, span: Span) -> bytes:
        events = [_delimited(0x5A, self._event(event)) for event in span.events]
        links = [_delimited(0x6A, self._link(link)) for link in span.links]
        return b"".join((*events, *links, _status(span)))

    def _event(self, event: Event) -> bytes:
        return _time(0x09, event.time) + _text(0x12, event.name) + self._attributes(0x1A, event.attributes)

    def _link(self, link: Link) -> bytes:
        return _ids(link.trace_id, link.span_id) + self._attributes(0x22, link.attributes)

    def _attributes(self, tag: int, attributes: Mapping[str, AttributeValue]) -> bytes:
        return _SMALL[tag] + self._fragments.joined(_SMALL[tag], attributes) if attributes else b""


def request_bytes(spans: Sequence[Span]) -> bytes:
    """One ``ExportTraceServiceRequest`` of all the spans."""
    return RequestWriter().request(spans)


def _status(span: Span) -> bytes:
    code = b"\x18" + _SMALL[span.status] if span.status else b""
    return _delimited(0x7A, _text(0x12, span.status_message) + code)


def _attribute(key: str) -> Callable[[AttributeValue], bytes]:
    """Writes a ``KeyValue`` with its length, without a tag: that depends on what it is an attribute of."""
    name = _text(0x0A, key)
    heads: dict[int, bytes] = {}  # what stands before a text of so many bytes

    def write(value: AttributeValue) -> bytes:
        if value.__class__ is str:  # as most are
            text = value.encode()
            length = len(text)
            head = heads.get(length)
            if head is not None:
                return head + text
            size = len(name) + 4 + length
            if size < _MORE:
                head = heads[length] = _SMALL[size] + name + bytes((0x12, length + 2, 0x0A, length))
                return head + text
        written = name + _delimited(0x12, _value(value))
        return _varint(len(written)) + written

    return write


def _value(value: AttributeValue) -> bytes:
    """An ``AnyValue``. Its fields are one of several, so an empty or zero one is written as well."""
    # bool before int, which it is a kind of; str first, which most are.
    if isinstance(value, str):
        return _delimited(0x0A, value.encode())
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return b"\x18" + _varint(value % _NEGATIVE) if fits(value) else _delimited(0x0A, b"%d" % value)
    if isinstance(value, float):
        return _DOUBLE(0x21, value)
    return _delimited(0x2A, b"".join(_delimited(0x0A, _delimited(0x0A, item.encode())) for item in value))


def _text(tag: int, text: str) -> bytes:
    """A text of its own field: an empty one is left out."""
    if not text:
        return b""
    data = text.encode()
    size = len(data)
    return b"%c%c%b" % (tag, size, data) if size < _MORE else _delimited(tag, data)


def _name(text: str) -> bytes:
    return _text(0x2A, text)


def _ids(trace_id: int, span_id: int, parent_id: int | None = None) -> bytes:
    trace = trace_id.to_bytes(16, "big")
    if parent_id is None:
        return _IDS(0x0A10, trace, 0x1208, span_id)
    return _IDS_PARENT(0x0A10, trace, 0x1208, span_id, 0x2208, parent_id)


def _kind_and_times(kind: int, start: int, end: int | None) -> bytes:
    """Kind, start and end of a span; OTLP has no sign for an open one but a missing end."""
    if end is not None and 0 < start <= end <= _LARGEST:
        return _KIND_START_END(0x30, kind, 0x39, start, 0x41, end)
    return _SMALL[0x30] + _SMALL[kind] + _time(0x39, start) + (_time(0x41, end) if end is not None else b"")


def _time(tag: int, time: int) -> bytes:
    return _FIXED64(tag, time) if 0 < time <= _LARGEST else b""  # as `unix_nano` has it


def _delimited(tag: int, data: bytes) -> bytes:
    return _head(tag, len(data)) + data


@lru_cache(_CACHED)
def _head(tag: int, size: int) -> bytes:
    """What stands before so many bytes."""
    return _SMALL[tag] + _varint(size)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit of a byte says that more follow."""
    if number < _MORE:
        return _SMALL[number]
    if number < _MORE << _BITS:
        return bytes((number % _MORE | _MORE, number >> _BITS))
    written = bytearray()
    while number >= _MORE:
        written.append(number % _MORE | _MORE)
        number >>= _BITS
    written.append(number)
    return bytes(written)

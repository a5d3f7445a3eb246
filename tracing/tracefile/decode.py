"""What spans does a line of OTLP/JSON hold, and what is wrong with those that cannot be read?

Lines come from our own writer, from the Collector's file exporter and from others. A span that cannot be read is named;
the others of its line are kept.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple, TypeVar

import msgspec

from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Event, Link, Span, StatusCode
from tracing.tracefile.otlp import unix_nano
from tracing.tracefile.otlp_json import CODES, KINDS, REQUEST, SPAN, AnyValue, JsonSpan, KeyValue

JsonValue = str | bool | int | float | list["JsonValue"] | dict[str, "JsonValue"] | None
_Enum = TypeVar("_Enum", bound=IntEnum)


class Problem(NamedTuple):
    """Why something cannot be read.

    Attributes:
        reason: What is wrong, and where in the line.
        mend: What to do about it.
    """

    reason: str
    mend: str


class UnreadableError(ValueError):
    """A line, or a span of it, that cannot be read.

    Attributes:
        problem: Why.
    """

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.problem = Problem(reason, mend)


@dataclass
class Decoded:
    """Content of one line.

    Attributes:
        spans: The spans that can be read.
        skipped: How many cannot.
        problems: Why, for the first of these.
    """

    spans: list[Span] = field(default_factory=list)
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)


MAX_PROBLEMS: Final = 20
"""Most problems of one line that are named one by one."""
_MAX_DEPTH: Final = 32
"""Deepest value that is read."""

_AS_OTLP: Final = "Write it by the OTLP JSON mapping, as the Collector's file exporter does."
_AS_HEX: Final = "Write IDs in hex, as the OTLP JSON mapping says; protobuf's own JSON mapping writes base64."
_TOO_DEEP: Final = ("is nested too deeply", _AS_OTLP)
_WHOLE_LINES: Final = (
    "Each line must be one whole ExportTraceServiceRequest. "
    "A last line that is cut off belongs to a writer that was stopped: export again."
)


def decode_request(line: bytes) -> Decoded:
    """Read one ``ExportTraceServiceRequest``.

    Raises:
        UnreadableError: When nothing of it can be read.
    """
    try:
        request = REQUEST.decode(line)
    except msgspec.ValidationError as error:
        raise UnreadableError(f"is not an ExportTraceServiceRequest: {error}", _AS_OTLP) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"is not JSON: {error}", _WHOLE_LINES) from None
    except RecursionError:
        raise UnreadableError(*_TOO_DEEP) from None
    if isinstance(request.resource_spans, msgspec.UnsetType):
        raise UnreadableError("has no resourceSpans", "Only traces are read; give a file of spans. " + _AS_OTLP)
    decoded = Decoded()
    for r, resource_spans in enumerate(request.resource_spans):
        resource = _attributes(resource_spans.resource.attributes) if resource_spans.resource else {}
        for s, scope_spans in enumerate(resource_spans.scope_spans or ()):
            scope = scope_spans.scope.name if scope_spans.scope else ""
            for n, raw in enumerate(scope_spans.spans or ()):
                _read(raw, resource, scope, f"resourceSpans[{r}].scopeSpans[{s}].spans[{n}]", decoded)
    return decoded


def _read(raw: msgspec.Raw, resource: Attributes, scope: str, where: str, decoded: Decoded) -> None:
    try:
        decoded.spans.append(_span(raw, resource, scope))
    except UnreadableError as error:
        decoded.skipped += 1
        if decoded.skipped <= MAX_PROBLEMS:
            decoded.problems.append(Problem(f"{where}: {error.problem.reason}", error.problem.mend))


def _span(raw: msgspec.Raw, resource: Attributes, scope: str) -> Span:
    try:
        span = SPAN.decode(raw)
        return Span(
            trace_id=_id(span.trace_id, 16, "traceId"),
            span_id=_id(span.span_id, 8, "spanId"),
            parent_id=_id(span.parent_span_id, 8, "parentSpanId") if span.parent_span_id.strip("0") else None,
            name=span.name,
            kind=_member(span.kind, KINDS, "kind"),
            start=_time(span.start_time_unix_nano, "startTimeUnixNano"),
            end=_time(span.end_time_unix_nano, "endTimeUnixNano") or None,
            attributes=_attributes(span.attributes),
            status=_member(span.status.code, CODES, "status.code") if span.status else StatusCode.UNSET,
            status_message=span.status.message if span.status else "",
            events=tuple(_events(span)),
            links=tuple(_links(span)),
            resource=resource,
            scope=scope,
        )
    except msgspec.ValidationError as error:
        raise UnreadableError(str(error), _AS_OTLP) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"is not JSON: {error}", _AS_OTLP) from None
    except RecursionError:
        raise UnreadableError(*_TOO_DEEP) from None


def _events(span: JsonSpan) -> Iterator[Event]:
    for event in span.events or ():
        time = _time(event.time_unix_nano, "events[].timeUnixNano")
        yield Event(event.name, time, _attributes(event.attributes))


def _links(span: JsonSpan) -> Iterator[Link]:
    for link in span.links or ():
        trace_id = _id(link.trace_id, 16, "links[].traceId")
        yield Link(trace_id, _id(link.span_id, 8, "links[].spanId"), _attributes(link.attributes))


def _id(text: str, size: int, field: str) -> int:
    if len(text) == 2 * size:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            data = b""
        if len(data) == size and any(data):
            return int.from_bytes(data, "big")
    if not text.strip("0"):
        raise UnreadableError(f"{field} is missing", _AS_OTLP)
    if _is_base64(text, size):
        raise UnreadableError(f"{field} {text!a} is base64", _AS_HEX)
    raise UnreadableError(f"{field} {text[:40]!a} is not {2 * size} hex digits", _AS_HEX)


def _is_base64(text: str, size: int) -> bool:
    try:
        return len(b64decode(text, validate=True)) == size
    except (binascii.Error, ValueError):
        return False


def _time(value: int, field: str) -> int:
    if value != unix_nano(value):
        raise UnreadableError(f"{field} {value} is not a time in ns since the epoch", _AS_OTLP)
    return value


def _member(value: int | str, members: Mapping[int | str, _Enum], name: str) -> _Enum:
    if value not in members:
        raise UnreadableError(f"{name} {str(value)[:40]!a} is unknown", _AS_OTLP)
    return members[value]


def _attributes(pairs: list[KeyValue] | None) -> Attributes:
    values = [(pair.key, _value(pair.value)) for pair in pairs or () if pair.value is not None]
    return {key: value for key, value in values if value is not None}


def _value(value: AnyValue) -> AttributeValue | None:
    """An attribute's value; None where it is empty.

    What the span model cannot hold (bytes, maps, arrays of anything but text) becomes text as OpenTelemetry shows it to
    protocols without such types: base64 or JSON.
    """
    plain = _plain(value, _MAX_DEPTH)
    if isinstance(plain, list):
        texts = tuple(item for item in plain if isinstance(item, str))
        return texts if len(texts) == len(plain) else msgspec.json.encode(plain).decode()
    return msgspec.json.encode(plain).decode() if isinstance(plain, dict) else plain


def _plain(value: AnyValue | None, depth: int) -> JsonValue:
    if depth < 0:
        raise UnreadableError(*_TOO_DEEP)
    if value is None:
        return None
    for scalar in (value.string_value, value.bool_value, value.int_value, value.double_value, value.bytes_value):
        if not isinstance(scalar, msgspec.UnsetType):
            return scalar
    if not isinstance(value.array_value, msgspec.UnsetType):
        return [_plain(item, depth - 1) for item in value.array_value.values or ()]
    if not isinstance(value.kvlist_value, msgspec.UnsetType):
        return {pair.key: _plain(pair.value, depth - 1) for pair in value.kvlist_value.values or ()}
    return None

"""What does a line of OTLP/JSON look like?

Fields that we do not know are ignored, absent ones have their zero values, and numbers may be strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tracing.spans.model import SpanKind, StatusCode


class AnyValue(msgspec.Struct, rename="camel"):
    """A value: the field of its type is set; none where it is empty."""

    string_value: str | msgspec.UnsetType = msgspec.UNSET
    bool_value: bool | msgspec.UnsetType = msgspec.UNSET
    int_value: int | msgspec.UnsetType = msgspec.UNSET
    double_value: float | msgspec.UnsetType = msgspec.UNSET
    array_value: Values | msgspec.UnsetType = msgspec.UNSET
    kvlist_value: KeyValues | msgspec.UnsetType = msgspec.UNSET
    bytes_value: str | msgspec.UnsetType = msgspec.UNSET


class KeyValue(msgspec.Struct):
    """An attribute."""

    key: str = ""
    value: AnyValue | None = None


class Values(msgspec.Struct):
    """The values of an array."""

    values: list[AnyValue] | None = None


class KeyValues(msgspec.Struct):
    """The values of a map."""

    values: list[KeyValue] | None = None


class JsonEvent(msgspec.Struct, rename="camel"):
    """An event of a span."""

    time_unix_nano: int = 0
    name: str = ""
    attributes: list[KeyValue] | None = None


class JsonLink(msgspec.Struct, rename="camel"):
    """A link of a span."""

    trace_id: str = ""
    span_id: str = ""
    attributes: list[KeyValue] | None = None


class JsonStatus(msgspec.Struct):
    """How what a span stands for has ended."""

    message: str = ""
    code: int | str = 0


class JsonSpan(msgspec.Struct, rename="camel"):
    """A span."""

    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    attributes: list[KeyValue] | None = None
    events: list[JsonEvent] | None = None
    links: list[JsonLink] | None = None
    status: JsonStatus | None = None


class JsonResource(msgspec.Struct):
    """What made the spans: a service, a process."""

    attributes: list[KeyValue] | None = None


class JsonScope(msgspec.Struct):
    """Which instrumentation made the spans."""

    name: str = ""


class ScopeSpans(msgspec.Struct):
    """Spans of one scope, each still to be decoded, so that one that is broken costs no other."""

    scope: JsonScope | None = None
    spans: list[msgspec.Raw] | None = None


class ResourceSpans(msgspec.Struct, rename="camel"):
    """Spans of one resource."""

    resource: JsonResource | None = None
    scope_spans: list[ScopeSpans] | None = None


class Request(msgspec.Struct, rename="camel"):
    """A line."""

    resource_spans: list[ResourceSpans] | msgspec.UnsetType = msgspec.UNSET


REQUEST: Final = msgspec.json.Decoder(Request, strict=False)
SPAN: Final = msgspec.json.Decoder(JsonSpan, strict=False)

# By number, as the OTLP JSON mapping says, and by the forms that other writers use.
KINDS: Final[Mapping[int | str, SpanKind]] = {
    0: SpanKind.INTERNAL,  # unspecified
    "SPAN_KIND_UNSPECIFIED": SpanKind.INTERNAL,
    **{form: kind for kind in SpanKind for form in (int(kind), str(int(kind)), f"SPAN_KIND_{kind.name}")},
}
CODES: Final[Mapping[int | str, StatusCode]] = {
    form: code for code in StatusCode for form in (int(code), str(int(code)), f"STATUS_CODE_{code.name}")
}

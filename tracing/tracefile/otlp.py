"""What does OTLP make of a span, whatever the encoding: its groups, and the values that it can hold?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final, TypeVar

from msgspec.structs import replace

from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Event, Link, Span

Item = TypeVar("Item")

_RESOURCE: Final = attrgetter("resource")
_SCOPE: Final = attrgetter("scope")
_INT64: Final = range(-(2**63), 2**63)
_FIXED64: Final = range(2**64)


def grouped(
    spans: Sequence[Span], items: Sequence[Item]
) -> list[tuple[Mapping[str, AttributeValue], dict[str, list[Item]]]]:
    """Group what was made of each span by resource, then by scope, in order of first appearance.

    Args:
        spans: Spans.
        items: What was made of each, in the same order.

    Returns:
        Each resource's attributes, with its items by name of scope.
    """
    if len(set(map(id, map(_RESOURCE, spans)))) == 1 and len(set(map(_SCOPE, spans))) == 1:  # as of most runs
        return [(spans[0].resource, {spans[0].scope: list(items)})]
    groups: dict[object, tuple[Mapping[str, AttributeValue], dict[str, list[Item]]]] = {}
    # By identity of the resource: most spans share one mapping, and `spans` keeps it alive.
    lists: dict[tuple[int, str], list[Item]] = {}
    for span, item in zip(spans, items, strict=True):
        resource, scope = span.resource, span.scope
        members = lists.get((id(resource), scope))
        if members is None:
            # With types, for True and 1 are equal but not the same attribute.
            key = tuple(sorted((name, type(value).__name__, value) for name, value in resource.items()))
            _, scopes = groups.setdefault(key, (resource, {}))
            members = lists[id(resource), scope] = scopes.setdefault(scope, [])
        members.append(item)
    return list(groups.values())


def mended(span: Span) -> Span:
    """A span whose texts UTF-8 can hold: surrogates that stand alone become U+FFFD.

    Histories come as JSON, where a single surrogate can be written; in OTLP it cannot.
    """
    return replace(
        span,
        name=_text(span.name),
        attributes=_attributes(span.attributes),
        status_message=_text(span.status_message),
        events=tuple(Event(_text(e.name), e.time, _attributes(e.attributes)) for e in span.events),
        links=tuple(Link(link.trace_id, link.span_id, _attributes(link.attributes)) for link in span.links),
        resource=_attributes(span.resource),
        scope=_text(span.scope),
    )


def _attributes(attributes: Mapping[str, AttributeValue]) -> Attributes:
    return {_text(key): _value(value) for key, value in attributes.items()}


def _value(value: AttributeValue) -> AttributeValue:
    if isinstance(value, tuple):
        return tuple(_text(item) for item in value)
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def fits(value: int) -> bool:
    """Whether an integer is one of OTLP's 64-bit integers; others are written as text."""
    return value in _INT64


def unix_nano(time: int) -> int:
    """A time in ns since the epoch as OTLP holds it; 0, which means unknown, where it cannot."""
    return time if time in _FIXED64 else 0

"""What does the page show of a span when a reader opens its row?

Every text is ready to be shown: the page's script only puts it in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tracing import conventions as c
from tracing.report.messages import Message, conversation, pretty
from tracing.report.text import duration, instant, visible
from tracing.report.waterfall import Row
from tracing.runs import AttributeValue
from tracing.spans.model import NS_PER_S, Link, Span
from tracing.usage import is_model_call

_PANELS: Final = ((c.INPUT_VALUE, "Input"), (c.OUTPUT_VALUE, "Output"))
_SHOWN_ABOVE: Final = frozenset({c.INPUT_VALUE, c.INPUT_MIME, c.OUTPUT_VALUE, c.OUTPUT_MIME})
_CONVERSATION: Final = frozenset({c.SYSTEM_INSTRUCTIONS, c.INPUT_MESSAGES, c.OUTPUT_MESSAGES})

Listed = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """An event: its name, its time after the span's start, its attributes, its stack trace ("" without one)."""

    name: str
    at: str
    attributes: Listed
    stacktrace: str


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A link: what it points to, the row of that span where it is on the page, its attributes."""

    target: str
    row: str | None
    attributes: Listed


@dataclass(frozen=True, slots=True)
class SpanDetails:
    """One span in full.

    Attributes:
        facts: Identity and times, each with its name.
        parent: Row of the parent; None where it is not on the page.
        error: Description of the error; "" where there is none.
        conversation: Messages of a model call.
        panels: Input and output, each with its title; they stand behind the conversation where there is one.
        events: Events.
        links: Links.
        attributes: Attributes that not all spans of the trace share.
        resource: Position in `TraceDetails.resources`.
    """

    facts: Listed
    parent: str | None
    error: str
    conversation: tuple[Message, ...]
    panels: Listed
    events: list[SpanEvent]
    links: list[SpanLink]
    attributes: Listed
    resource: int


@dataclass(frozen=True, slots=True)
class TraceDetails:
    """The spans of a trace in the order of their rows; what they share stands once."""

    common: Listed
    resources: list[Listed]
    spans: list[SpanDetails]


RowIds = Mapping[tuple[int, int], str]
"""Rows of the page by trace ID and span ID."""


def trace_details(rows: Sequence[Row], row_ids: RowIds) -> TraceDetails:
    """The details of a trace's spans.

    Args:
        rows: The trace's rows.
        row_ids: All rows of the page, that links can lead to.
    """
    common = _common([row.span for row in rows])
    resources: dict[tuple[tuple[str, str], ...], int] = {}
    spans = []
    for row in rows:
        resource = resources.setdefault(tuple(_listed(row.span.resource)), len(resources))
        spans.append(_details(row, common, row_ids, resource))
    return TraceDetails(_listed(common), [list(resource) for resource in resources], spans)


def _common(spans: Sequence[Span]) -> dict[str, AttributeValue]:
    if len(spans) == 1:
        return {}
    shared = dict(spans[0].attributes)
    for span in spans:
        shared = {key: value for key, value in shared.items() if span.attributes.get(key) == value}
    return {key: value for key, value in shared.items() if key not in _SHOWN_ABOVE | _CONVERSATION}


def _details(row: Row, common: Mapping[str, AttributeValue], row_ids: RowIds, resource: int) -> SpanDetails:
    span = row.span
    said = conversation(span.attributes) if is_model_call(span.attributes) else ()
    hidden = _SHOWN_ABOVE | common.keys() | (_CONVERSATION if said else frozenset())
    return SpanDetails(
        facts=_facts(row),
        parent=None if span.parent_id is None else row_ids.get((span.trace_id, span.parent_id)),
        error=visible(span.status_message),
        conversation=said,
        panels=[(title, pretty(span.attributes[key])) for key, title in _PANELS if span.attributes.get(key, "") != ""],
        events=[_event(event.name, event.time - span.start, event.attributes) for event in span.events],
        links=[_link(link, row_ids) for link in span.links],
        attributes=_listed({key: value for key, value in span.attributes.items() if key not in hidden}),
        resource=resource,
    )


def _facts(row: Row) -> Listed:
    span = row.span
    facts = [("Status", span.status.name.lower()), ("Kind", span.kind.name.lower()), ("Started", instant(span.start))]
    facts.append(("Ended", "open" if span.end is None else instant(span.end)))
    facts.append(("Took", row.duration))
    if row.queue:
        facts.append(("Queued", duration(row.queued)))
    facts += [
        ("Span ID", f"{span.span_id:016x}"),
        ("Parent", "none" if span.parent_id is None else f"{span.parent_id:016x}"),
        ("Trace ID", f"{span.trace_id:032x}"),
    ]
    if span.scope:
        facts.append(("Scope", visible(span.scope)))
    return facts


def _event(name: str, after: int, attributes: Mapping[str, AttributeValue]) -> SpanEvent:
    stacktrace = attributes.get(c.EXCEPTION_STACKTRACE)
    listed = {key: value for key, value in attributes.items() if key != c.EXCEPTION_STACKTRACE}
    seconds = f"{after / NS_PER_S:+.3f} s"
    return SpanEvent(visible(name), seconds, _listed(listed), "" if stacktrace is None else pretty(stacktrace))


def _link(link: Link, row_ids: RowIds) -> SpanLink:
    return SpanLink(
        f"trace {link.trace_id:032x}, span {link.span_id:016x}",
        row_ids.get((link.trace_id, link.span_id)),
        _listed(link.attributes),
    )


def _listed(attributes: Mapping[str, AttributeValue]) -> Listed:
    return [(visible(key), _written(value)) for key, value in sorted(attributes.items())]


def _written(value: AttributeValue) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return pretty(value) if value[:1] in {"{", "["} else visible(value)
        case tuple():
            return visible(", ".join(map(str, value)))
    return visible(value)

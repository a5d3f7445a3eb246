"""What does the page show of a span when a reader opens its row?

Every text is ready to be shown, and named by its number: the page's script (`panel.js` reads these lists) only puts it
in place. It reads them when the first row is opened or searched for, not when the page opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tracing import conventions as c
from tracing.cost.step_account import SpanKey
from tracing.report.messages import conversation, pretty
from tracing.report.strings import Strings
from tracing.report.text import visible
from tracing.runs import AttributeValue
from tracing.spans.model import NS_PER_US, Event, Link, Span
from tracing.usage import is_model_call

_PANELS: Final = ((c.INPUT_VALUE, "Input"), (c.OUTPUT_VALUE, "Output"))
_SHOWN_ABOVE: Final = frozenset({c.INPUT_VALUE, c.INPUT_MIME, c.OUTPUT_VALUE, c.OUTPUT_MIME})
_CONVERSATION: Final = frozenset({c.SYSTEM_INSTRUCTIONS, c.INPUT_MESSAGES, c.OUTPUT_MESSAGES})

Pairs = list[int]
"""Names and values by number, taking turns."""


class SpanDetails(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One span in full.

    Attributes:
        status: Status by number.
        kind: Kind by number.
        scope: Instrumentation scope by number.
        parent_id: Parent's span ID in hex where it is not on the page, by number; None else.
        error: Description of the error by number; None where there is none.
        messages: Messages of a model call: role, finish reason, and parts (label and text).
        panels: Titles and texts of input and output; they stand behind the messages where there are any.
        events: Name, µs after the span's start, attributes, stack trace.
        links: Trace ID and span ID, the row of that span where it is on the page, attributes.
        attributes: Attributes that not all spans of the trace share.
        resource: Position in `TraceDetails.resources`.
    """

    status: int
    kind: int
    scope: int
    parent_id: int | None
    error: int | None
    messages: list[tuple[int, int, Pairs]]
    panels: Pairs
    events: list[tuple[int, int, Pairs, int | None]]
    links: list[tuple[int, int, int | None, Pairs]]
    attributes: Pairs
    resource: int


class TraceDetails(msgspec.Struct, frozen=True):
    """The spans of a trace in the order of their rows; what they share stands once."""

    common: Pairs
    resources: list[Pairs]
    spans: list[SpanDetails]


def trace_details(spans: Sequence[Span], row_numbers: Mapping[SpanKey, int], strings: Strings) -> TraceDetails:
    """The details of a trace's spans.

    Args:
        spans: The spans in the order of their rows.
        row_numbers: The rows of the whole page, that links can lead to.
        strings: Where texts are kept.
    """
    writer = _Writer(row_numbers, strings, _common(spans))
    details = [writer.details(span) for span in spans]
    return TraceDetails(writer.pairs(writer.common), [list(each) for each in writer.resources], details)


def _common(spans: Sequence[Span]) -> dict[str, AttributeValue]:
    if len(spans) == 1:
        return {}
    shared = dict(spans[0].attributes)
    for span in spans:
        shared = {key: value for key, value in shared.items() if span.attributes.get(key) == value}
    return {key: value for key, value in shared.items() if key not in _SHOWN_ABOVE | _CONVERSATION}


class _Writer:
    def __init__(
        self, row_numbers: Mapping[SpanKey, int], strings: Strings, common: Mapping[str, AttributeValue]
    ) -> None:
        self.common = common
        self.resources: dict[tuple[int, ...], int] = {}
        self._row_numbers = row_numbers
        self._strings = strings

    def details(self, span: Span) -> SpanDetails:
        said = self._messages(span) if is_model_call(span.attributes) else []
        hidden = _SHOWN_ABOVE | self.common.keys() | (_CONVERSATION if said else frozenset())
        parent = span.parent_id
        lost = parent is not None and (span.trace_id, parent) not in self._row_numbers
        return SpanDetails(
            status=self._text(span.status.name.lower()),
            kind=self._text(span.kind.name.lower()),
            scope=self._text(visible(span.scope)),
            parent_id=self._text(f"{parent:016x}") if lost else None,
            error=self._text(visible(span.status_message)) if span.status_message else None,
            messages=said,
            panels=self._strings.numbers(
                text
                for key, title in _PANELS
                if span.attributes.get(key, "") != ""
                for text in (title, pretty(span.attributes[key]))
            ),
            events=[self._event(event, span.start) for event in span.events],
            links=[self._link(link) for link in span.links],
            attributes=self.pairs({key: value for key, value in span.attributes.items() if key not in hidden}),
            resource=self.resources.setdefault(tuple(self.pairs(span.resource)), len(self.resources)),
        )

    def pairs(self, attributes: Mapping[str, AttributeValue]) -> Pairs:
        return self._strings.numbers(
            text for key, value in sorted(attributes.items()) for text in (visible(key), _written(value))
        )

    def _text(self, text: str) -> int:
        return self._strings.number(text)

    def _messages(self, span: Span) -> list[tuple[int, int, Pairs]]:
        return [
            (
                self._text(message.role),
                self._text(message.finish_reason),
                self._strings.numbers(text for part in message.parts for text in (part.label, part.text)),
            )
            for message in conversation(span.attributes)
        ]

    def _event(self, event: Event, start: int) -> tuple[int, int, Pairs, int | None]:
        stacktrace = event.attributes.get(c.EXCEPTION_STACKTRACE)
        listed = {key: value for key, value in event.attributes.items() if key != c.EXCEPTION_STACKTRACE}
        trace = None if stacktrace is None else self._text(pretty(stacktrace))
        return self._text(visible(event.name)), (event.time - start) // NS_PER_US, self.pairs(listed), trace

    def _link(self, link: Link) -> tuple[int, int, int | None, Pairs]:
        row = self._row_numbers.get((link.trace_id, link.span_id))
        trace_id, span_id = self._strings.numbers((f"{link.trace_id:032x}", f"{link.span_id:016x}"))
        return trace_id, span_id, row, self.pairs(link.attributes)


def _written(value: AttributeValue) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return pretty(value)
        case tuple():
            return pretty(", ".join(map(str, value)))
    return visible(value)

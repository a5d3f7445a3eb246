"""What does a ledger keep of an inner span, and what of it does a reader believe?

Both ways attributes are allow-listed by the same keys: a ledger comes back from outside.
"""

from __future__ import annotations

import math

from tracing import conventions as c
from tracing.ledger import MAX_INT, LedgerEvent, LedgerSpan, Scalar
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Event, Span


def ledger_span(span: Span, attempt_span_id: int, *, content: bool) -> LedgerSpan:
    """What the ledger keeps of an inner span."""
    return LedgerSpan(
        span_id=f"{span.span_id:016x}",
        parent_id="" if span.parent_id in {None, attempt_span_id} else f"{span.parent_id:016x}",
        name=span.name,
        kind=span.kind.value,
        start=span.start,
        end=span.end if span.end is not None else span.start,
        status=span.status.value,
        status_message=span.status_message if content else "",
        attributes=_allowed(span.attributes, content=content),
        events=[LedgerEvent(e.name, e.time, _allowed_event(e.attributes, content=content)) for e in span.events],
        scope=span.scope,
    )


def inner_span_fields(
    recorded: LedgerSpan, attempt_span_id: int
) -> tuple[int, int, Attributes, tuple[Event, ...]] | None:
    """Span ID, parent ID, attributes and events of a recorded span; None where its IDs or times are none."""
    try:
        span_id = int(recorded.span_id, 16)
        parent_id = int(recorded.parent_id, 16) if recorded.parent_id else attempt_span_id
    except ValueError:
        return None
    times = (recorded.start, recorded.end, *(event.time for event in recorded.events))
    if not 0 < span_id < 1 << 64 or not 0 < parent_id < 1 << 64 or not all(0 <= time <= MAX_INT for time in times):
        return None
    attributes = _allowed(recorded.attributes, content=True)
    events = tuple(
        Event(e.name, e.time, _attributes(_allowed_event(e.attributes, content=True))) for e in recorded.events
    )
    return span_id, parent_id, _attributes(attributes), events


def _attributes(values: dict[str, Scalar]) -> Attributes:
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
        if not isinstance(value, int) or -MAX_INT <= value <= MAX_INT
    }


def _allowed(attributes: Attributes | dict[str, Scalar], *, content: bool) -> dict[str, Scalar]:
    return {
        key: _scalar(value)
        for key, value in attributes.items()
        if key.startswith(c.LEDGER_KEY_PREFIXES)
        and key != c.CONVERSATION_ID
        and (content or not c.is_content(key))
        and _is_json(value)
    }


def _allowed_event(attributes: Attributes | dict[str, Scalar], *, content: bool) -> dict[str, Scalar]:
    return {
        key: _scalar(value)
        for key, value in attributes.items()
        if key == c.EXCEPTION_TYPE
        or (content and key in {c.EXCEPTION_MESSAGE, c.EXCEPTION_STACKTRACE})
        or (key.startswith(c.LEDGER_KEY_PREFIXES) and (content or not c.is_content(key)) and _is_json(value))
    }


def _is_json(value: AttributeValue | list[str]) -> bool:
    """Whether JSON has it: a ledger with a number that is none (a score of NaN) could not be read at all."""
    return not isinstance(value, float) or math.isfinite(value)


def _scalar(value: AttributeValue | list[str]) -> Scalar:
    return list(value) if isinstance(value, tuple) else value

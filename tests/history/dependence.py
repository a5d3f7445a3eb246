"""Which spans depend on an event, so that damage to it may change them? All others must stay as they are.

On an event depend:

- the run's span, which names what has no span of its own, and what was lost;
- the spans that name it in ``temporal.event_ids``, and what is below them;
- the spans of steps that share a key with one of these: the nth use of an ID is the nth, the nth call the nth;
- where it closes the run: the steps that are open at its end.

Some events say what others only refer to, and then less is compared: of a workflow task's, nothing that has the task's
times; of one with a header, no service. On the start of the run, and on the marker of a reset, all depends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tests.history.spans_of_events import event_ids
from tracing import conventions as c
from tracing.history import History
from tracing.history.attributes.workflow import WorkflowTaskFailed
from tracing.history.events import Event
from tracing.history.markers import LOCAL_ACTIVITY_MARKERS
from tracing.history.resets import last_reset
from tracing.spans.model import Span

Facts = dict[int, dict[str, object]]

_CLOSING: Final = "WorkflowExecution"


def of_a_task(event: Event) -> bool:
    """Whether steps take their times from an event, or from what it says of a task."""
    marker = getattr(event.attributes, "marker_name", "")
    return (
        event.type.startswith("WorkflowTask")
        or event.type == "WorkflowExecutionUpdateAccepted"
        or marker in LOCAL_ACTIVITY_MARKERS
    )


def independent(
    before: tuple[History, Sequence[Span]], after: tuple[History, Sequence[Span]], ids: set[int]
) -> tuple[Facts, Facts] | None:
    """Facts of the spans that do not depend on some events, by span ID, before and after these were damaged.

    Returns:
        None where all depends on them.
    """
    events = [event for history, _ in (before, after) for event in history.events if event.id in ids]
    resets = [last_reset(history.events) for history, _ in (before, after)]
    if 1 in ids or resets[0] != resets[1] or any(_is_reset(event) for event in events):
        return None
    closing = any(event.type.startswith(_CLOSING) for event in events)
    timeless = any(of_a_task(event) for event in events)
    groups = {
        group for _, spans in (before, after) for span in spans if event_ids(span) & ids for group in _groups(span)
    }
    dependent = set[int]()
    for _, spans in (before, after):
        run = spans[0].span_id
        direct = {
            span.span_id
            for span in spans[1:]
            if event_ids(span) & ids
            or groups & set(_groups(span))
            or (closing and c.UNCLOSED in span.attributes)
            or (timeless and span.name.startswith("HandleSignal:"))
        }
        dependent |= {run} | direct | _below(spans, direct)
    first, second = (
        {
            span.span_id: _facts(span, timeless=timeless, resource=not _has_header(events))
            for span in spans
            if span.span_id not in dependent
        }
        for _, spans in (before, after)
    )
    return first, second


def _has_header(events: Iterable[Event]) -> bool:
    return any(getattr(event.attributes, "header", None) is not None for event in events)


def _is_reset(event: Event) -> bool:
    return isinstance(event.attributes, WorkflowTaskFailed) and bool(event.attributes.base_run_id)


def _groups(span: Span) -> list[tuple[str, object]]:
    """What a span's step is counted by."""
    kind = span.name.partition(":")[0]
    keys = (c.ACTIVITY_ID, c.TARGET_WORKFLOW_ID)
    found: list[tuple[str, object]] = [(key, span.attributes[key]) for key in keys if key in span.attributes]
    if c.LOCAL in span.attributes:
        found.append(("local", span.name))
    if kind.startswith("Signal"):
        found.append(("call", "Signal"))
    elif kind in {c.REQUEST_CANCEL_EXTERNAL, "StartNexusOperation"}:
        found.append(("call", kind))
    return found


def _below(spans: Sequence[Span], parents: set[int]) -> set[int]:
    """All spans below some."""
    below = set[int]()
    level = parents
    while level:
        level = {span.span_id for span in spans if span.parent_id in level} - below
        below |= level
    return below


def _facts(span: Span, *, timeless: bool, resource: bool) -> dict[str, object]:
    facts: dict[str, object] = {
        "parent": span.parent_id,
        "trace": span.trace_id,
        "name": span.name,
        "attributes": dict(span.attributes),
        "status": (span.status, span.status_message),
        "events": [event.attributes for event in span.events],
        "links": span.links,
    }
    if not timeless:
        facts |= {"times": (span.start, span.end), "event times": [event.time for event in span.events]}
    if resource:
        facts["resource"] = span.resource
    return facts

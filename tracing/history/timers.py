"""Which timers did a run set, and which spans do their events make?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracing.history.attributes.steps import TimerCanceled, TimerFired, TimerStarted
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.reuse import as_reused
from tracing.history.runs import RunContext
from tracing.spans.model import Span
from tracing.spans.timer import timer_span


@dataclass(slots=True)
class TimerEvents:
    """The events of one timer: what set it, and what ended it."""

    started: Event
    asked: TimerStarted
    ended: Event | None = None


def timers_of(events: Sequence[Event]) -> list[TimerEvents]:
    """The timers of a run, in the order they were set."""
    timers: dict[int, TimerEvents] = {}
    for event in events:
        if isinstance(event.attributes, TimerStarted):
            timers[event.id] = TimerEvents(event, event.attributes)
        elif isinstance(event.attributes, (TimerFired, TimerCanceled)):
            timer = timers.get(event.attributes.started_event_id)
            if timer is not None and timer.ended is None:
                timer.ended = event
    return list(timers.values())


def timer_spans(context: RunContext, timer: TimerEvents) -> list[Span]:
    """Build the span of a timer."""
    ended = timer.ended
    span = timer_span(
        context.run,
        timer.asked.timer_id,
        start=context.tasks.issued_at(timer.asked.workflow_task_completed_event_id, timer.started),
        end=ended.time if ended is not None else None,
        timeout=timer.asked.start_to_fire_timeout,
        canceled=ended is not None and isinstance(ended.attributes, TimerCanceled),
    )
    if context.reused(ended.id if ended is not None else None):
        span = as_reused(span, context.base, "timer", timer.asked.timer_id)
    return [with_event_ids(span, [timer.started.id, *([ended.id] if ended is not None else [])])]

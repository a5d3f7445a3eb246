"""Which timers did a run set, and which spans do their events make?"""

from __future__ import annotations

from tracing.history.attributes.steps import TimerCanceled, TimerFired, TimerStarted
from tracing.history.by_kind import EventsByKind
from tracing.history.runs import RunContext
from tracing.history.step_events import StepEvents, finished, still_open
from tracing.identity import step_span_id
from tracing.spans.model import Span
from tracing.spans.step import Outcome
from tracing.spans.timer import timer_span
from tracing.spans.wait import Wait
from tracing.waits import is_waiting_for_person

TimerEvents = StepEvents[TimerStarted]
"""The events of one timer."""


def timers_of(events: EventsByKind) -> list[TimerEvents]:
    """The timers of a run, in the order they were set."""
    timers: dict[int, TimerEvents] = {}
    for event in events.of(TimerStarted, TimerFired, TimerCanceled):
        if isinstance(event.attributes, TimerStarted):
            timers[event.id] = StepEvents(event, event.attributes)
        elif isinstance(event.attributes, (TimerFired, TimerCanceled)):
            timer = timers.get(event.attributes.started_event_id)
            if timer is not None:
                timer.close(event)
    return list(timers.values())


def timer_spans(context: RunContext, timer: TimerEvents) -> list[Span]:
    """Build the span of a timer."""
    asked, closed = timer.asked, timer.closed
    span = timer_span(
        context.config,
        context.run,
        asked.timer_id,
        start=context.tasks.issued_at(asked.workflow_task_completed_event_id, timer.opened),
        outcome=still_open(context) if closed is None else Outcome(closed.time),
        timeout=asked.start_to_fire_timeout,
        canceled=closed is not None and isinstance(closed.attributes, TimerCanceled),
        summary=timer.opened.summary,
        wait=_wait(context, timer) if is_waiting_for_person(timer.opened.summary) else None,
    )
    return [finished(context, timer, span, lambda base: step_span_id(base.run_id, "timer", asked.timer_id))]


def _wait(context: RunContext, timer: TimerEvents) -> Wait:
    if timer.closed is None:
        return Wait()
    if isinstance(timer.closed.attributes, TimerFired):
        return context.answers.fired_by(timer.closed)
    return context.answers.canceled_by(timer.opened, timer.closed)

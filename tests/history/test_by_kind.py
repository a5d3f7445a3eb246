"""Events by kind."""

from __future__ import annotations

from tracing.history.attributes.steps import (
    ActivityTaskCompleted,
    ActivityTaskEvent,
    ActivityTaskScheduled,
    ActivityTaskStarted,
    TimerFired,
    TimerStarted,
)
from tracing.history.by_kind import EventsByKind
from tracing.history.events import Event

EVENTS = [
    Event(id=1, time=0, type="ActivityTaskScheduled", attributes=ActivityTaskScheduled()),
    Event(id=2, time=0, type="WorkflowTaskScheduled"),
    Event(id=3, time=0, type="ActivityTaskScheduled", attributes=ActivityTaskScheduled()),
    Event(id=4, time=0, type="ActivityTaskStarted", attributes=ActivityTaskStarted(scheduled_event_id=3)),
    Event(id=5, time=0, type="ActivityTaskCompleted", attributes=ActivityTaskCompleted(scheduled_event_id=3)),
    Event(id=6, time=0, type="ActivityTaskStarted", attributes=ActivityTaskStarted(scheduled_event_id=1)),
    Event(id=7, time=0, type="TimerStarted", attributes=TimerStarted()),
]


def test_events_of_several_kinds_come_in_the_order_of_their_ids() -> None:
    events = EventsByKind(EVENTS)
    assert [event.id for event in events.of(ActivityTaskStarted, ActivityTaskScheduled)] == [1, 3, 4, 6]
    assert [event.id for event in events.of(TimerStarted, TimerFired)] == [7]
    assert list(events.of(TimerFired)) == []


def test_a_kind_stands_for_all_that_are_derived_from_it() -> None:
    assert [event.id for event in EventsByKind(EVENTS).of(ActivityTaskEvent)] == [4, 5, 6]

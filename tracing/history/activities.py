"""Which activities did a run ask for, and how did each end?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tracing.failures import Failure, error_type
from tracing.headers import TraceHeader
from tracing.history.attributes.steps import (
    ActivityTaskCanceled,
    ActivityTaskCancelRequested,
    ActivityTaskCompleted,
    ActivityTaskEvent,
    ActivityTaskFailed,
    ActivityTaskScheduled,
    ActivityTaskStarted,
    ActivityTaskTimedOut,
)
from tracing.history.by_kind import EventsByKind
from tracing.history.enums import RETRY_STATES
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.headers import header_of
from tracing.history.pending import PendingActivity
from tracing.spans.step import Outcome

CANCELED: Final = Failure(
    kind="activity",
    type=error_type("activity", ""),
    retry_state="CANCEL_REQUESTED",  # as the SDK's core says it to workflow code
    cause=Failure(kind="canceled", type=error_type("canceled", "")),
)
"""Failure of a cancelled activity, as workflow code sees it."""

_CLOSING: Final = (ActivityTaskCompleted, ActivityTaskFailed, ActivityTaskTimedOut, ActivityTaskCanceled)


class ActivityEvents(msgspec.Struct, gc=False):  # in no cycle
    """The events of one activity.

    Attributes:
        scheduled: The event that opened it.
        asked: What it says.
        nth: Which use of its activity ID in the run, from 1.
        started: The event of its last attempt, written when that closed.
        attempt: What it says.
        closed: The event that closed the activity.
        cancel_requested: The workflow's wish to cancel it.
        header: Our header of the event that opened it.
        pending: How it stands, where a server told of it.
        ids: IDs of its events, first that of the one that opened it.
    """

    scheduled: Event
    asked: ActivityTaskScheduled
    nth: int
    started: Event | None = None
    attempt: ActivityTaskStarted | None = None
    closed: Event | None = None
    cancel_requested: Event | None = None
    header: TraceHeader | None = None
    pending: PendingActivity | None = None
    ids: list[int] = []

    @property
    def last_attempt(self) -> int:
        """Number of the last attempt, from 1; 0 where none was started."""
        return (self.attempt.attempt or 1) if self.attempt is not None else 0

    def outcome(self) -> Outcome | None:
        """How it ended; None where the history does not say."""
        if self.closed is None:
            return None
        attributes, end = self.closed.attributes, self.closed.time
        if isinstance(attributes, ActivityTaskCompleted):
            return Outcome(end, result=tuple(attributes.result or ()))
        if isinstance(attributes, (ActivityTaskFailed, ActivityTaskTimedOut)):
            cause = failure_of(attributes.failure)
            if attributes.failure is None and isinstance(attributes, ActivityTaskTimedOut):
                cause = Failure(kind="timeout", type=error_type("timeout", ""))
            state = RETRY_STATES.name(attributes.retry_state)
            return Outcome(end, failure=Failure("activity", error_type("activity", ""), retry_state=state, cause=cause))
        return Outcome(end, failure=CANCELED)


def activities_of(events: EventsByKind, pending: Sequence[PendingActivity] = ()) -> list[ActivityEvents]:
    """The activities of a run, in the order they were asked for.

    Args:
        events: The run's events.
        pending: What the server told of those that are open.
    """
    activities = _asked(events)
    # Of several events of a kind, the first is the activity's.
    for event in events.of(ActivityTaskStarted):
        activity, attempt = _asked_before(event, activities), event.attributes
        if activity is not None and activity.started is None and isinstance(attempt, ActivityTaskStarted):
            activity.started, activity.attempt = event, attempt
            activity.ids.append(event.id)
    for event in events.of(ActivityTaskCancelRequested):
        activity = _asked_before(event, activities)
        if activity is not None and activity.cancel_requested is None:
            activity.cancel_requested = event
            activity.ids.append(event.id)
    for event in events.of(*_CLOSING):
        activity = _asked_before(event, activities)
        if activity is not None and activity.closed is None:
            activity.closed = event
            activity.ids.append(event.id)
    if pending:
        # One activity of an ID can be open at a time; one that has closed meanwhile is pending no more.
        open_ = {activity.asked.activity_id: activity for activity in activities.values() if activity.closed is None}
        for described in pending:
            if described.activity_id in open_:
                open_[described.activity_id].pending = described
    return list(activities.values())


def _asked(events: EventsByKind) -> dict[int, ActivityEvents]:
    """The activities, by the IDs of the events that opened them."""
    activities: dict[int, ActivityEvents] = {}
    uses: dict[str, int] = {}
    for event in events.of(ActivityTaskScheduled):
        asked = event.attributes
        if isinstance(asked, ActivityTaskScheduled):
            nth = uses[asked.activity_id] = uses.get(asked.activity_id, 0) + 1
            activities[event.id] = ActivityEvents(event, asked, nth, header=header_of(asked.header), ids=[event.id])
    return activities


def _asked_before(event: Event, activities: Mapping[int, ActivityEvents]) -> ActivityEvents | None:
    """The activity that an event is one of."""
    attributes = event.attributes
    activity = activities.get(attributes.scheduled_event_id) if isinstance(attributes, ActivityTaskEvent) else None
    return activity if activity is not None and activity.scheduled.id < event.id else None

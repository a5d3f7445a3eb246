"""Which activities did a run ask for, and how did each end?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tracing.failures import Failure, error_type
from tracing.headers import TraceHeader
from tracing.history.attributes.steps import (
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

    @property
    def last_attempt(self) -> int:
        """Number of the last attempt, from 1; 0 where none was started."""
        return (self.attempt.attempt or 1) if self.attempt is not None else 0

    @property
    def ids(self) -> list[int]:
        """IDs of its events, first that of the one that opened it."""
        ids = [self.scheduled.id]
        if self.started is not None:
            ids.append(self.started.id)
        if self.closed is not None:
            ids.append(self.closed.id)
        if self.cancel_requested is not None:
            ids.append(self.cancel_requested.id)
        return ids

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

    def take(self, event: Event) -> None:
        """Add an event to the activity's; a second one of its kind is none of them."""
        attributes = event.attributes
        if isinstance(attributes, ActivityTaskStarted):
            if self.started is None:
                self.started, self.attempt = event, attributes
        elif isinstance(attributes, ActivityTaskCancelRequested):
            self.cancel_requested = self.cancel_requested or event
        else:
            self.closed = self.closed or event


def activities_of(events: EventsByKind, pending: Sequence[PendingActivity] = ()) -> list[ActivityEvents]:
    """The activities of a run, in the order they were asked for.

    Args:
        events: The run's events.
        pending: What the server told of those that are open.
    """
    activities: dict[int, ActivityEvents] = {}
    uses: dict[str, int] = {}
    for event in events.of(ActivityTaskScheduled, ActivityTaskEvent):
        attributes = event.attributes
        if isinstance(attributes, ActivityTaskScheduled):
            nth = uses[attributes.activity_id] = uses.get(attributes.activity_id, 0) + 1
            activities[event.id] = ActivityEvents(event, attributes, nth, header=header_of(attributes.header))
        elif isinstance(attributes, ActivityTaskEvent):
            activity = activities.get(attributes.scheduled_event_id)
            if activity is not None:
                activity.take(event)
    if pending:
        # One activity of an ID can be open at a time; one that has closed meanwhile is pending no more.
        open_ = {activity.asked.activity_id: activity for activity in activities.values() if activity.closed is None}
        for described in pending:
            if described.activity_id in open_:
                open_[described.activity_id].pending = described
    return list(activities.values())

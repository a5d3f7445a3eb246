"""Which activities did a run ask for, and how did each end?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tracing.failures import Failure, error_type
from tracing.history.attributes.steps import (
    ActivityTaskCancelRequested,
    ActivityTaskCompleted,
    ActivityTaskEvent,
    ActivityTaskFailed,
    ActivityTaskScheduled,
    ActivityTaskStarted,
    ActivityTaskTimedOut,
)
from tracing.history.enums import RETRY_STATES
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.values import Payloads

CANCELED: Final = Failure(
    kind="activity",
    type=error_type("activity", ""),
    retry_state="CANCEL_REQUESTED",  # as the SDK's core says it to workflow code
    cause=Failure(kind="canceled", type=error_type("canceled", "")),
)
"""Failure of a cancelled activity, as workflow code sees it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an activity ended.

    Attributes:
        end: When, in ns since the epoch.
        result: Its result; None where it failed.
        failure: Its failure, in the wrapper that workflow code sees.
    """

    end: int
    result: Payloads | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class ActivityEvents:
    """The events of one activity.

    Attributes:
        scheduled: The event that opened it.
        asked: What it says.
        nth: Which use of its activity ID in the run, from 1.
        started: The event of its last attempt, written when that closed.
        attempt: What it says.
        closed: The event that closed the activity.
        cancel_requested: The workflow's wish to cancel it.
        ids: IDs of its events.
    """

    scheduled: Event
    asked: ActivityTaskScheduled
    nth: int
    started: Event | None = None
    attempt: ActivityTaskStarted | None = None
    closed: Event | None = None
    cancel_requested: Event | None = None
    ids: list[int] = field(default_factory=list)

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
            return Outcome(end, result=attributes.result or Payloads())
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
            if self.started is not None:
                return
            self.started, self.attempt = event, attributes
        elif isinstance(attributes, ActivityTaskCancelRequested):
            if self.cancel_requested is not None:
                return
            self.cancel_requested = event
        else:
            if self.closed is not None:
                return
            self.closed = event
        self.ids.append(event.id)


def activities_of(events: Sequence[Event]) -> list[ActivityEvents]:
    """The activities of a run, in the order they were asked for."""
    activities: dict[int, ActivityEvents] = {}
    uses: Counter[str] = Counter()
    for event in events:
        attributes = event.attributes
        if isinstance(attributes, ActivityTaskScheduled):
            uses[attributes.activity_id] += 1
            activities[event.id] = ActivityEvents(event, attributes, uses[attributes.activity_id], ids=[event.id])
        elif isinstance(attributes, ActivityTaskEvent):
            activity = activities.get(attributes.scheduled_event_id)
            if activity is not None:
                activity.take(event)
    return list(activities.values())

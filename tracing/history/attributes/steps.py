"""What do the events of activities and timers say?"""

from __future__ import annotations

from tracing.history.attributes.messages import Attributes, Header, Named, RetryPolicy, WorkerVersion
from tracing.history.enums import Enum
from tracing.history.failures import FailureMessage
from tracing.history.values import Duration, Payloads


class ActivityTaskScheduled(Attributes, frozen=True):
    """The workflow asked for an activity."""

    activity_id: str = ""
    activity_type: Named | None = None
    task_queue: Named | None = None
    header: Header | None = None
    input: Payloads | None = None
    workflow_task_completed_event_id: int = 0
    retry_policy: RetryPolicy | None = None


class ActivityTaskEvent(Attributes, frozen=True):
    """What happened to an activity that was asked for."""

    scheduled_event_id: int = 0


class ActivityTaskStarted(ActivityTaskEvent, frozen=True):
    """The last attempt was started; written when it closed."""

    identity: str = ""
    attempt: int = 0
    last_failure: FailureMessage | None = None
    worker_version: WorkerVersion | None = None

    @property
    def build_id(self) -> str:
        """Build ID of the worker, or ""."""
        return self.worker_version.build_id if self.worker_version is not None else ""


class ActivityTaskCompleted(ActivityTaskEvent, frozen=True):
    """The activity returned."""

    result: Payloads | None = None


class ActivityTaskFailed(ActivityTaskEvent, frozen=True):
    """The activity failed and is not tried again."""

    failure: FailureMessage | None = None
    retry_state: Enum = 0


class ActivityTaskTimedOut(ActivityTaskEvent, frozen=True):
    """The activity took too long and is not tried again."""

    failure: FailureMessage | None = None
    retry_state: Enum = 0


class ActivityTaskCancelRequested(ActivityTaskEvent, frozen=True):
    """The workflow asked to cancel an activity."""


class ActivityTaskCanceled(ActivityTaskEvent, frozen=True):
    """The activity was cancelled."""


class TimerStarted(Attributes, frozen=True):
    """A timer was set."""

    timer_id: str = ""
    start_to_fire_timeout: Duration = Duration(0)
    workflow_task_completed_event_id: int = 0


class TimerFired(Attributes, frozen=True):
    """A timer fired."""

    started_event_id: int = 0


class TimerCanceled(Attributes, frozen=True):
    """A timer was cancelled."""

    started_event_id: int = 0

"""A recorded run, put together event by event."""

from __future__ import annotations

from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import (
    ActivityTaskCompletedEventAttributes,
    ActivityTaskScheduledEventAttributes,
    ActivityTaskStartedEventAttributes,
    HistoryEvent,
    WorkflowExecutionCompletedEventAttributes,
    WorkflowExecutionStartedEventAttributes,
    WorkflowTaskCompletedEventAttributes,
    WorkflowTaskScheduledEventAttributes,
    WorkflowTaskStartedEventAttributes,
)
from temporalio.api.sdk.v1 import WorkflowTaskCompletedMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import WorkflowHistory

BEGIN = 1_795_000_000
QUEUE = TaskQueue(name="research-agent-queue")
SDK = WorkflowTaskCompletedMetadata(core_used_flags=[1, 2, 3, 4], sdk_name="temporal-python", sdk_version="1.35.0")
"""What a worker says of itself. The first flag has replays check the types of activities."""


def research(*, activity_ids: tuple[str, str] = ("1", "2"), run_id: str = "run-1") -> WorkflowHistory:
    """The history of a run of `Research` with two activities, completed."""
    history = _History()
    history.add(
        "WORKFLOW_EXECUTION_STARTED",
        workflow_execution_started_event_attributes=WorkflowExecutionStartedEventAttributes(
            workflow_type=WorkflowType(name="Research"),
            workflow_id="research-1",
            task_queue=QUEUE,
            input=_payloads('"why?"'),
            original_execution_run_id=run_id,
            first_execution_run_id=run_id,
            attempt=1,
        ),
    )
    done = history.workflow_task()
    for activity_id, activity_type in zip(activity_ids, ("plan", "sum_up"), strict=True):
        history.activity(activity_id, activity_type, done)
        done = history.workflow_task()
    history.add(
        "WORKFLOW_EXECUTION_COMPLETED",
        workflow_execution_completed_event_attributes=WorkflowExecutionCompletedEventAttributes(
            result=_payloads('"sum_up"'), workflow_task_completed_event_id=done
        ),
    )
    return WorkflowHistory("research-1", history.events)


class _History:
    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []

    def add(self, event_type: str, **attributes: object) -> int:
        number = len(self.events) + 1
        event = HistoryEvent(event_id=number, event_type=EventType.Value(f"EVENT_TYPE_{event_type}"), **attributes)  # type: ignore[arg-type] # the one of many fields
        event.event_time.FromSeconds(BEGIN + number)
        self.events.append(event)
        return number

    def workflow_task(self) -> int:
        scheduled = self.add(
            "WORKFLOW_TASK_SCHEDULED",
            workflow_task_scheduled_event_attributes=WorkflowTaskScheduledEventAttributes(task_queue=QUEUE, attempt=1),
        )
        started = self.add(
            "WORKFLOW_TASK_STARTED",
            workflow_task_started_event_attributes=WorkflowTaskStartedEventAttributes(scheduled_event_id=scheduled),
        )
        return self.add(
            "WORKFLOW_TASK_COMPLETED",
            workflow_task_completed_event_attributes=WorkflowTaskCompletedEventAttributes(
                scheduled_event_id=scheduled, started_event_id=started, sdk_metadata=SDK
            ),
        )

    def activity(self, activity_id: str, activity_type: str, task: int) -> None:
        scheduled = self.add(
            "ACTIVITY_TASK_SCHEDULED",
            activity_task_scheduled_event_attributes=ActivityTaskScheduledEventAttributes(
                activity_id=activity_id,
                activity_type=ActivityType(name=activity_type),
                task_queue=QUEUE,
                workflow_task_completed_event_id=task,
            ),
        )
        started = self.add(
            "ACTIVITY_TASK_STARTED",
            activity_task_started_event_attributes=ActivityTaskStartedEventAttributes(
                scheduled_event_id=scheduled, attempt=1
            ),
        )
        self.add(
            "ACTIVITY_TASK_COMPLETED",
            activity_task_completed_event_attributes=ActivityTaskCompletedEventAttributes(
                scheduled_event_id=scheduled, started_event_id=started, result=_payloads(f'"{activity_type}"')
            ),
        )


def _payloads(text: str) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=text.encode())])

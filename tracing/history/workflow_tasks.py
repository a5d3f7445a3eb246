"""When did the workflow tasks of a run start that issued its steps, or were handed its signals?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tracing.history.attributes.workflow import WorkflowTaskCompleted
from tracing.history.events import Event


@dataclass(frozen=True, slots=True)
class WorkflowTask:
    """A workflow task that was done.

    Attributes:
        started_id: ID of its WORKFLOW_TASK_STARTED event.
        completed_id: ID of its WORKFLOW_TASK_COMPLETED event.
        time: When it started, in ns since the epoch: workflow time, as the workflow's code sees it.
        worker_identity: Worker that did it.
    """

    started_id: int
    completed_id: int
    time: int
    worker_identity: str


class WorkflowTasks:
    """The workflow tasks of a run that were done, in order. Failed and timed-out ones had no effect."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._tasks: list[WorkflowTask] = []
        started: dict[int, Event] = {}
        for event in events:
            if event.type == "WorkflowTaskStarted":
                started[event.id] = event
            elif isinstance(event.attributes, WorkflowTaskCompleted):
                start = started.get(event.attributes.started_event_id)
                if start is not None:
                    self._tasks.append(WorkflowTask(start.id, event.id, start.time, event.attributes.identity))
        self._by_completed = {task.completed_id: task for task in self._tasks}
        self._started_ids = [task.started_id for task in self._tasks]

    @property
    def last(self) -> WorkflowTask | None:
        """The last one."""
        return self._tasks[-1] if self._tasks else None

    def issued_at(self, completed_id: int, event: Event) -> int:
        """Start of the task that issued a step.

        Args:
            completed_id: The step's ``workflow_task_completed_event_id``.
            event: The event that opened the step: its time is taken where the task's events are missing.
        """
        task = self._by_completed.get(completed_id)
        return task.time if task is not None else event.time

    def after(self, event_id: int) -> WorkflowTask | None:
        """The first task done that started after an event, and so was handed it."""
        position = bisect_right(self._started_ids, event_id)
        return self._tasks[position] if position < len(self._tasks) else None

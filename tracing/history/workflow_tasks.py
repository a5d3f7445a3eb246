"""When did the workflow tasks of a run start that issued its steps, or were handed its signals?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from tracing.history.attributes.related import WorkflowExecutionUpdateAccepted
from tracing.history.attributes.workflow import MarkerRecorded, WorkflowTaskCompleted
from tracing.history.events import Event
from tracing.history.markers import LOCAL_ACTIVITY_MARKERS


class WorkflowTask(msgspec.Struct, frozen=True, gc=False):
    """A workflow task that was done.

    Attributes:
        started_id: ID of its WORKFLOW_TASK_STARTED event.
        completed_id: ID of its WORKFLOW_TASK_COMPLETED event.
        time: When it started, in ns since the epoch: workflow time, as the workflow's code sees it.
        begun: As ``time``; of a task that only goes on with what local activities kept alive, that of the first. The
            workflow's code ran then.
        worker_identity: Worker that did it.
        build_id: Its build ID, or "".
    """

    started_id: int
    completed_id: int
    time: int
    begun: int
    worker_identity: str
    build_id: str = ""


class WorkflowTasks:
    """The workflow tasks of a run that were done, in order. Failed and timed-out ones had no effect."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._tasks = _tasks(events)
        self._by_completed = {task.completed_id: task for task in self._tasks}
        self._started_ids = [task.started_id for task in self._tasks]
        self._completed_ids = [task.completed_id for task in self._tasks]

    def __iter__(self) -> Iterator[WorkflowTask]:
        return iter(self._tasks)

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
        task = self._by_completed.get(completed_id) or self._started_by(completed_id)
        return task.begun if task is not None else event.time

    def _started_by(self, event_id: int) -> WorkflowTask | None:
        """The task that an event started: Temporal's test server names that, and not the event that completed it."""
        position = bisect_left(self._started_ids, event_id)
        found = self._started_ids[position : position + 1] == [event_id]
        return self._tasks[position] if found else None

    def committed_at(self, event: Event) -> int:
        """Start of the task that an event was written by, as those of a task's commands follow its completion.

        Args:
            event: The event: its own time is taken where the task's events are missing.
        """
        task = self.committing(event.id)
        return task.begun if task is not None else event.time

    def committing(self, event_id: int) -> WorkflowTask | None:
        """The last task that was done before an event; of an event of a command, the task that asked for it."""
        position = bisect_right(self._completed_ids, event_id) - 1
        return self._tasks[position] if position >= 0 else None

    def after(self, event_id: int) -> WorkflowTask | None:
        """The first task done that started after an event, and so was handed it."""
        position = bisect_right(self._started_ids, event_id)
        return self._tasks[position] if position < len(self._tasks) else None


def _tasks(events: Sequence[Event]) -> list[WorkflowTask]:
    """The tasks that were done.

    While local activities run longer than a workflow task may, the SDK completes it without commands and gets another
    at once. The workflow's code sees nothing of that, so what the last of them commits began with the first.
    """
    tasks: list[WorkflowTask] = []
    local = "MarkerRecorded" in {event.type for event in events}
    started: dict[int, Event] = {}
    begun = last_started = 0
    for position, event in enumerate(events):
        if event.type == "WorkflowTaskStarted":
            started[event.id] = event
            last_started = event.id
        elif event.type == "WorkflowTaskCompleted" and isinstance(done := event.attributes, WorkflowTaskCompleted):
            # Temporal's test server does not say which task was completed: it is the last that was started.
            start = started.get(done.started_event_id or last_started)
            if start is None:
                continue
            begun = begun or start.time
            goes_on = local and _ended_local_activity(events, position)
            time = begun if goes_on else start.time
            tasks.append(WorkflowTask(start.id, event.id, start.time, time, done.identity, done.build_id))
            following = events[position + 1] if position + 1 < len(events) else None
            # What stands in a gap is not known: then the next task is taken for one of its own.
            if following is None or following.type != "WorkflowTaskScheduled" or following.id != event.id + 1:
                begun = 0
    return tasks


def _ended_local_activity(events: Sequence[Event], completed: int) -> bool:
    """Whether a task committed a local activity and nothing says that it was given more than its end."""
    ended = False
    for position in range(completed + 1, len(events)):
        event = events[position]
        if event.type in {"WorkflowTaskScheduled", "WorkflowTaskCompleted"}:
            break
        if _is_local_activity(event):
            ended = True
        elif isinstance(event.attributes, WorkflowExecutionUpdateAccepted):
            return False
    return ended


def _is_local_activity(event: Event) -> bool:
    return isinstance(event.attributes, MarkerRecorded) and event.attributes.marker_name in LOCAL_ACTIVITY_MARKERS

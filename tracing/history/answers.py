"""How did the waits for a person end: which signals and updates led to the workflow tasks that ended them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from tracing.history.admitted import Admitted
from tracing.history.attributes.messages import Attributes, Header
from tracing.history.attributes.related import (
    ChildWorkflowExecutionCompleted,
    ChildWorkflowExecutionFailed,
    ChildWorkflowExecutionStarted,
    ChildWorkflowExecutionTerminated,
    ChildWorkflowExecutionTimedOut,
    ExternalWorkflowExecutionSignaled,
    NexusOperationCompleted,
    NexusOperationFailed,
    NexusOperationStarted,
    NexusOperationTimedOut,
    SignalExternalWorkflowExecutionFailed,
    StartChildWorkflowExecutionFailed,
    WorkflowExecutionUpdateAccepted,
    WorkflowExecutionUpdateAdmitted,
)
from tracing.history.attributes.steps import (
    ActivityTaskCompleted,
    ActivityTaskFailed,
    ActivityTaskTimedOut,
    TimerFired,
)
from tracing.history.attributes.workflow import WorkflowExecutionSignaled
from tracing.history.events import Event
from tracing.history.headers import header_of
from tracing.history.workflow_tasks import WorkflowTask, WorkflowTasks
from tracing.spans.streams import is_poll, is_publish
from tracing.spans.wait import Answer, Task, Wait, canceled_wait, fired_wait, sender

_SCHEDULED: Final = (
    ActivityTaskCompleted,
    ActivityTaskFailed,
    ActivityTaskTimedOut,
    NexusOperationStarted,
    NexusOperationCompleted,
    NexusOperationFailed,
    NexusOperationTimedOut,
)
_INITIATED: Final = (
    StartChildWorkflowExecutionFailed,
    ChildWorkflowExecutionStarted,
    ChildWorkflowExecutionCompleted,
    ChildWorkflowExecutionFailed,
    ChildWorkflowExecutionTimedOut,
    ChildWorkflowExecutionTerminated,
    ExternalWorkflowExecutionSignaled,
    SignalExternalWorkflowExecutionFailed,
)


class Answers:
    """The workflow tasks of a run, and what made each. Nothing is looked up before a wait asks for it.

    Args:
        events: The events of the run.
        tasks: Its workflow tasks.
    """

    def __init__(self, events: Sequence[Event], tasks: WorkflowTasks) -> None:
        self._events = events
        self._tasks = tasks

    def canceled_by(self, started: Event, canceled: Event) -> Wait:
        """The wait whose timer was set, and cancelled, by these events."""
        since, until = self._task(self._tasks.committing(started.id)), self._tasks.committing(canceled.id)
        asked = until is not None and until.completed_id in self._cancel_requested
        return canceled_wait(since, self._task(until), cancel_requested=asked)

    def fired_by(self, fired: Event) -> Wait:
        """The wait whose timer fired."""
        return fired_wait(self._task(self._tasks.after(fired.id)))

    def _task(self, task: WorkflowTask | None) -> Task:
        return Task(0) if task is None else self._by_id[task.completed_id]

    @cached_property
    def _by_id(self) -> Mapping[int, Task]:
        found = {task.completed_id: Task(task.completed_id) for task in self._tasks}
        begun: dict[int, Task] = {}
        for task in self._tasks:
            first = begun.setdefault(task.begun, found[task.completed_id])
            if first.number != task.completed_id:
                # It goes on with local activities that the first asked for.
                found[task.completed_id].after.append(first)
        noted = Admitted()
        for event in self._events:
            attributes = event.attributes
            until: WorkflowTask | None = None
            answer: Answer | None = None
            if isinstance(attributes, WorkflowExecutionSignaled):
                until, answer = self._tasks.after(event.id), _signal(event.id, attributes)
            elif isinstance(attributes, WorkflowExecutionUpdateAdmitted):
                noted.note(event, attributes)
            elif isinstance(attributes, WorkflowExecutionUpdateAccepted):
                until, answer = self._tasks.committing(event.id), _update(noted.asked(attributes)[0])
            elif (opened := _opened(attributes)) is not None:
                asking, until = self._tasks.committing(opened), self._tasks.after(event.id)
                if asking is not None and until is not None:
                    found[until.completed_id].after.append(found[asking.completed_id])
            if until is not None and answer is not None:
                found[until.completed_id].messages.append(answer)
        return found

    @cached_property
    def _cancel_requested(self) -> frozenset[int]:
        asked = (event.id for event in self._events if event.type == "WorkflowExecutionCancelRequested")
        return frozenset(task.completed_id for each in asked if (task := self._tasks.after(each)) is not None)


def _opened(attributes: Attributes | None) -> int | None:
    """The event that opened the step of which the workflow is told; a cancelled one leads to nothing, see `Task`."""
    if isinstance(attributes, _SCHEDULED):
        return attributes.scheduled_event_id
    if isinstance(attributes, TimerFired):
        return attributes.started_event_id
    return attributes.initiated_event_id if isinstance(attributes, _INITIATED) else None


def _signal(event_id: int, signal: WorkflowExecutionSignaled) -> Answer | None:
    if is_publish(signal.signal_name):
        return None
    return Answer("signal", str(event_id), signal.signal_name, _sender(signal.header, signal.identity))


def _update(accepted: WorkflowExecutionUpdateAccepted) -> Answer | None:
    request = accepted.accepted_request
    if request is None or request.meta is None or request.input is None or is_poll(request.input.name):
        return None
    by = _sender(request.input.header, request.meta.identity)
    return Answer("update", request.meta.update_id, request.input.name, by)


def _sender(header: Header | None, identity: str) -> str:
    return sender(header_of(header), identity)

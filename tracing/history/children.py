"""Which children did a run start, and which spans do their events make?"""

from __future__ import annotations

from collections import Counter

from tracing.failures import Failure, error_type, refused
from tracing.history.attributes.related import (
    ChildWorkflowExecutionCanceled,
    ChildWorkflowExecutionCompleted,
    ChildWorkflowExecutionEvent,
    ChildWorkflowExecutionFailed,
    ChildWorkflowExecutionStarted,
    ChildWorkflowExecutionTerminated,
    ChildWorkflowExecutionTimedOut,
    ExternalWorkflowExecutionCancelRequested,
    RequestCancelExternalWorkflowExecutionFailed,
    RequestCancelExternalWorkflowExecutionInitiated,
    StartChildWorkflowExecutionFailed,
    StartChildWorkflowExecutionInitiated,
)
from tracing.history.by_kind import EventsByKind
from tracing.history.enums import CHILD_FAILED_CAUSES, RETRY_STATES
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.headers import header_of, own_step_id
from tracing.history.runs import RunContext
from tracing.history.step_events import StepEvents, finished, still_open
from tracing.history.values import Payloads
from tracing.runs import Run
from tracing.spans.child import Child, child_span
from tracing.spans.model import Span
from tracing.spans.step import Outcome

_NON_RETRYABLE = "NON_RETRYABLE_FAILURE"
"""Retry state of what the server names none of, as the SDK's Core says it to workflow code."""


class ChildEvents(StepEvents[StartChildWorkflowExecutionInitiated]):
    """The events of one child.

    Attributes:
        run_id: Run ID of its first run; "" where the workflow was not told that it was started.
        cancel_initiated: The workflow asked to cancel it.
    """

    def __init__(self, opened: Event, asked: StartChildWorkflowExecutionInitiated, nth: int) -> None:
        super().__init__(opened, asked, nth)
        self.run_id = ""
        self.cancel_initiated: Event | None = None

    def start(self, event: Event, started: ChildWorkflowExecutionStarted) -> None:
        """Add the event that says that it was started."""
        self.ids.append(event.id)
        if not self.run_id and self.over is None and started.workflow_execution is not None:
            self.run_id = started.workflow_execution.run_id

    def cancel(self, event: Event) -> None:
        """Add the event by which the workflow asks to cancel it."""
        self.cancel_initiated = self.cancel_initiated or event
        self.ids.append(event.id)

    def tell(self, event: Event) -> None:
        """Add the event that says that it was told so, or could not be."""
        self.ids.append(event.id)

    @property
    def over(self) -> Event | None:
        """The event with which a cancelled child was over for the workflow, where it did not wait for its end."""
        header = header_of(self.asked.header)
        return self.cancel_initiated if header is not None and header.cancellation == "try" else None


def children_of(events: EventsByKind) -> list[ChildEvents]:  # noqa: C901 - a case for each type of event
    """The children of a run, in the order they were asked for."""
    children: dict[int, ChildEvents] = {}
    latest: dict[str, ChildEvents] = {}
    cancels: dict[int, ChildEvents] = {}
    uses: Counter[str] = Counter()
    for event in events.of(
        StartChildWorkflowExecutionInitiated,
        ChildWorkflowExecutionEvent,
        StartChildWorkflowExecutionFailed,
        RequestCancelExternalWorkflowExecutionInitiated,
        ExternalWorkflowExecutionCancelRequested,
        RequestCancelExternalWorkflowExecutionFailed,
    ):
        match event.attributes:
            case StartChildWorkflowExecutionInitiated() as asked:
                uses[asked.workflow_id] += 1
                begun = ChildEvents(event, asked, uses[asked.workflow_id])
                children[event.id] = latest[asked.workflow_id] = begun
            case ChildWorkflowExecutionStarted() as started:
                child = children.get(started.initiated_event_id)
                if child is not None:
                    child.start(event, started)
            case ChildWorkflowExecutionEvent() | StartChildWorkflowExecutionFailed() as ended:
                child = children.get(ended.initiated_event_id)
                if child is not None:
                    child.close(event)
            case RequestCancelExternalWorkflowExecutionInitiated(child_workflow_only=True) as cancel:
                target = cancel.workflow_execution
                child = latest.get(target.workflow_id) if target is not None else None
                if child is not None:
                    cancels[event.id] = child
                    child.cancel(event)
            case ExternalWorkflowExecutionCancelRequested() | RequestCancelExternalWorkflowExecutionFailed() as told:
                child = cancels.get(told.initiated_event_id)
                if child is not None:
                    child.tell(event)
    return list(children.values())


def child_spans(context: RunContext, events: ChildEvents) -> list[Span]:
    """Build the span of a child, as its parent saw it. Its own run has a history, and spans, of its own."""
    child = _child(events, context.run)
    span = child_span(
        context.config,
        context.run,
        child,
        start=context.tasks.issued_at(events.asked.workflow_task_completed_event_id, events.opened),
        outcome=_outcome(context, events),
        given=events.asked.input or (),
        run_id=events.run_id,
        summary=events.opened.summary,
    )
    return [finished(context, events, span, lambda base: _child(events, base).step_id(base))]


def _child(events: ChildEvents, run: Run) -> Child:
    asked = events.asked
    header = header_of(asked.header)
    return Child(
        workflow_id=asked.workflow_id,
        workflow_type=asked.workflow_type.name if asked.workflow_type is not None else "",
        task_queue=asked.task_queue.name if asked.task_queue is not None else "",
        span_id=own_step_id(header.parent, run) if header is not None else None,
        nth=header.nth if header is not None else events.nth,
    )


def _outcome(context: RunContext, events: ChildEvents) -> Outcome:
    if events.over is not None:
        return Outcome(end=events.over.time, failure=_canceled())
    if events.closed is None:
        return still_open(context)
    attributes, end = events.closed.attributes, events.closed.time
    result: Payloads | None = None
    failure: Failure | None = None
    match attributes:
        case ChildWorkflowExecutionCompleted():
            result = attributes.result or Payloads()
        case ChildWorkflowExecutionFailed():
            failure = _wrapped(failure_of(attributes.failure), RETRY_STATES.name(attributes.retry_state))
        case ChildWorkflowExecutionTimedOut():
            # The history does not say which timeout: Core tells workflow code this one.
            timeout = Failure("timeout", error_type("timeout", ""), "Timed out", timeout_type="START_TO_CLOSE")
            failure = _wrapped(timeout, RETRY_STATES.name(attributes.retry_state))
        case ChildWorkflowExecutionCanceled():
            failure = _canceled()
        case ChildWorkflowExecutionTerminated():
            failure = _wrapped(Failure("terminated", error_type("terminated", ""), "Terminated"), _NON_RETRYABLE)
        case StartChildWorkflowExecutionFailed():
            failure = refused(CHILD_FAILED_CAUSES.name(attributes.cause))
    return Outcome(end, result, failure)


def _canceled() -> Failure:
    return _wrapped(Failure("canceled", error_type("canceled", "")), _NON_RETRYABLE)


def _wrapped(cause: Failure, retry_state: str) -> Failure:
    return Failure("child_workflow", error_type("child_workflow", ""), retry_state=retry_state, cause=cause)

"""Which Nexus operations did a run call, and which spans do their events make?"""

from __future__ import annotations

from collections import Counter

from tracing import conventions as c
from tracing.failures import Failure, error_type
from tracing.headers import SpanReference
from tracing.history.attributes.related import (
    NexusOperationCanceled,
    NexusOperationCancelRequested,
    NexusOperationCompleted,
    NexusOperationEvent,
    NexusOperationFailed,
    NexusOperationScheduled,
    NexusOperationStarted,
    NexusOperationTimedOut,
)
from tracing.history.by_kind import EventsByKind
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.headers import own_step_id
from tracing.history.runs import RunContext
from tracing.history.step_events import StepEvents, finished, still_open
from tracing.runs import Run
from tracing.spans.model import Span
from tracing.spans.nexus import NexusOperation, nexus_operation_span
from tracing.spans.step import Outcome

NexusOperationEvents = StepEvents[NexusOperationScheduled]
"""The events of one Nexus operation."""


def nexus_operations_of(events: EventsByKind) -> list[NexusOperationEvents]:
    """The Nexus operations of a run, in the order they were called."""
    operations: dict[int, NexusOperationEvents] = {}
    uses: Counter[str] = Counter()
    for event in events.of(NexusOperationScheduled, NexusOperationEvent):
        match event.attributes:
            case NexusOperationScheduled() as asked:
                key = NexusOperation(asked.endpoint, asked.service, asked.operation).key
                uses[key] += 1
                operations[event.id] = StepEvents(event, asked, nth=uses[key])
            case NexusOperationStarted() | NexusOperationCancelRequested() as told:
                operation = operations.get(told.scheduled_event_id)
                if operation is not None:
                    operation.ids.append(event.id)
            case NexusOperationEvent() as ended:
                operation = operations.get(ended.scheduled_event_id)
                if operation is not None:
                    operation.close(event)
    return list(operations.values())


def nexus_operation_spans(context: RunContext, events: NexusOperationEvents) -> list[Span]:
    """Build the span of a Nexus operation, as its caller saw it."""
    asked = events.asked
    span = nexus_operation_span(
        context.config,
        context.run,
        _operation(events, context.run),
        start=context.tasks.issued_at(asked.workflow_task_completed_event_id, events.opened),
        outcome=_outcome(context, events.closed),
        given=(asked.input.payload,) if asked.input is not None else (),
        summary=events.opened.summary,
    )
    return [finished(context, events, span, lambda base: _operation(events, base).step_id(base))]


def _operation(events: NexusOperationEvents, run: Run) -> NexusOperation:
    asked = events.asked
    return NexusOperation(
        endpoint=asked.endpoint,
        service=asked.service,
        operation=asked.operation,
        span_id=own_step_id(SpanReference.parse(asked.nexus_header.get(c.HEADER, "")), run),
        nth=events.nth,
    )


def _outcome(context: RunContext, closed: Event | None) -> Outcome:
    if closed is None:
        return still_open(context)
    match closed.attributes:
        case NexusOperationCompleted() as ended:
            return Outcome(closed.time, result=(ended.result.payload,) if ended.result is not None else ())
        case NexusOperationFailed() as ended:
            return Outcome(closed.time, failure=failure_of(ended.failure))
        case NexusOperationCanceled() as ended:
            canceled = Failure("canceled", error_type("canceled", ""))
            return Outcome(closed.time, failure=failure_of(ended.failure) if ended.failure is not None else canceled)
        case NexusOperationTimedOut() as ended:
            timeout = Failure("timeout", error_type("timeout", ""))
            return Outcome(closed.time, failure=failure_of(ended.failure) if ended.failure is not None else timeout)
    return Outcome(closed.time)

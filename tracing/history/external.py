"""What did a run ask of other workflows (signals, cancellations), and which spans do the events make?"""

from __future__ import annotations

from collections import Counter

from tracing.failures import refused
from tracing.history.attributes.messages import Execution
from tracing.history.attributes.related import (
    ExternalWorkflowExecutionCancelRequested,
    ExternalWorkflowExecutionSignaled,
    RequestCancelExternalWorkflowExecutionFailed,
    RequestCancelExternalWorkflowExecutionInitiated,
    SignalExternalWorkflowExecutionFailed,
    SignalExternalWorkflowExecutionInitiated,
)
from tracing.history.by_kind import EventsByKind
from tracing.history.enums import CANCEL_FAILED_CAUSES, SIGNAL_FAILED_CAUSES
from tracing.history.events import Event
from tracing.history.headers import header_of, own_step_id
from tracing.history.runs import RunContext
from tracing.history.step_events import StepEvents, finished, still_open
from tracing.identity import step_span_id
from tracing.runs import Run
from tracing.spans.external import ExternalCancel, ExternalSignal, external_cancel_span, external_signal_span
from tracing.spans.model import Span
from tracing.spans.step import Outcome

ExternalSignalEvents = StepEvents[SignalExternalWorkflowExecutionInitiated]
"""The events of a signal sent."""
ExternalCancelEvents = StepEvents[RequestCancelExternalWorkflowExecutionInitiated]
"""The events of a cancellation asked of another workflow."""


def external_signals_of(events: EventsByKind) -> list[ExternalSignalEvents]:
    """The signals that a run sent, in the order it asked for them."""
    signals: dict[int, ExternalSignalEvents] = {}
    for event in events.of(
        SignalExternalWorkflowExecutionInitiated,
        ExternalWorkflowExecutionSignaled,
        SignalExternalWorkflowExecutionFailed,
    ):
        match event.attributes:
            case SignalExternalWorkflowExecutionInitiated() as asked:
                signals[event.id] = StepEvents(event, asked, nth=len(signals) + 1)
            case ExternalWorkflowExecutionSignaled() | SignalExternalWorkflowExecutionFailed() as ended:
                signal = signals.get(ended.initiated_event_id)
                if signal is not None:
                    signal.close(event)
    return list(signals.values())


def external_cancels_of(events: EventsByKind) -> list[ExternalCancelEvents]:
    """The cancellations that a run asked of others. Those of its children belong to these."""
    cancels: dict[int, ExternalCancelEvents] = {}
    uses: Counter[str] = Counter()
    for event in events.of(
        RequestCancelExternalWorkflowExecutionInitiated,
        ExternalWorkflowExecutionCancelRequested,
        RequestCancelExternalWorkflowExecutionFailed,
    ):
        match event.attributes:
            case RequestCancelExternalWorkflowExecutionInitiated(child_workflow_only=False) as asked:
                target = _target(asked.workflow_execution)
                uses[target.workflow_id] += 1
                cancels[event.id] = StepEvents(event, asked, nth=uses[target.workflow_id])
            case ExternalWorkflowExecutionCancelRequested() | RequestCancelExternalWorkflowExecutionFailed() as ended:
                cancel = cancels.get(ended.initiated_event_id)
                if cancel is not None:
                    cancel.close(event)
    return list(cancels.values())


def external_signal_spans(context: RunContext, events: ExternalSignalEvents) -> list[Span]:
    """Build the span of a signal sent."""
    signal = _signal(events, context.run)
    span = external_signal_span(
        context.config,
        context.run,
        signal,
        start=context.tasks.issued_at(events.asked.workflow_task_completed_event_id, events.opened),
        outcome=_outcome(context, events.closed),
        given=events.asked.input or (),
        summary=events.opened.summary,
    )
    return [finished(context, events, span, lambda base: _signal(events, base).step_id(base))]


def external_cancel_spans(context: RunContext, events: ExternalCancelEvents) -> list[Span]:
    """Build the span of a cancellation asked of another workflow."""
    target = _target(events.asked.workflow_execution)
    cancel = ExternalCancel(target.workflow_id, target.run_id, events.nth)
    span = external_cancel_span(
        context.config,
        context.run,
        cancel,
        start=context.tasks.issued_at(events.asked.workflow_task_completed_event_id, events.opened),
        outcome=_outcome(context, events.closed),
    )

    def base_step(base: Run) -> int:
        return step_span_id(base.run_id, "external_cancel", target.workflow_id, events.nth)

    return [finished(context, events, span, base_step)]


def _target(execution: Execution | None) -> Execution:
    return execution if execution is not None else Execution()


def _signal(events: ExternalSignalEvents, run: Run) -> ExternalSignal:
    asked = events.asked
    target = _target(asked.workflow_execution)
    header = header_of(asked.header)
    return ExternalSignal(
        signal_name=asked.signal_name,
        workflow_id=target.workflow_id,
        run_id="" if asked.child_workflow_only else target.run_id,
        child=asked.child_workflow_only,
        span_id=own_step_id(header.parent, run) if header is not None else None,
        # It counts those as well that were taken back before they were sent.
        nth=header.nth if header is not None else events.nth,
    )


def _outcome(context: RunContext, closed: Event | None) -> Outcome:
    if closed is None:
        return still_open(context)
    failure = None
    if isinstance(closed.attributes, SignalExternalWorkflowExecutionFailed):
        failure = refused(SIGNAL_FAILED_CAUSES.name(closed.attributes.cause))
    elif isinstance(closed.attributes, RequestCancelExternalWorkflowExecutionFailed):
        failure = refused(CANCEL_FAILED_CAUSES.name(closed.attributes.cause))
    return Outcome(closed.time, failure=failure)

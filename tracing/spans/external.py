"""The spans of what a workflow asks of others: a signal (to a child or another workflow), a cancellation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.identity import step_span_id
from tracing.payloads import PayloadMessage
from tracing.runs import Attributes, Run
from tracing.spans.content import input_output, summary_of
from tracing.spans.model import Link, Span, SpanKind
from tracing.spans.step import Outcome, step_span


@dataclass(frozen=True, slots=True)
class ExternalSignal:
    """A signal to another workflow.

    Attributes:
        signal_name: Signal name.
        workflow_id: Workflow ID of the receiver.
        run_id: Run ID of the receiver, where the workflow named it.
        child: Whether the receiver is a child.
        span_id: Span ID where a header of ours carries it; else None, and it is computed.
        nth: Which signal of the run, from 1, in the order of the calls.
    """

    signal_name: str
    workflow_id: str
    run_id: str = ""
    child: bool = False
    span_id: int | None = None
    nth: int = 1

    def step_id(self, run: Run) -> int:
        """Span ID of the step."""
        return self.span_id or step_span_id(run.run_id, "external_signal", str(self.nth))


def external_signal_span(
    config: TracingConfig,
    run: Run,
    signal: ExternalSignal,
    *,
    start: int,
    outcome: Outcome,
    given: Sequence[PayloadMessage],
    summary: PayloadMessage | None = None,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a signal sent: ``SignalChildWorkflow:S`` or ``SignalExternalWorkflow:S``.

    Args:
        config: Settings.
        run: The sender's run.
        signal: The signal.
        start: Start of the workflow task that asked for it, in ns since the epoch.
        outcome: Whether it was delivered.
        given: Its arguments.
        summary: Summary that the workflow's code gave.
        links: To the base run's step, where reused.
    """
    attributes: Attributes = {
        c.SIGNAL_NAME: signal.signal_name,
        c.TARGET_WORKFLOW_ID: signal.workflow_id,
        **input_output(config, given, None),
        **summary_of(config, summary),
    }
    if signal.run_id:
        attributes[c.TARGET_RUN_ID] = signal.run_id
    name = c.signal_child_workflow if signal.child else c.signal_external_workflow
    return step_span(
        config,
        run,
        span_id=signal.step_id(run),
        name=name(signal.signal_name),
        kind=SpanKind.CLIENT,
        start=start,
        outcome=outcome,
        attributes=attributes,
        links=links,
    )


@dataclass(frozen=True, slots=True)
class ExternalCancel:
    """A cancellation asked of another workflow, which is no child.

    Attributes:
        workflow_id: Workflow ID of the other.
        run_id: Its run ID, where the workflow named it.
        nth: Which cancellation of that workflow ID, from 1.
    """

    workflow_id: str
    run_id: str = ""
    nth: int = 1


def external_cancel_span(
    config: TracingConfig,
    run: Run,
    cancel: ExternalCancel,
    *,
    start: int,
    outcome: Outcome,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a cancellation asked for. It has no header: its ID follows from the order of the calls.

    Args:
        config: Settings.
        run: The run that asked.
        cancel: What it asked for.
        start: Start of the workflow task that asked, in ns since the epoch.
        outcome: Whether the request was delivered.
        links: To the base run's step, where reused.
    """
    attributes: Attributes = {c.TARGET_WORKFLOW_ID: cancel.workflow_id}
    if cancel.run_id:
        attributes[c.TARGET_RUN_ID] = cancel.run_id
    return step_span(
        config,
        run,
        span_id=step_span_id(run.run_id, "external_cancel", cancel.workflow_id, cancel.nth),
        name=c.REQUEST_CANCEL_EXTERNAL,
        kind=SpanKind.CLIENT,
        start=start,
        outcome=outcome,
        attributes=attributes,
        links=links,
    )

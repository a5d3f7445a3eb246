"""The span of a child workflow, as its parent sees it: ``StartChildWorkflow:T``, asked for until closed."""

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
class Child:
    """What a workflow asked for.

    Attributes:
        workflow_id: Workflow ID of the child.
        workflow_type: Its type.
        task_queue: Its task queue.
        span_id: Span ID of the step where a header of ours carries it; else None, and it is computed.
        nth: Which use of the child's workflow ID in the run, from 1.
    """

    workflow_id: str
    workflow_type: str
    task_queue: str
    span_id: int | None = None
    nth: int = 1

    def step_id(self, run: Run) -> int:
        """Span ID of the step."""
        return self.span_id or step_span_id(run.run_id, "child_workflow", self.workflow_id, self.nth)


def child_span(
    config: TracingConfig,
    run: Run,
    child: Child,
    *,
    start: int,
    outcome: Outcome,
    given: Sequence[PayloadMessage],
    run_id: str = "",
    summary: PayloadMessage | None = None,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a child workflow. Its own run's span is a child of it, in the same trace.

    Args:
        config: Settings.
        run: The parent's run.
        child: The child.
        start: Start of the workflow task that asked for it, in ns since the epoch.
        outcome: How it ended.
        given: Its input.
        run_id: Run ID of its first run; "" where it was never started.
        summary: Summary that the workflow's code gave.
        links: To the base run's step, where reused.
    """
    attributes: Attributes = {
        c.TARGET_WORKFLOW_ID: child.workflow_id,
        c.TARGET_WORKFLOW_TYPE: child.workflow_type,
        c.TASK_QUEUE: child.task_queue,
        **input_output(config, given, outcome.result),
        **summary_of(config, summary),
    }
    if run_id:
        attributes[c.TARGET_RUN_ID] = run_id
    if outcome.failure is not None and outcome.failure.retry_state:
        attributes[c.RETRY_STATE] = outcome.failure.retry_state
    return step_span(
        config,
        run,
        span_id=child.step_id(run),
        name=c.start_child_workflow(child.workflow_type),
        kind=SpanKind.CLIENT,
        start=start,
        outcome=outcome,
        attributes=attributes,
        links=links,
    )

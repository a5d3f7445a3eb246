"""Whose is a history: which run, in which trace, linked to which others?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import TraceHeader, read_foreign_header
from tracing.history.answers import Answers
from tracing.history.attributes.messages import Header
from tracing.history.attributes.related import (
    SignalExternalWorkflowExecutionInitiated,
    StartChildWorkflowExecutionInitiated,
)
from tracing.history.attributes.steps import ActivityTaskScheduled
from tracing.history.attributes.workflow import WorkflowTaskFailed
from tracing.history.by_kind import EventsByKind
from tracing.history.closing import Closing, closing_of
from tracing.history.headers import header_of
from tracing.history.resets import Reset, last_reset
from tracing.history.source import History
from tracing.history.workflow_tasks import WorkflowTasks
from tracing.runs import SCHEDULED_BY, AttributeValue, Run, RunStart, run_of
from tracing.spans.links import start_links
from tracing.spans.model import Link

UNKNOWN_SERVICE: Final[Mapping[str, AttributeValue]] = {c.SERVICE_NAME: "unknown_service"}
"""Resource where nobody names the service, as OpenTelemetry has it."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the spans of a history need to know of their run.

    Attributes:
        config: Settings.
        events: The events.
        run: The run.
        tasks: Its workflow tasks.
        closing: How it stands.
        answers: The messages that ended its waits.
        reset: The reset that made it, or None.
        base: The run that was reset.
    """

    config: TracingConfig
    events: EventsByKind
    run: Run
    tasks: WorkflowTasks
    closing: Closing
    answers: Answers
    reset: Reset | None = None
    base: Run | None = None

    def reused(self, closing_event_id: int | None) -> bool:
        """Whether a step with this closing event was taken over from the base run."""
        return self.reset is not None and closing_event_id is not None and closing_event_id < self.reset.event_id


def run_context(
    history: History, config: TracingConfig, resource: Mapping[str, AttributeValue] | None = None
) -> RunContext:
    """Find out what a history's spans need to know.

    Args:
        history: The history.
        config: Settings.
        resource: Resource of the spans where no header in the history names the service.
    """
    events = EventsByKind(history.events)
    reset = last_reset(events.of(WorkflowTaskFailed))
    resource = _service(events) or resource or UNKNOWN_SERVICE
    sampled = _sampled(events)
    run = _run(history, config, history.run_id, resource, sampled=sampled)
    base = None
    if reset is not None and reset.base_run_id:
        base = _run(history, config, reset.base_run_id, resource, sampled=sampled)
    tasks = WorkflowTasks(history.events)
    return RunContext(
        config, events, run, tasks, closing_of(events), Answers(history.events, tasks), reset=reset, base=base
    )


def run_links(history: History, context: RunContext) -> tuple[Link, ...]:
    """Links of the run's span: those that its start tells, and the base run of a reset."""
    links = start_links(_start(history, history.run_id))
    if context.base is not None:
        links += (Link(context.base.trace_id, context.base.span_id, {c.RUN_ID: context.base.run_id}),)
    return links


def _start(history: History, run_id: str) -> RunStart:
    started = history.started
    # Old servers leave the first run's ID out; then the run before, or the base run of a reset, is known to be earlier.
    first = started.first_execution_run_id or started.continued_execution_run_id or started.original_execution_run_id
    attributes = started.search_attributes
    return RunStart(
        namespace=history.namespace,
        workflow_id=history.workflow_id,
        run_id=run_id,
        workflow_type=started.workflow_type.name if started.workflow_type is not None else "",
        first_run_id=first or run_id,
        continued_run_id=started.continued_execution_run_id,
        cron=bool(started.cron_schedule),
        scheduled=attributes is not None and SCHEDULED_BY in attributes.indexed_fields,
        header=header_of(started.header),
        foreign=read_foreign_header(started.header.fields) if started.header is not None else None,
    )


def _run(
    history: History, config: TracingConfig, run_id: str, resource: Mapping[str, AttributeValue], *, sampled: bool
) -> Run:
    start = _start(history, run_id)
    run = run_of(start, resource=resource, sampled=sampled, ui_address=config.temporal_ui)
    return run if config.traces_workflow(start.workflow_type) else run.left_out()


_ASKING: Final = (
    ActivityTaskScheduled,
    StartChildWorkflowExecutionInitiated,
    SignalExternalWorkflowExecutionInitiated,
)


def _step_headers(events: EventsByKind) -> Iterator[TraceHeader]:
    """Our headers that steps carry, in the order of their events."""
    for event in events.of(*_ASKING):
        header: Header | None = getattr(event.attributes, "header", None)
        if header is not None and (ours := header_of(header)) is not None:
            yield ours


def _service(events: EventsByKind) -> Mapping[str, AttributeValue]:
    """Service identity in the first header of ours that a step carries."""
    return next((dict(header.resource) for header in _step_headers(events) if header.resource), {})


def _sampled(events: EventsByKind) -> bool:
    """The decision of the run's worker, where the start carries none: its steps' headers do."""
    for header in _step_headers(events):
        if header.sampled is not None:
            return header.sampled
        if header.parent is not None:
            return header.parent.sampled
    return True

"""Whose is a history: which run, in which trace, linked to which others?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import MAX_BYTES, SpanReference, TraceHeader, read_header
from tracing.history.attributes.messages import Header
from tracing.history.attributes.steps import ActivityTaskScheduled
from tracing.history.resets import Reset, last_reset
from tracing.history.source import History
from tracing.history.workflow_tasks import WorkflowTasks
from tracing.runs import AttributeValue, Run, run_of
from tracing.spans.links import continued_from
from tracing.spans.model import Link

SCHEDULED_BY: Final = "TemporalScheduledById"
"""Search attribute of a run that a schedule started."""

UNKNOWN_SERVICE: Final[Mapping[str, AttributeValue]] = {c.SERVICE_NAME: "unknown_service"}
"""Resource where nobody names the service, as OpenTelemetry has it."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the spans of a history need to know of their run.

    Attributes:
        config: Settings.
        run: The run.
        tasks: Its workflow tasks.
        reset: The reset that made it, or None.
        base: The run that was reset.
    """

    config: TracingConfig
    run: Run
    tasks: WorkflowTasks
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
    reset = last_reset(history.events)
    resource = _service(history) or resource or UNKNOWN_SERVICE
    run = _run(history, history.run_id, resource)
    base = _run(history, reset.base_run_id, resource) if reset is not None and reset.base_run_id else None
    return RunContext(config, run, WorkflowTasks(history.events), reset, base)


def run_links(history: History, context: RunContext) -> tuple[Link, ...]:
    """Links of the run's span: to the run before, the base run of a reset, another tool's trace."""
    links = continued_from(history.started.continued_execution_run_id)
    if context.base is not None:
        links += (Link(context.base.trace_id, context.base.span_id, {c.RUN_ID: context.base.run_id}),)
    foreign = _foreign_parent(history.started.header)
    if foreign is not None:
        links += (Link(foreign.trace_id, foreign.span_id),)
    return links


def header_of(header: Header | None) -> TraceHeader | None:
    """Our header in a message, if any."""
    return read_header(header.fields) if header is not None else None


def _run(history: History, run_id: str, resource: Mapping[str, AttributeValue]) -> Run:
    started = history.started
    # Old servers leave the first run's ID out; then the run before, or the base run of a reset, is known to be earlier.
    first = started.first_execution_run_id or started.continued_execution_run_id or started.original_execution_run_id
    attributes = started.search_attributes
    return run_of(
        namespace=history.namespace,
        workflow_id=history.workflow_id,
        run_id=run_id,
        workflow_type=started.workflow_type.name if started.workflow_type is not None else "",
        first_run_id=first or run_id,
        cron=bool(started.cron_schedule),
        scheduled=attributes is not None and SCHEDULED_BY in attributes.indexed_fields,
        header=header_of(started.header),
        resource=resource,
    )


def _service(history: History) -> Mapping[str, AttributeValue]:
    """Service identity in the first header of ours that a step carries."""
    for event in history.events:
        if isinstance(event.attributes, ActivityTaskScheduled):
            header = header_of(event.attributes.header)
            if header is not None and header.resource:
                return dict(header.resource)
    return {}


class _Foreign(msgspec.Struct):
    traceparent: str


def _foreign_parent(header: Header | None) -> SpanReference | None:
    """The span in a header of Temporal's own integration, where ours is not beside it."""
    if header is None or c.FOREIGN_HEADER not in header.fields or c.HEADER in header.fields:
        return None
    data = header.fields[c.FOREIGN_HEADER].data
    if len(data) > MAX_BYTES:
        return None
    try:
        return SpanReference.parse(msgspec.json.decode(data, type=_Foreign).traceparent)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None

"""Which updates did a run accept, and which spans do their events make?"""

from __future__ import annotations

from tracing.history.admitted import Admitted
from tracing.history.attributes.related import (
    WorkflowExecutionUpdateAccepted,
    WorkflowExecutionUpdateAdmitted,
    WorkflowExecutionUpdateCompleted,
)
from tracing.history.by_kind import EventsByKind
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.headers import header_of
from tracing.history.runs import RunContext
from tracing.history.step_events import StepEvents, finished, still_open
from tracing.identity import step_span_id
from tracing.spans.links import caused_by
from tracing.spans.model import Span
from tracing.spans.step import Outcome
from tracing.spans.streams import is_poll
from tracing.spans.update import update_span

UpdateEvents = StepEvents[WorkflowExecutionUpdateAccepted]
"""The events of one update."""


def updates_of(events: EventsByKind) -> list[UpdateEvents]:
    """The updates that a run accepted, in the order it did so."""
    updates: dict[int, UpdateEvents] = {}
    by_update_id: dict[str, UpdateEvents] = {}
    noted = Admitted()
    for event in events.of(
        WorkflowExecutionUpdateAdmitted, WorkflowExecutionUpdateAccepted, WorkflowExecutionUpdateCompleted
    ):
        match event.attributes:
            case WorkflowExecutionUpdateAdmitted() as admitted:
                noted.note(event, admitted)
            case WorkflowExecutionUpdateAccepted() as accepted:
                asked, before = noted.asked(accepted)
                updates[event.id] = by_update_id[accepted.protocol_instance_id] = StepEvents(event, asked)
                if before is not None:
                    updates[event.id].ids.append(before.id)
            case WorkflowExecutionUpdateCompleted() as completed:
                update = updates.get(completed.accepted_event_id)
                if not completed.accepted_event_id and completed.meta is not None:
                    # Servers of 2023 say only which update it was.
                    update = by_update_id.get(completed.meta.update_id)
                if update is not None:
                    update.close(event)
    return list(updates.values())


def update_spans(context: RunContext, events: UpdateEvents) -> list[Span]:
    """Build the span of an update; none where the history does not say which it was, or it is a stream's."""
    request = events.asked.accepted_request
    if request is None or request.meta is None or request.input is None or is_stream_poll(events):
        return []
    update_id = request.meta.update_id
    span = update_span(
        context.config,
        context.run,
        request.input.name,
        update_id=update_id,
        start=context.tasks.committed_at(events.opened),
        outcome=_outcome(context, events.closed),
        given=request.input.args or (),
        links=caused_by(header_of(request.input.header)),
    )
    return [finished(context, events, span, lambda base: step_span_id(base.run_id, "update", update_id))]


def is_stream_poll(events: UpdateEvents) -> bool:
    """Whether an update is a wait for what is published on the run's stream, and did not fail."""
    request = events.asked.accepted_request
    if request is None or request.meta is None or request.input is None or not is_poll(request.input.name):
        return False
    closed = events.closed.attributes if events.closed is not None else None
    outcome = closed.outcome if isinstance(closed, WorkflowExecutionUpdateCompleted) else None
    return outcome is None or outcome.failure is None


def _outcome(context: RunContext, closed: Event | None) -> Outcome:
    if closed is None:
        return still_open(context)
    if isinstance(closed.attributes, WorkflowExecutionUpdateCompleted) and closed.attributes.outcome is not None:
        outcome = closed.attributes.outcome
        failure = failure_of(outcome.failure) if outcome.failure is not None else None
        return Outcome(closed.time, result=None if failure else outcome.success or (), failure=failure)
    return Outcome(closed.time)

"""Which signals did a run receive, and which spans do they make?"""

from __future__ import annotations

from collections.abc import Sequence

from tracing.history.attributes.workflow import WorkflowExecutionSignaled
from tracing.history.by_kind import EventsByKind
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.headers import header_of
from tracing.history.runs import RunContext
from tracing.identity import step_span_id
from tracing.spans.links import caused_by
from tracing.spans.model import Span
from tracing.spans.reused import as_reused
from tracing.spans.signal import signal_span
from tracing.spans.streams import is_publish


def signals_of(events: EventsByKind) -> Sequence[Event]:
    """The signals that a run received."""
    return events.of(WorkflowExecutionSignaled)


def signal_spans(context: RunContext, event: Event) -> list[Span]:
    """Build the span of a signal; none where no workflow task was ever handed it, or it is a stream's."""
    signal = event.attributes
    task = context.tasks.after(event.id)
    if task is None or not isinstance(signal, WorkflowExecutionSignaled) or is_publish(signal.signal_name):
        return []
    span = signal_span(
        context.config,
        context.run,
        signal.signal_name,
        event_id=event.id,
        time=task.time,
        given=signal.input or (),
        links=caused_by(header_of(signal.header)),
    )
    if context.reused(task.completed_id):
        base = context.base
        span = as_reused(span, base, step_span_id(base.run_id, "signal", str(event.id)) if base is not None else 0)
    return [with_event_ids(span, [event.id])]

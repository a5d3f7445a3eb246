"""Which signals did a run receive, and which spans do they make?"""

from __future__ import annotations

from tracing.history.attributes.workflow import WorkflowExecutionSignaled
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.reuse import as_reused
from tracing.history.runs import RunContext
from tracing.spans.model import Span
from tracing.spans.signal import signal_span


def signal_spans(context: RunContext, event: Event, signal: WorkflowExecutionSignaled) -> list[Span]:
    """Build the span of a signal; none where no workflow task was ever handed it."""
    task = context.tasks.after(event.id)
    if task is None:
        return []
    span = signal_span(
        context.config,
        context.run,
        signal.signal_name,
        event_id=event.id,
        time=task.time,
        given=signal.input or (),
    )
    if context.reused(task.completed_id):
        span = as_reused(span, context.base, "signal", str(event.id))
    return [with_event_ids(span, [event.id])]

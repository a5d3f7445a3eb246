"""The links of a span: to the run it continues, to the span of another trace that brought it about."""

from __future__ import annotations

from tracing import conventions as c
from tracing.headers import TraceHeader
from tracing.identity import run_span_id, run_trace_id
from tracing.runs import RunStart
from tracing.spans.model import Link


def start_links(start: RunStart) -> tuple[Link, ...]:
    """Links of a run's span that its start tells: to the run before, to what made its schedule, to another tool's."""
    links = _continued_from(start)
    if start.scheduled:
        links += caused_by(start.header)
    if start.foreign is not None:
        links += (Link(start.foreign.trace_id, start.foreign.span_id),)
    return links


def caused_by(header: TraceHeader | None) -> tuple[Link, ...]:
    """Link to the span that sent a signal, update or query, or that created a schedule."""
    cause = header.parent if header is not None else None
    return (Link(cause.trace_id, cause.span_id),) if cause is not None else ()


def _continued_from(start: RunStart) -> tuple[Link, ...]:
    """Link to the run before: continued as new, retried, or of the cron's last turn.

    It has a trace of its own, but for a first run in the trace of what started it. A run that continues as new says in
    which trace it is; into retries and cron runs the server copies the header of the run before.
    """
    if not start.continued_run_id:
        return ()
    span_id, trace_id = run_span_id(start.continued_run_id), run_trace_id(start.continued_run_id)
    previous = start.header.previous_span if start.header is not None else None
    if previous is not None and previous.span_id == span_id:
        trace_id = previous.trace_id
    elif start.first_parent is not None and start.continued_run_id == start.first_run_id:
        trace_id = start.first_parent.trace_id
    return (Link(trace_id, span_id, {c.RUN_ID: start.continued_run_id}),)

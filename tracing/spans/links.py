"""The links of a run's span: to the run it continues."""

from __future__ import annotations

from tracing import conventions as c
from tracing.identity import run_span_id, run_trace_id
from tracing.spans.model import Link


def continued_from(run_id: str | None) -> tuple[Link, ...]:
    """Link to the run before: continued as new, retried or of the cron's last turn.

    The run before has a trace of its own, made of its run ID, unless a client's span began it; then only its span ID is
    right, and the run ID on the link tells the way.
    """
    if not run_id:
        return ()
    return (Link(run_trace_id(run_id), run_span_id(run_id), {c.RUN_ID: run_id}),)

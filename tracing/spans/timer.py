"""The span of a timer: set until it fired or was cancelled."""

from __future__ import annotations

from tracing import conventions as c
from tracing.identity import step_span_id
from tracing.runs import Run
from tracing.spans.model import NS_PER_S, Span, SpanKind, not_before, truncate_us


def timer_span(run: Run, timer_id: str, *, start: int, end: int | None, timeout: int, canceled: bool = False) -> Span:
    """Build the span of a timer.

    Args:
        run: The run.
        timer_id: Timer ID; Core SDKs count them from 1 in each run.
        start: Start of the workflow task that set it, in ns since the epoch.
        end: When it fired or was cancelled, in ns; None while it runs.
        timeout: What it was set to, in ns.
        canceled: Whether it was cancelled.
    """
    start = truncate_us(start)
    attributes = run.common_attributes() | {
        c.TIMER_ID: timer_id,
        c.TIMER_TIMEOUT: timeout / NS_PER_S,
        c.OPENINFERENCE_KIND: "CHAIN",
    }
    if canceled:
        attributes[c.TIMER_CANCELED] = True
    return Span(
        trace_id=run.trace_id,
        span_id=step_span_id(run.run_id, "timer", timer_id),
        parent_id=run.span_id,
        name=c.TIMER,
        kind=SpanKind.INTERNAL,
        start=start,
        end=None if end is None else not_before(start, end),
        attributes=attributes,
        resource=run.resource,
    )

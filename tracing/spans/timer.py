"""The span of a timer: set until it fired or was cancelled."""

from __future__ import annotations

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.identity import step_span_id
from tracing.payloads import PayloadMessage
from tracing.runs import Attributes, Run
from tracing.spans.content import summary_of
from tracing.spans.model import NS_PER_S, Link, Span, SpanKind
from tracing.spans.step import Outcome, step_span
from tracing.spans.wait import Wait, answer_links, wait_attributes


def timer_span(
    config: TracingConfig,
    run: Run,
    timer_id: str,
    *,
    start: int,
    outcome: Outcome,
    timeout: int,
    canceled: bool = False,
    summary: PayloadMessage | None = None,
    wait: Wait | None = None,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a timer.

    Args:
        config: Settings.
        run: The run.
        timer_id: Timer ID; Core SDKs count them from 1 in each run.
        start: Start of the workflow task that set it, in ns since the epoch.
        outcome: When it fired or was cancelled.
        timeout: What it was set to, in ns.
        canceled: Whether it was cancelled.
        summary: Summary that the workflow's code gave.
        wait: The wait for a person that it ends; None where it is a timer and no more.
        links: To the base run's timer, where reused.
    """
    attributes: Attributes = {
        c.TIMER_ID: timer_id,
        c.TIMER_TIMEOUT: timeout / NS_PER_S,
        **summary_of(config, summary),
    }
    if canceled:
        attributes[c.TIMER_CANCELED] = True
    if wait is not None:
        attributes |= wait_attributes(config, wait)
        links = (*answer_links(run, wait), *links)
    return step_span(
        config,
        run,
        span_id=step_span_id(run.run_id, "timer", timer_id),
        name=c.TIMER,
        kind=SpanKind.INTERNAL,
        start=start,
        outcome=outcome,
        attributes=attributes,
        links=links,
    )

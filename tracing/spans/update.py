"""The span of an update that a run accepted: ``HandleUpdate:U``, accepted until completed."""

from __future__ import annotations

from collections.abc import Sequence

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.identity import step_span_id
from tracing.payloads import PayloadMessage
from tracing.runs import Run
from tracing.spans.content import input_output
from tracing.spans.model import Link, Span, SpanKind
from tracing.spans.step import Outcome, step_span


def update_span(
    config: TracingConfig,
    run: Run,
    update_name: str,
    *,
    update_id: str,
    start: int,
    outcome: Outcome,
    given: Sequence[PayloadMessage],
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of an update, accepted until completed.

    An update that its validator refuses leaves no event, so only live spans show it.

    Args:
        config: Settings.
        run: The run.
        update_name: Update name.
        update_id: Update ID.
        start: Start of the workflow task that accepted it, in ns since the epoch.
        outcome: How it ended.
        given: Its arguments.
        links: To the caller's span; to the base run's step, where reused.
    """
    return step_span(
        config,
        run,
        span_id=step_span_id(run.run_id, "update", update_id),
        name=c.handle_update(update_name),
        kind=SpanKind.SERVER,
        start=start,
        outcome=outcome,
        attributes={
            c.UPDATE_ID: update_id,
            c.UPDATE_NAME: update_name,
            **input_output(config, given, outcome.result),
        },
        links=links,
    )

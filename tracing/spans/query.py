"""The span of a query that a run answered: ``HandleQuery:Q``. Queries leave no event, so it is live only."""

from __future__ import annotations

from collections.abc import Sequence

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.payloads import PayloadMessage
from tracing.runs import Run
from tracing.spans.content import input_output
from tracing.spans.model import Link, Span, SpanKind
from tracing.spans.step import Outcome, step_span


def query_span(
    config: TracingConfig,
    run: Run,
    query_name: str,
    *,
    span_id: int,
    start: int,
    outcome: Outcome,
    given: Sequence[PayloadMessage],
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a query.

    Args:
        config: Settings.
        run: The run.
        query_name: Query name.
        span_id: A random span ID: nothing else ever names it.
        start: When the worker took it up, by its own clock, in ns since the epoch.
        outcome: Its answer, and when it was given.
        given: Its arguments.
        links: To the caller's span.
    """
    return step_span(
        config,
        run,
        span_id=span_id,
        name=c.handle_query(query_name),
        kind=SpanKind.SERVER,
        start=start,
        outcome=outcome,
        attributes={c.QUERY_NAME: query_name, **input_output(config, given, outcome.result)},
        links=links,
    )

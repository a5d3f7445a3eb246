"""The spans of what a library did in workflow code: agents, tools, handoffs, guardrails. They are live only."""

from __future__ import annotations

from msgspec.structs import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.identity import workflow_code_span_id
from tracing.runs import Attributes, Run
from tracing.spans.content import shown
from tracing.spans.inner import derived_attributes
from tracing.spans.model import Link, Span, SpanKind, StatusCode, not_before


def workflow_code_span(
    config: TracingConfig,
    run: Run,
    library: str,
    key: str,
    *,
    parent: str,
    name: str,
    start: int,
    end: int,
    attributes: Attributes,
    error: str | None = None,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of what a library did in workflow code.

    Args:
        config: Settings.
        run: The run.
        library: The library.
        key: The library's own ID of it, which is the same in each replay.
        parent: The library's ID of what it was part of; the run's span is the parent where "".
        name: The span's name.
        start: When it began, in ns since the epoch: workflow time.
        end: When it ended.
        attributes: What tells it from others; content is left out where it is off.
        error: What it failed with, or None.
        links: To the steps that it asked for. They are no children of it: what only one reader sees holds no step.
    """
    span = shown(
        config,
        Span(
            trace_id=run.trace_id,
            span_id=workflow_code_span_id(run.run_id, library, key),
            parent_id=workflow_code_span_id(run.run_id, library, parent) if parent else run.span_id,
            name=name,
            kind=SpanKind.INTERNAL,
            start=start,
            end=not_before(start, end),
            attributes=attributes,
            status=StatusCode.UNSET if error is None else StatusCode.ERROR,
            status_message=error or "",
            links=links,
            resource=run.resource,
        ),
    )
    derived = derived_attributes(config, span.attributes)
    # The library says what went wrong in words only; OpenTelemetry's word for a type that nobody knows.
    failed: Attributes = {} if error is None else {c.ERROR_TYPE: "_OTHER"}
    own = {c.WORKFLOW_CODE: library, **derived, **span.attributes, **failed}
    return replace(span, attributes={**run.common_attributes(), **own})

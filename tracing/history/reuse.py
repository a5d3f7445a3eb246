"""How is a step shown that a reset took over from the base run?"""

from __future__ import annotations

from dataclasses import replace

from tracing import conventions as c
from tracing.identity import StepKind, step_span_id
from tracing.runs import Run
from tracing.spans.model import Link, Span


def as_reused(span: Span, base: Run | None, kind: StepKind, key: str) -> Span:
    """The span of a timer or signal, flagged, with a link to the base run's.

    Args:
        span: The span in this run.
        base: The base run, where it is known.
        kind: Kind of step.
        key: What identifies the step in its run.
    """
    links: tuple[Link, ...] = ()
    if base is not None:
        links = (Link(base.trace_id, step_span_id(base.run_id, kind, key), {c.RUN_ID: base.run_id}),)
    return replace(span, attributes=span.attributes | {c.REUSED: True}, links=links)

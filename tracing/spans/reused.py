"""How is a step shown that a reset took over from the base run?"""

from __future__ import annotations

from msgspec.structs import replace

from tracing import conventions as c
from tracing.runs import Run
from tracing.spans.model import Link, Span


def as_reused(span: Span, base: Run | None, base_step_id: int) -> Span:
    """The span of a step, flagged, with a link to the base run's.

    Args:
        span: The span in this run.
        base: The base run, where it is known.
        base_step_id: Span ID of the step in it.
    """
    links = () if base is None else (Link(base.trace_id, base_step_id, {c.RUN_ID: base.run_id}),)
    return replace(span, attributes=span.attributes | {c.REUSED: True}, links=(*span.links, *links))

"""What is counted of spans that are released? Steps and runs: their workflow task was committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tracing import conventions as c
from tracing.live.failopen import fail_open
from tracing.live.metrics.instruments import Metrics
from tracing.spans.model import NS_PER_S, Span, StatusCode

_STEP_KINDS: Final = frozenset(
    {
        "StartActivity",
        "StartChildWorkflow",
        "StartNexusOperation",
        "SignalChildWorkflow",
        "SignalExternalWorkflow",
        c.REQUEST_CANCEL_EXTERNAL,
        c.TIMER,
    }
)
"""What stands before the colon in the names of steps' spans."""
_RUN_KIND: Final = "RunWorkflow"


def counting(metrics: Metrics, send: Callable[[Span], None]) -> Callable[[Span], None]:
    """What sends a span, and counts it."""

    def counted(span: Span) -> None:
        with fail_open("the metrics of a span"):
            _count(metrics, span)
        send(span)

    return counted


def _count(metrics: Metrics, span: Span) -> None:
    kind = span.name.partition(":")[0]
    if kind == _RUN_KIND:
        metrics.record(c.RUN_DURATION, _seconds(span), span.attributes)
    elif kind in _STEP_KINDS:
        told = span.attributes | {c.METRIC_STEP_KIND: kind, c.METRIC_OUTCOME: _outcome(span)}
        metrics.add(c.STEPS_TAKEN, 1, told)
        metrics.record(c.STEP_DURATION, _seconds(span), told)


def _outcome(span: Span) -> str:
    if span.status is StatusCode.ERROR:
        return "failed"
    return "canceled" if c.ERROR_TYPE in span.attributes or span.attributes.get(c.TIMER_CANCELED) else "completed"


def _seconds(span: Span) -> float:
    return max(0, (span.end or span.start) - span.start) / NS_PER_S

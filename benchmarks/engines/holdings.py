"""What does a trace hold? Counted on its spans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tracing import conventions as c
from tracing.cost import account
from tracing.spans.model import Span, StatusCode

_STEP: Final = c.start_activity("")
_ATTEMPT: Final = c.run_activity("")

COUNTED: Final[Mapping[str, Callable[[Span], bool]]] = {
    "spans": lambda _: True,
    "steps": lambda span: span.name.startswith(_STEP),
    "steps with their input and output": lambda span: span.name.startswith(_STEP) and c.INPUT_VALUE in span.attributes,
    "attempts": lambda span: span.name.startswith(_ATTEMPT),
    "attempts that failed, with the error": lambda span: (
        span.name.startswith(_ATTEMPT) and span.status is StatusCode.ERROR
    ),
    "attempts that name their worker": lambda span: (
        span.name.startswith(_ATTEMPT) and c.WORKER_IDENTITY in span.attributes
    ),
    "attempts with their time in the queue": lambda span: (
        span.name.startswith(_ATTEMPT) and c.QUEUE_TIME in span.attributes
    ),
    "model calls with tokens and cost": lambda span: c.USAGE_INPUT in span.attributes and c.COST in span.attributes,
}


def holdings(spans: Sequence[Span]) -> dict[str, int]:
    """How many spans of a trace hold what, and how many attempts it knows of without knowing what they did."""
    counts = {name: sum(map(holds, spans)) for name, holds in COUNTED.items()}
    return counts | {"attempts of which the cost is unknown": account(spans).unknown_attempts}

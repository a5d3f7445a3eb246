"""Which events was a span read from?"""

from __future__ import annotations

from tracing import conventions as c
from tracing.spans.model import Event, Span


def event_ids(of: Span | Event) -> set[int]:
    """The numbers in ``temporal.event_ids``."""
    ranges = (part.partition("-") for part in str(of.attributes.get(c.EVENT_IDS, "")).split(",") if part)
    return {number for first, _, last in ranges for number in range(int(first), int(last or first) + 1)}

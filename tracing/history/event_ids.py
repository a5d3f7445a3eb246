"""From which events was a span read? The attribute ``temporal.event_ids``, such as ``1-4,8``."""

from __future__ import annotations

from collections.abc import Iterable

from tracing import conventions as c
from tracing.spans.model import Span


def format_event_ids(ids: Iterable[int]) -> str:
    """IDs in order, each once, neighbours joined: ``1-4,8``."""
    runs: list[list[int]] = []
    for event_id in sorted(set(ids)):
        if runs and event_id == runs[-1][1] + 1:
            runs[-1][1] = event_id
        else:
            runs.append([event_id, event_id])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def with_event_ids(span: Span, ids: Iterable[int]) -> Span:
    """The span with the IDs of its events; one that is still open is flagged. Only history knows these."""
    span.attributes[c.EVENT_IDS] = format_event_ids(ids)
    if span.end is None:
        span.attributes[c.UNCLOSED] = True
    return span

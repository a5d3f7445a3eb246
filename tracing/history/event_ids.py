"""From which events was a span read? The attribute ``temporal.event_ids``, such as ``1-4,8``."""

from __future__ import annotations

from collections.abc import Iterable

from tracing import conventions as c
from tracing.spans.model import Span


def format_event_ids(ids: Iterable[int]) -> str:
    """IDs in order, each once, neighbours joined: ``1-4,8``."""
    ordered = sorted(set(ids))
    if not ordered:
        return ""
    first, last = ordered[0], ordered[-1]
    if last - first == len(ordered) - 1:  # as nearly all
        return f"{first}-{last}" if last > first else str(first)
    parts: list[str] = []
    first = last = -1  # no ID
    for event_id in ordered:
        if event_id == last + 1 and parts:
            last = event_id
            continue
        if last > first:
            parts[-1] += f"-{last}"
        parts.append(str(event_id))
        first = last = event_id
    if last > first:
        parts[-1] += f"-{last}"
    return ",".join(parts)


def with_event_ids(span: Span, ids: Iterable[int]) -> Span:
    """The span with the IDs of its events; one that is still open is flagged. Only history knows these.

    What the server told of a pending activity stands in no event.
    """
    found = format_event_ids(ids)
    if found:
        span.attributes[c.EVENT_IDS] = found
    if span.end is None:
        span.attributes[c.UNCLOSED] = True
    return span

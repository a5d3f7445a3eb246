"""In which order do the spans of a trace stand in the picture, and how deep is each?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tracing import conventions as c
from tracing.spans.model import Span


def in_order(spans: Sequence[Span]) -> Iterable[tuple[Span, int]]:
    """Spans, each below its parent, siblings as they began; with their level, 1 for a root.

    None is lost: a span whose parent is not there stands at the margin, and so does the first of those whose parents
    run in circles.
    """
    known = {span.span_id for span in spans}
    by_time = sorted(spans, key=_order)
    children: defaultdict[int | None, list[Span]] = defaultdict(list)
    for span in by_time:
        children[span.parent_id if span.parent_id in known else None].append(span)
    placed: set[int] = set()
    for start in [*children[None], *by_time]:
        waiting = [(start, 1)]
        while waiting:
            span, level = waiting.pop()
            if span.span_id in placed:
                continue
            placed.add(span.span_id)
            yield span, level
            waiting += [(child, level + 1) for child in reversed(children[span.span_id])]


def _order(span: Span) -> tuple[int, int, str, int]:
    """By time; by number where one workflow task asked for several activities."""
    activity_id = str(span.attributes.get(c.ACTIVITY_ID, ""))
    return (
        span.start,
        int(activity_id) if activity_id.isascii() and activity_id.isdecimal() and len(activity_id) < 20 else 0,  # noqa: PLR2004 - event IDs have 64 bits
        span.name,
        span.span_id,
    )

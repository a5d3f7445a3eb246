"""Which spans are to be sent to a place that has some of them?"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tracing.spans.model import Span


def missing(spans: Iterable[Span], known_ids: Collection[int]) -> list[Span]:
    """The closed spans whose IDs are not known, each once, in the order given.

    Args:
        spans: Spans; of several with one ID the first closed one counts.
        known_ids: Span IDs that are there already.
    """
    closed: dict[tuple[int, int], Span] = {}
    for span in spans:
        if span.end is not None and span.span_id not in known_ids:
            closed.setdefault((span.trace_id, span.span_id), span)
    return list(closed.values())

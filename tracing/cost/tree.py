"""Which span is inside which?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracing.spans.model import Span


class SpanTree:
    """Some spans by their parents.

    A span that comes twice (read live and exported) is one; the finished one wins over the open one. Traces are
    untrusted: a span may be its own ancestor.

    Attributes:
        spans: The spans, once each, in the order given.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self._by_id: dict[tuple[int, int], Span] = {}
        for span in spans:
            key = (span.trace_id, span.span_id)
            known = self._by_id.get(key)
            if known is None or (known.end is None and span.end is not None):
                self._by_id[key] = span
        self.spans = list(self._by_id.values())

    def line(self, span: Span) -> Iterator[Span]:
        """The span and its ancestors, innermost first, as far as they are here."""
        seen: set[int] = set()
        current: Span | None = span
        while current is not None and current.span_id not in seen:
            seen.add(current.span_id)
            yield current
            parent = current.parent_id
            current = None if parent is None else self._by_id.get((span.trace_id, parent))

    def has(self, trace_id: int, span_id: int) -> bool:
        """Whether a span is here."""
        return (trace_id, span_id) in self._by_id

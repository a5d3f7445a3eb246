"""Do the spans of a run make a tree, whatever its events and ledgers say?

IDs that a worker gave, and times that a server gave, are unique in real histories. Where they are not, no span may hide
another from a backend that tells spans by their IDs, and none may be its own ancestor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from tracing.identity import repeated_span_id
from tracing.spans.model import Span


def without_cycles(spans: Sequence[Span], top: int) -> list[Span]:
    """Spans of a ledger or a run; those that are their own ancestors become children of its top.

    Args:
        spans: The spans.
        top: Span ID of the ledger's attempt, or of the run.
    """
    parents = {span.span_id: span.parent_id for span in reversed(spans)}  # of several with one ID, the first keeps it
    fine = {top, None}
    mended = []
    for span in spans:
        path: dict[int, None] = {}
        above: int | None = span.span_id
        while above in parents and above not in fine and above not in path:
            path[above] = None
            above = parents[above]
        if above in path:
            parents[span.span_id] = top
            mended.append(replace(span, parent_id=top))
        else:
            fine.update(path)
            mended.append(span)
    return mended


def with_own_ids(spans: list[Span]) -> list[Span]:
    """The spans, each with an ID of its own, and none its own ancestor: ledgers may name spans of other ledgers.

    Where an ID is taken, the next gets another, also as a parent. The first span (the run's) and those right below it
    keep theirs: what is recorded inside of steps takes none away.
    """
    top = spans[0].span_id
    if _is_tree(spans):
        return spans
    if len({span.span_id for span in spans}) == len(spans):
        return without_cycles(spans, top)
    keepers: dict[int, int] = {}
    for place in sorted(range(len(spans)), key=lambda place: place > 0 and spans[place].parent_id != top):
        keepers.setdefault(spans[place].span_id, place)
    repeated: dict[int, int] = {}
    own = []
    now: dict[int | None, int] = {}
    for place, span in enumerate(spans):
        moved = replace(span, parent_id=now.get(span.parent_id, span.parent_id))
        if keepers[span.span_id] == place:
            now.pop(span.span_id, None)
        else:
            nth = repeated[span.span_id] = repeated.get(span.span_id, 1) + 1
            moved = replace(moved, span_id=repeated_span_id(span.span_id, nth))
            if span.span_id != top:
                now[span.span_id] = moved.span_id
        own.append(moved)
    return without_cycles(own, top)


def _is_tree(spans: Iterable[Span]) -> bool:
    """Whether each span has an ID of its own and comes after its parent, as those of nearly all runs do."""
    seen: set[int | None] = set()
    for span in spans:
        if span.span_id in seen or (seen and span.parent_id not in seen):
            return False
        seen.add(span.span_id)
    return True

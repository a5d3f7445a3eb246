"""Are the live spans and the exported ones the same?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracing.conventions import LEDGER_CUT, QUERY_NAME, READER_ONLY, WORKFLOW_CODE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracing.tracefile import Span


@dataclass(frozen=True)
class Pair:
    """A span as it was live and as it was exported; one of the two may be missing.

    Attributes:
        live: As it was live.
        exported: As it was exported.
        cut: Whether it is of a failed attempt whose whole record the server had no room for.
    """

    live: Span | None
    exported: Span | None
    cut: bool = False

    @property
    def live_only(self) -> bool:
        """Whether a history cannot know of it: a query, or what workflow code did between its steps."""
        return (
            self.exported is None
            and self.live is not None
            and not self.live.attributes.keys().isdisjoint({QUERY_NAME, WORKFLOW_CODE})
        )

    @property
    def differences(self) -> list[str]:
        """What differs of what must not, by name; empty where one of the two is missing."""
        if self.live is None or self.exported is None:
            return []
        live, exported = self.live, self.exported
        same = {
            "trace": live.trace_id == exported.trace_id,
            "parent": live.parent_id == exported.parent_id,
            "name": live.name == exported.name,
            "kind": live.kind == exported.kind,
            "status": live.status == exported.status,
            "start": live.start == exported.start,
        }
        keys = (live.attributes.keys() | exported.attributes.keys()) - READER_ONLY
        changed = sorted(key for key in keys if live.attributes.get(key) != exported.attributes.get(key))
        changed = [key for key in changed if key not in self.left_out]
        return [name for name, equal in same.items() if not equal] + changed

    @property
    def left_out(self) -> frozenset[str]:
        """Attributes that the export lacks because there was no room for them in a failed attempt's record."""
        if not self.cut or self.live is None or self.exported is None:
            return frozenset()
        return frozenset(self.live.attributes.keys() - self.exported.attributes.keys() - READER_ONLY)


def paired(live: Sequence[Span], exported: Sequence[Span]) -> list[Pair]:
    """Live and exported spans by their IDs, in the order they began."""
    lives = {span.span_id: span for span in live}
    exports = {span.span_id: span for span in exported}
    pairs = [
        Pair(lives.get(span_id), exports.get(span_id), cut=_is_cut(span_id, exports))
        for span_id in lives.keys() | exports.keys()
    ]
    return sorted(pairs, key=_begin)


def _is_cut(span_id: int | None, exports: Mapping[int, Span]) -> bool:
    """Whether an exported span is inside an attempt whose record was cut."""
    span = exports.get(span_id) if span_id is not None else None
    return span is not None and (LEDGER_CUT in span.attributes or _is_cut(span.parent_id, exports))


def _begin(pair: Pair) -> tuple[int, int]:
    span = pair.exported or pair.live
    assert span is not None  # a pair has at least one side
    return span.start, span.span_id

"""Are the live spans and the exported ones the same?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracing.conventions import READER_ONLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.tracefile import Span


@dataclass(frozen=True)
class Pair:
    """A span as it was live and as it was exported; one of the two may be missing."""

    live: Span | None
    exported: Span | None

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
        return [name for name, equal in same.items() if not equal] + changed


def paired(live: Sequence[Span], exported: Sequence[Span]) -> list[Pair]:
    """Live and exported spans by their IDs, in the order they began."""
    lives = {span.span_id: span for span in live}
    exports = {span.span_id: span for span in exported}
    pairs = [Pair(lives.get(span_id), exports.get(span_id)) for span_id in lives.keys() | exports.keys()]
    return sorted(pairs, key=_begin)


def _begin(pair: Pair) -> tuple[int, int]:
    span = pair.exported or pair.live
    assert span is not None  # a pair has at least one side
    return span.start, span.span_id

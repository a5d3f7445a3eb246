"""How are the attributes of many spans written, without a look at each attribute of each span?

Spans of a kind have the same keys, and most of their values are those of the span before. So many of a kind are written
key by key: what all have in common once, and only what differs span by span.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final

from tracing.runs import AttributeValue
from tracing.tracefile.fragments import Fragments

FEW: Final = 16
"""So many are written one by one: that takes less time."""

_TOLD_APART: Final = frozenset({bool, int})
"""Classes of which two values are written alike if they are equal and of one class: True and 1 are not."""


def joined_each(fragments: Fragments, separator: bytes, rows: Sequence[Mapping[str, AttributeValue]]) -> list[bytes]:
    """The attributes of many spans as ``Fragments.joined`` writes those of each.

    Args:
        fragments: How an attribute is written.
        separator: Stands between two attributes.
        rows: The attributes of each span.
    """
    if len(rows) <= FEW:
        return [fragments.joined(separator, row) for row in rows]
    alike: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        alike[tuple(row)].append(place)
    written = [b""] * len(rows)
    for keys, places in alike.items():
        of_kind = [rows[place] for place in places]
        # Where all are the same, there is no end of what is written by column.
        for place, row_written in zip(places, _joined(fragments, separator, keys, of_kind), strict=False):
            written[place] = row_written
    return written


def _joined(
    fragments: Fragments, separator: bytes, keys: Sequence[str], rows: Sequence[Mapping[str, AttributeValue]]
) -> Iterator[bytes]:
    """Rows with the same keys."""
    if len(rows) <= FEW:
        return (fragments.joined(separator, row) for row in rows)
    parts: list[Iterable[bytes]] = []
    same = b""  # what all have, since the last that differs
    for key, values in zip(keys, zip(*[row.values() for row in rows], strict=True), strict=True):
        if _is_one(values):
            same += fragments.joined(b"", {key: values[0]}) + separator
        else:
            parts += [repeat(same), fragments.each(key, values)]
            same = separator
    parts.append(repeat(same.removesuffix(separator)))
    return map(b"".join, zip(*parts, strict=False))


def _is_one(values: Sequence[AttributeValue]) -> bool:
    """Whether all values are written alike, as far as can be told without writing them."""
    first = values[0]
    if isinstance(first, str):
        return values.count(first) == len(values)
    if type(first) in _TOLD_APART:
        return values.count(first) == len(values) and len(set(map(type, values))) == 1
    # Floats that are equal may be written differently (0.0 and -0.0), and a user's hook gives what it likes.
    return len(set(map(id, values))) == 1

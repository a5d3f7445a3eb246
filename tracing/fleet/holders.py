"""Which inputs hold a run together?

A run may come twice: exported while it was open, and again; as trace and as history; on both sides of a rotated file.
16 bytes of each run are remembered, by which that is noticed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from tracing.fleet.inputs import Input

_KEY_BYTES: Final = 16


class Holders:
    """The inputs that were read, and the runs of each."""

    def __init__(self) -> None:
        self._inputs: list[Input] = []
        self._first: dict[bytes, int] = {}
        self._several: dict[bytes, list[int]] = {}

    def note(self, item: Input, keys: bytes) -> int:
        """Note which runs an input holds.

        Args:
            item: The input.
            keys: The keys of its runs, one after the other.

        Returns:
            How many inputs were noted.
        """
        position = len(self._inputs)
        self._inputs.append(item)
        for begin in range(0, len(keys), _KEY_BYTES):
            key = keys[begin : begin + _KEY_BYTES]
            if key in self._first:  # by another input, or by this one twice
                self._several.setdefault(key, [self._first[key]]).append(position)
            else:
                self._first[key] = position
        return len(self._inputs)

    def shared(self) -> Iterator[tuple[Sequence[Input], set[bytes]]]:
        """The inputs that hold runs together, with the keys of these."""
        by_holders: defaultdict[tuple[int, ...], set[bytes]] = defaultdict(set)
        for key, positions in self._several.items():
            by_holders[tuple(dict.fromkeys(positions))].add(key)
        for holders, keys in by_holders.items():
            yield [self._inputs[position] for position in holders], keys

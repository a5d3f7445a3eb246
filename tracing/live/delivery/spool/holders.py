"""Who still has to deliver which kept span?

The *holders* of a span are the exporters that were given it, and the outbox before them. A holder lets go when it has
delivered the span, or when it says that it failed; the span then waits to be sent again, to that exporter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Final

from tracing.live.delivery.spool.files import Place

OUTBOX: Final = 1
"""The holder of spans that wait to be handed to the span processors."""


@dataclass(slots=True)
class _Kept:
    """A span.

    Attributes:
        place: Where its record is.
        held: Holders that have it in hand, a bit each.
        failed: Exporters that it waits for, a bit each.
    """

    place: Place
    held: int = 0
    failed: int = 0


class Holders:
    """The spans that are kept, each until nobody has to do with it. Not thread-safe.

    Args:
        exporters: How many exporters there are.
    """

    def __init__(self, exporters: int = 0) -> None:
        self._kept: dict[bytes, _Kept] = {}
        self._waiting: dict[int, dict[bytes, None]] = {OUTBOX << number: {} for number in range(1, exporters + 1)}

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: bytes) -> bool:
        return key in self._kept

    @property
    def exporters(self) -> int:
        """How many exporters there are."""
        return len(self._waiting)

    def add_exporter(self) -> int:
        """A holder for one more exporter."""
        holder = OUTBOX << (len(self._waiting) + 1)
        self._waiting[holder] = {}
        return holder

    def place(self, key: bytes) -> Place | None:
        """Where a span is; None where it is not kept."""
        kept = self._kept.get(key)
        return kept.place if kept is not None else None

    def move(self, key: bytes, place: Place) -> None:
        """A kept span is somewhere else now."""
        self._kept[key].place = place

    def hold(self, key: bytes, holder: int) -> bool:
        """Let a holder hold a span; False where that is not kept."""
        kept = self._kept.get(key)
        if kept is None:
            return False
        kept.held |= holder
        return True

    def keep(self, key: bytes, place: Place, holder: int) -> None:
        """Keep a span for a holder."""
        self._kept[key] = _Kept(place, held=holder)

    def keep_for_all(self, key: bytes, place: Place) -> Place | None:
        """Keep a span that waits for every exporter.

        Returns:
            Its place, where nobody would ever send it: it is not kept.
        """
        self._kept[key] = kept = _Kept(place)
        return self._wait(key, kept, sum(self._waiting))

    def delivered(self, key: bytes, holder: int) -> Place | None:
        """A holder has no more to do with a span.

        Returns:
            Its place, where nobody else has: it is no longer kept.
        """
        kept = self._kept.get(key)
        if kept is None:
            return None
        kept.held &= ~holder
        kept.failed &= ~holder
        if holder in self._waiting:
            self._waiting[holder].pop(key, None)
        return self._unless_needed(key, kept)

    def failed(self, key: bytes, holder: int) -> Place | None:
        """A holder could not deliver a kept span; it waits for that exporter, behind those that wait already.

        Returns:
            Its place, where nobody would ever send it: it is no longer kept.
        """
        kept = self._kept[key]
        kept.held &= ~holder
        return self._wait(key, kept, sum(self._waiting) if holder == OUTBOX else holder)

    def forget(self, key: bytes) -> Place | None:
        """A span cannot be delivered by anybody; its place."""
        for waiting in self._waiting.values():
            waiting.pop(key, None)
        kept = self._kept.pop(key, None)
        return kept.place if kept is not None else None

    def waiting_for(self, exporter: int) -> int:
        """How many spans wait for an exporter."""
        return len(self._waiting[exporter])

    def oldest(self, exporter: int, limit: int) -> list[bytes]:
        """The spans that have waited longest for an exporter."""
        return list(islice(self._waiting[exporter], limit))

    def _wait(self, key: bytes, kept: _Kept, exporters: int) -> Place | None:
        for exporter, waiting in self._waiting.items():
            if exporter & exporters:
                kept.failed |= exporter
                waiting.pop(key, None)
                waiting[key] = None
        return self._unless_needed(key, kept)

    def _unless_needed(self, key: bytes, kept: _Kept) -> Place | None:
        if kept.held | kept.failed:
            return None
        del self._kept[key]
        return kept.place

"""How do one process's spool files grow, and how are they kept small?

Records are appended to the newest file. A file whose records are all done is removed, or emptied where it is the
newest; one where little is left that matters gives that little to the newest and is removed, so that an attempt that
runs for hours keeps no file alive.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from tracing.live.delivery.spool.folder import Lock, new_lock, used_bytes
from tracing.live.delivery.spool.records import Kind, Record
from tracing.live.delivery.spool.segment import Segment

_LARGEST: Final = 4 << 20
_SMALLEST: Final = 64 << 10
_SPARSE: Final = 4
"""A file is rewritten when less than one part in so many of it matters."""


class Place(NamedTuple):
    """Where a record is."""

    segment: Segment
    record: Record


class FullError(Exception):
    """There is no room for a record."""


class Files:
    """The spool files that this process holds: its own, and those it took over. Not thread-safe.

    Args:
        folder: The folder.
        max_bytes: Most bytes that all files in the folder may have.

    Raises:
        OSError: The folder cannot be written.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = max(_SMALLEST, min(_LARGEST, max_bytes // 8))
        self._lock = new_lock(folder)
        self._active: Segment | None = None
        self._number = 0
        self._sealed: list[Segment] = []
        self._taken: dict[Lock, list[Segment]] = {}
        self._used_by_others = 0
        self.measure()

    def append(self, kind: Kind, key: bytes, span: bytes, *, moved: bool = False) -> Place:
        """Append a record.

        Args:
            kind: What it says of the span.
            key: Trace ID and span ID.
            span: The span, as OTLP.
            moved: Whether it is there already, and makes room where it was.

        Raises:
            FullError: There is no room for it.
            OSError: It cannot be written.
        """
        if not moved and self.used() + len(span) > self._max_bytes:
            raise FullError
        segment = self._active
        if segment is None or segment.size + len(span) > self._segment_bytes:
            segment = self._next()
        record = segment.append(kind, key, span)
        if record is None:
            raise FullError
        return Place(segment, record)

    def done(self, place: Place) -> None:
        """A record no longer matters."""
        place.segment.mark_done(place.record)
        if place.segment.live == 0:
            self._finish(place.segment)

    def take(self, lock: Lock, segments: list[Segment]) -> None:
        """Hold the files of a dead owner; what does not matter any longer is removed."""
        self._taken[lock] = segments
        for segment in list(segments):
            if segment.live == 0:
                self._finish(segment)
        if lock in self._taken and not segments:
            self._release(lock)
        self.measure()

    def sparse(self) -> Segment | None:
        """A file that is worth rewriting."""
        for segment in self._closed():
            if not segment.damage and segment.live_bytes * _SPARSE < segment.size:
                return segment
        return None

    def measure(self) -> None:
        """Learn how much the files of others take."""
        self._used_by_others = max(0, used_bytes(self._folder) - self._size())

    def used(self) -> int:
        """How many bytes the files in the folder take: these, and those of others when last measured."""
        return self._size() + self._used_by_others

    def touch(self) -> None:
        """Give a sign of life."""
        self._lock.touch()

    def close(self) -> None:
        """Give all files up; those with nothing that matters are removed."""
        if self._active is not None and self._active.live == 0:
            self._active.remove()
            self._active = None
        if self._active is None and not self._sealed:
            self._lock.remove()
        else:
            self._lock.close()
        self.abandon(locks=False)

    def abandon(self, *, locks: bool = True) -> None:
        """Close all files as they are; in a forked child they are the parent's."""
        for segment in [*self._closed(), *([self._active] if self._active else [])]:
            segment.close()
        for lock in [*self._taken, *([self._lock] if locks else [])]:
            lock.close()

    def _next(self) -> Segment:
        if self._active is not None and self._active.live:
            self._sealed.append(self._active)
        elif self._active is not None:
            self._active.remove()
        self._active = None
        self._number += 1
        self._active = Segment.create(self._folder / f"{self._lock.owner}.{self._number:06}.spool")
        self.measure()
        return self._active

    def _finish(self, segment: Segment) -> None:
        if segment is self._active:
            if segment.size > self._segment_bytes // 4:
                segment.empty()
            return
        if segment in self._sealed:
            self._sealed.remove(segment)
        for segments in self._taken.values():
            if segment in segments:
                segments.remove(segment)
        # The lock last: whoever gets it then finds no file that is about to go.
        segment.remove()
        for lock in [lock for lock, segments in self._taken.items() if not segments]:
            self._release(lock)

    def _release(self, lock: Lock) -> None:
        del self._taken[lock]
        lock.remove()

    def _closed(self) -> list[Segment]:
        return [*self._sealed, *(segment for segments in self._taken.values() for segment in segments)]

    def _size(self) -> int:
        return (self._active.size if self._active else 0) + sum(segment.size for segment in self._closed())

"""Which records have been written so far, and where in their file is each?

The manifest and the journal are files of one form: a record a line. The journal is only ever appended to, so that a
process that is killed leaves at most its last line torn. What is held in memory is where a source's lines begin.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import IO, Final

from tracing.export.records import Record, decode_line, encode_line

_SYNC_SECONDS: Final = 5.0
"""Longest time that lines are not on the disk: after a power cut, what was done in it is done again."""


def source_key(source: str) -> bytes:
    """A source, short enough to remember a million of them."""
    return blake2b(source.encode("utf-8", "surrogatepass"), digest_size=12).digest()


class RecordFile:
    """A file of records, read by source.

    Attributes:
        path: The file; it may be missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Where the lines of a source begin, by part; a source of one history needs no list.
        self._places: dict[bytes, int | list[int]] = {}
        self._file: IO[bytes] | None = None
        if path.exists():
            self._file = path.open("rb")
            self._index(self._file)

    def __contains__(self, source: str) -> bool:
        return source_key(source) in self._places

    def get(self, source: str) -> tuple[Record, ...]:
        """The records of a source; none where one of them is missing."""
        places = self._places.get(source_key(source))
        if places is None:
            return ()
        records = [self._read(place) for place in ([places] if isinstance(places, int) else places)]
        found = tuple(record for record in records if record is not None and record.source == source)
        return found if found and len(found) == found[0].parts else ()

    def lines(self) -> Iterator[tuple[Record, int]]:
        """All records that count, each with its place."""
        for places in self._places.values():
            for place in [places] if isinstance(places, int) else places:
                record = self._read(place)
                if record is not None:
                    yield record, place

    def line(self, place: int) -> bytes:
        """The line at a place."""
        assert self._file is not None
        self._file.seek(place)
        return self._file.readline()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _index(self, file: IO[bytes]) -> None:
        place = 0
        for line in file:
            record = decode_line(line) if line.endswith(b"\n") else None
            if record is not None:
                self._remember(record, place)
            place += len(line)

    def _remember(self, record: Record, place: int) -> None:
        """A later line of a source and part stands for an earlier one."""
        key = source_key(record.source)
        if record.parts == 1:
            self._places[key] = place
            return
        places = self._places.get(key)
        if not isinstance(places, list) or len(places) != record.parts:
            places = [_NOWHERE] * record.parts
            self._places[key] = places
        if 0 < record.part <= record.parts:
            places[record.part - 1] = place

    def _read(self, place: int) -> Record | None:
        return decode_line(self.line(place)) if place != _NOWHERE else None


_NOWHERE: Final = -1


class Journal(RecordFile):
    """Records of what is being exported, appended as soon as an item is done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._size = _without_torn_line(path)
        super().__init__(path)
        self._appending = path.open("ab", buffering=0)
        if self._file is None:
            self._file = path.open("rb")
        self._synced = time.monotonic()

    def append(self, records: Iterable[Record]) -> None:
        """Write the records of an item, all in one go."""
        lines = [(record, encode_line(record)) for record in records]
        rest = memoryview(b"".join(line for _, line in lines))
        while rest:  # a disk that is filling up takes less than it is given, before it says so
            rest = rest[self._appending.write(rest) :]
        for record, line in lines:
            self._remember(record, self._size)
            self._size += len(line)
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Put what was written on the disk."""
        os.fsync(self._appending.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Put all on the disk, and close."""
        if not self._appending.closed:
            self.sync()
            self._appending.close()
        super().close()


def _without_torn_line(path: Path) -> int:
    """Cut off a last line that has no end; the size of the file then, in bytes."""
    try:
        with path.open("r+b") as file:
            end = 0
            for line in file:
                if line.endswith(b"\n"):
                    end += len(line)
            file.truncate(end)
            return end
    except FileNotFoundError:
        return 0

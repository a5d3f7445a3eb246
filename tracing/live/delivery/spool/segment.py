"""What can be done with one file of the spool: append, mark done, read again, remove."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from tracing.live.delivery.spool.records import (
    DONE,
    KEY_BYTES,
    MAGIC,
    MAX_RECORD_BYTES,
    Kind,
    Record,
    record_bytes,
    scan,
    span_of,
)

MAX_FILE_BYTES: Final = 64 << 20
"""Largest file that is read; the spool itself writes smaller ones."""


class Segment:
    """A file of the spool, open for reading and writing. Its users hold the spool's lock.

    What is written has reached the operating system when :meth:`append` returns: it outlives the process, though not
    a crash of the machine, for there is no ``fsync``.

    Attributes:
        path: Where it is.
        size: Its size in bytes.
        live: Records that still matter.
        live_bytes: Their size.
        damage: Why its end cannot be read; such a file is put aside, not removed.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.size = 0
        self.live = 0
        self.live_bytes = 0
        self.damage = ""

    @classmethod
    def create(cls, path: Path) -> Segment:
        """A new file.

        Raises:
            OSError: It cannot be made.
        """
        segment = cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        try:
            segment._write(MAGIC)
        except OSError:
            segment.remove()
            raise
        return segment

    @classmethod
    def open(cls, path: Path) -> tuple[Segment, list[Record]]:
        """A file that another process left, and its records.

        Raises:
            OSError: It cannot be read, or is no file of this user's.
        """
        segment = cls(path, os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        status = os.fstat(segment._descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            segment.close()
            raise OSError("not a file of this user's")
        segment.size = status.st_size
        records = segment.records()
        for record in records:
            if not record.done:
                segment.live += 1
                segment.live_bytes += record.size
        return segment, records

    def records(self) -> list[Record]:
        """All its records, as they are in the file."""
        found = scan(_read_all(self._descriptor, min(self.size, MAX_FILE_BYTES)))
        self.damage = found.damage or ("it is too large" if self.size > MAX_FILE_BYTES else "")
        return found.records

    def append(self, kind: Kind, key: bytes, span: bytes) -> Record | None:
        """Append a record; None where it is too large.

        Raises:
            OSError: The disk is full, for example. The file is then as it was.
        """
        data = record_bytes(kind, key, span)
        if len(data) > MAX_RECORD_BYTES:
            return None
        offset = self.size
        self._write(data)
        self.live += 1
        self.live_bytes += len(data)
        return Record(kind, done=False, key=key, offset=offset, size=len(data))

    def _write(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                # A disk that is full takes a part first, and fails with the rest.
                written += os.pwrite(self._descriptor, data[written:], self.size + written)
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(data)

    def mark_done(self, record: Record) -> None:
        """Say in the file that a record no longer matters."""
        os.pwrite(self._descriptor, DONE, record.offset)
        self.live -= 1
        self.live_bytes -= record.size

    def read(self, record: Record) -> bytes | None:
        """The span of a record; None where the file has been changed by others."""
        data = os.pread(self._descriptor, record.size, record.offset)
        if data[_KEY] != record.key:
            return None
        return span_of(data)

    def empty(self) -> None:
        """Take back the space, where no record matters any longer."""
        os.ftruncate(self._descriptor, len(MAGIC))
        self.size = len(MAGIC)

    def close(self) -> None:
        """Give the file up; it stays."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Give the file up and remove it; a damaged one is put aside."""
        self.close()
        if self.damage:
            self.path.rename(self.path.with_suffix(".damaged"))
        else:
            self.path.unlink(missing_ok=True)


_KEY: Final = slice(12, 12 + KEY_BYTES)


def _read_all(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    offset = 0
    while offset < size:
        part = os.pread(descriptor, size - offset, offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
    return b"".join(parts)

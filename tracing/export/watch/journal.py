"""How does a file hold records that are only added, so that a kill at any moment loses none that was said to be there?

A line is a record: the CRC-32 of its JSON, and the JSON. The last line may be cut off, by a kill while it was written;
it was not said to be there, and is taken away. Damage elsewhere is no kill's work.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self
from zlib import crc32

import msgspec

from tracing.tracefile.atomic import atomic_writer

_PRIVATE: Final = 0o600
_CRC_DIGITS: Final = 8


class Head(msgspec.Struct, tag="head", tag_field="kind", frozen=True):
    """What the whole file is about; its first record.

    Attributes:
        version: Version of the format.
        scope: What is watched, and for whom, as it is compared.
        begin: Close time, in µs since the epoch, before which runs are none of ours.
        since: Close time, in µs, up to which every run is handled that visibility showed.
        next: Number that the next batch gets.
    """

    version: int
    scope: dict[str, str]
    begin: int
    since: int
    next: int


class Done(msgspec.Struct, tag="done", tag_field="kind", frozen=True):
    """A run is handled: its batches are kept, and all those with a number before `next` count.

    Attributes:
        run_id: The run.
        closed: When it closed, in µs since the epoch.
        next: Number that the next batch gets.
    """

    run_id: str
    closed: int
    next: int


class Split(msgspec.Struct, tag="split", tag_field="kind", frozen=True):
    """A batch was too large: others, with numbers before `next`, stand for it.

    Attributes:
        number: The batch's number.
        next: Number that the next batch gets.
    """

    number: int
    next: int


class Reached(msgspec.Struct, tag="reached", tag_field="kind", frozen=True):
    """Every run that closed before is handled.

    Attributes:
        since: Close time, in µs since the epoch.
    """

    since: int


Record = Head | Done | Split | Reached

_DECODER: Final = msgspec.json.Decoder(Record)
_ENCODER: Final = msgspec.json.Encoder()


class DamagedError(ValueError):
    """A file that is not as it was written."""


class Journal:
    """The file, open for adding. Whoever uses it holds the checkpoint's lock."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path, records: Iterable[Record]) -> Self:
        """Write a new file, or one in the place of another, at once and whole.

        Raises:
            OSError: It cannot be written.
        """
        with atomic_writer(path, mode=_PRIVATE) as file:
            file.writelines(_line(record) for record in records)
        return cls(path, os.open(path, os.O_WRONLY | os.O_APPEND))

    @classmethod
    def open(cls, path: Path) -> tuple[Self, list[Record]]:
        """Open a file, with its records; half a record at its end is taken away.

        Raises:
            DamagedError: It has other damage, or is none of ours.
            OSError: It cannot be read or written.
        """
        records: list[Record] = []
        whole = 0
        lines = io.BytesIO(path.read_bytes()).readlines()
        for number, line in enumerate(lines, 1):
            record = _record(line)
            if record is None:
                if number < len(lines) or line.endswith(b"\n"):  # a kill leaves the beginning of a line
                    raise DamagedError(f"line {number} is damaged")
                break
            records.append(record)
            whole += len(line)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.ftruncate(descriptor, whole)
        return cls(path, descriptor), records

    def add(self, record: Record) -> None:
        """Add a record; it is on the disk when this returns.

        Raises:
            OSError: It cannot be written; then nothing of it stays.
        """
        before = os.fstat(self._descriptor).st_size
        line = _line(record)
        try:
            if os.write(self._descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - what a short write means
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, before)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _line(record: Record) -> bytes:
    content = _ENCODER.encode(record)
    return b"%08x %b\n" % (crc32(content), content)


def _record(line: bytes) -> Record | None:
    content = line[_CRC_DIGITS + 1 : -1]
    if line != b"%08x %b\n" % (crc32(content), content):
        return None
    try:
        record: Record = _DECODER.decode(content)
    except msgspec.MsgspecError:
        return None
    return record

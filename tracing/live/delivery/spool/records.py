"""What does a spool file hold, and how much of a damaged one can be trusted?

A file is :data:`MAGIC` and records one after another. Each says how long it is, with a checksum of its own over that,
so that a record whose end is missing (its writer was killed) is told from one that is damaged. The first byte is the
record's state: it is overwritten in place when a span has arrived, so that nothing need be appended for it. The two
states differ in every bit: no single wrong bit turns one into the other.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple
from zlib import crc32

MAGIC: Final = b"durable-trace spool 1\n"
KEY_BYTES: Final = 24
"""Trace ID and span ID: what a record is known by."""
MAX_RECORD_BYTES: Final = 16 << 20
"""Largest record; a span that is larger is not kept."""

_HEAD: Final = struct.Struct(">BBIIH")
_CHECKED: Final = struct.Struct(">BII")


class State(IntEnum):
    """Whether a record still matters."""

    OPEN = 0xA5
    DONE = 0x5A


class Kind(IntEnum):
    """What a record says of its span."""

    STARTED = 0x53
    ENDED = 0x45


DONE: Final = bytes([State.DONE])
"""What is written over a record's first byte when it no longer matters."""


class Record(NamedTuple):
    """One record of a file.

    Attributes:
        kind: What it says of its span.
        done: Whether it no longer matters.
        key: Trace ID and span ID.
        offset: Where in the file it begins.
        size: Its length in bytes.
    """

    kind: Kind
    done: bool
    key: bytes
    offset: int
    size: int


class Scan(NamedTuple):
    """What a file holds.

    Attributes:
        records: Its records, up to the first that cannot be read.
        damage: Why reading stopped there; "" at the file's end, also where the last record lacks its own.
    """

    records: list[Record]
    damage: str


def record_bytes(kind: Kind, key: bytes, span: bytes) -> bytes:
    """A record, open.

    Args:
        kind: What it says of the span.
        key: Trace ID and span ID.
        span: The span, as OTLP.
    """
    checksum = crc32(span, crc32(key))
    return _head(State.OPEN, kind, len(key) + len(span), checksum) + key + span


def scan(data: bytes) -> Scan:
    """Find the records of a whole file; never raises."""
    if not data.startswith(MAGIC):
        return Scan([], "" if MAGIC.startswith(data) else "it is no spool file of this version")
    records: list[Record] = []
    offset = len(MAGIC)
    while offset + _HEAD.size <= len(data):
        state, kind, length, checksum, check = _HEAD.unpack_from(data, offset)
        begin, end = offset + _HEAD.size, offset + _HEAD.size + length
        if check != _check(kind, length, checksum) or kind not in _KINDS or state not in _STATES or length < KEY_BYTES:
            return Scan(records, f"the record at byte {offset} is damaged")
        if end > len(data):
            break
        if crc32(memoryview(data)[begin:end]) != checksum:
            return Scan(records, f"the record at byte {offset} is damaged")
        records.append(Record(Kind(kind), state == State.DONE, data[begin : begin + KEY_BYTES], offset, end - offset))
        offset = end
    return Scan(records, "")


def span_of(record: bytes) -> bytes | None:
    """The span of a record as it was read again from its place; None where it has changed meanwhile."""
    found = scan(MAGIC + record)
    if found.damage or not found.records or found.records[0].size != len(record):
        return None
    return record[_HEAD.size + KEY_BYTES :]


_STATES: Final = frozenset(State)
_KINDS: Final = frozenset(Kind)


def _head(state: State, kind: Kind, length: int, checksum: int) -> bytes:
    return _HEAD.pack(state, kind, length, checksum, _check(kind, length, checksum))


def _check(kind: int, length: int, checksum: int) -> int:
    return crc32(_CHECKED.pack(kind, length, checksum)) & 0xFFFF

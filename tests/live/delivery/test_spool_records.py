"""The spool's files: whatever is cut off or changed in them, what comes before it can be read, and nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.live.delivery.spool.records import DONE, MAGIC, Kind, Record, record_bytes, scan, span_of

FIRST, SECOND = bytes(range(24)), bytes(range(24, 48))


def file_of(*spans: bytes) -> bytes:
    return MAGIC + b"".join(record_bytes(Kind.ENDED, FIRST, span) for span in spans)


def told(data: bytes) -> list[tuple[Kind, bool, bytes, bytes | None]]:
    """What a file says: kind, done, key and span of each record."""
    return [(r.kind, r.done, r.key, span_of(data[r.offset : r.offset + r.size])) for r in scan(data).records]


def test_a_file_says_what_was_written() -> None:
    data = MAGIC + record_bytes(Kind.STARTED, FIRST, b"begun") + record_bytes(Kind.ENDED, SECOND, b"")
    assert told(data) == [(Kind.STARTED, False, FIRST, b"begun"), (Kind.ENDED, False, SECOND, b"")]
    assert scan(data).records[0] == Record(Kind.STARTED, done=False, key=FIRST, offset=22, size=41)
    assert scan(data).damage == ""


def test_a_record_is_done_by_its_first_byte() -> None:
    data = bytearray(file_of(b"span"))
    data[len(MAGIC) : len(MAGIC) + 1] = DONE
    assert told(bytes(data)) == [(Kind.ENDED, True, FIRST, b"span")]


@pytest.mark.parametrize("data", [b"", MAGIC[:5], MAGIC])
def test_a_file_that_was_just_begun_is_empty(data: bytes) -> None:
    assert scan(data) == ([], "")


@pytest.mark.parametrize("data", [b"# notes\n", b"\0" * 100, b"durable-trace spool 2\n"])
def test_another_file_is_none(data: bytes) -> None:
    assert scan(data) == ([], "it is no spool file of this version")


spans = st.lists(st.binary(max_size=40), max_size=5)


@given(spans, st.data())
def test_a_file_that_is_cut_off_has_the_records_before_the_cut(written: list[bytes], data: st.DataObject) -> None:
    whole = file_of(*written)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    assert told(cut) == told(whole)[: len(told(cut))]
    # A writer that was killed is no damage.
    assert scan(cut).damage == ""


@given(spans, st.data())
def test_a_wrong_bit_ends_reading_there(written: list[bytes], data: st.DataObject) -> None:
    whole = file_of(*written)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    left = told(bytes(changed))
    assert left == told(whole)[: len(left)]
    assert not written or len(left) < len(written)
    assert scan(bytes(changed)).damage != ""


@given(st.binary(max_size=300))
def test_anything_can_be_scanned(noise: bytes) -> None:
    scan(noise)
    scan(MAGIC + noise)
    assert span_of(noise) is None or noise

"""A file of records that only grows, cut off or damaged anywhere."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.export.watch.journal import DamagedError, Done, Head, Journal, Reached, Record, Split

if TYPE_CHECKING:
    from pathlib import Path

HEAD = Head(1, {"namespace": "default"}, begin=1_000, since=1_000, next=1)
RECORDS: list[Record] = [HEAD, Done("run-1", 2_000, 3), Split(2, 5), Reached(2_000), Done("run-2", 2_500, 5)]


def written(path: Path) -> bytes:
    journal = Journal.create(path, [HEAD])
    for record in RECORDS[1:]:
        journal.add(record)
    journal.close()
    return path.read_bytes()


def opened(path: Path) -> list[Record]:
    journal, records = Journal.open(path)
    journal.close()
    return records


def test_what_was_added_is_there(tmp_path: Path) -> None:
    written(tmp_path / "journal")
    assert opened(tmp_path / "journal") == RECORDS


def test_the_file_is_private_and_readable_by_people(tmp_path: Path) -> None:
    content = written(tmp_path / "journal")
    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o600
    assert content.splitlines()[1] == b'476265bc {"kind":"done","run_id":"run-1","closed":2000,"next":3}'


def test_a_record_that_was_being_written_is_taken_away_wherever_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    content = written(path)
    last = content.rindex(b"\n", 0, -1) + 1
    for size in range(last, len(content)):
        path.write_bytes(content[:size])
        assert opened(path) == RECORDS[:-1]
        assert path.read_bytes() == content[:last]


def test_what_is_added_after_half_a_record_stands_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(written(path)[:-5])
    journal, _ = Journal.open(path)
    journal.add(Reached(9_000))
    journal.close()
    assert opened(path) == [*RECORDS[:-1], Reached(9_000)]


def test_damage_that_no_kill_leaves_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(written(path).replace(b"run-1", b"run-7"))
    with pytest.raises(DamagedError, match=r"^line 2 is damaged$"):
        Journal.open(path)


@pytest.mark.slow
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_single_wrong_bit_is_taken_for_a_record(
    tmp_path_factory: pytest.TempPathFactory, position: int, bit: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    content = bytearray(written(path))
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    try:
        records = opened(path)
    except DamagedError:
        return
    assert records == RECORDS[:-1]


def test_a_record_that_there_is_no_room_for_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    journal = Journal.create(path, [HEAD])
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:10]))
        with pytest.raises(OSError, match="No space left on device"):
            journal.add(Reached(2_000))
    journal.add(Reached(3_000))
    journal.close()
    assert opened(path) == [HEAD, Reached(3_000)]

"""The journal and the manifest as files: whole, torn, damaged."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.export.journal import Journal, RecordFile
from tracing.export.records import MAX_DEFECTS, Record, WrittenFile, capped, decode_line, encode_line

A = Record(source="a.json", state="exported", workflow_id="a", files=(WrittenFile("a.otlp.jsonl", 3, "ab"),), spans=2)
B = Record(source="b.json", state="refused", refused="It is empty.")
PARTS = tuple(
    Record(source="c.json", part=part, parts=3, state="exported", workflow_id=f"c-{part}") for part in (1, 2, 3)
)


def journal(path: Path, *items: tuple[Record, ...]) -> Path:
    opened = Journal(path)
    for records in items:
        opened.append(records)
    opened.close()
    return path


def found(path: Path, source: str) -> tuple[Record, ...]:
    with closing(RecordFile(path)) as reading:
        return reading.get(source)


def test_a_record_is_a_line(tmp_path: Path) -> None:
    path = journal(tmp_path / "journal.jsonl", (A,))
    assert path.read_text() == (
        '{"source":"a.json","part":1,"parts":1,"state":"exported","namespace":"","workflow_id":"a","run_id":"",'
        '"files":[{"name":"a.otlp.jsonl","size":3,"sha256":"ab"}],"spans":2,"open":false,"defects":[],"undecoded":0,'
        '"refused":"","duplicate_of":"","sent":null,"stamp":"","settings":"","timings":null}\n'
    )


def test_what_was_written_is_found_by_source_at_once_and_later(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writing = Journal(path)
    for records in ((A,), PARTS, (B,)):
        writing.append(records)
    reading = RecordFile(path)
    for file in (writing, reading):
        assert (file.get("a.json"), file.get("b.json"), file.get("c.json")) == ((A,), (B,), PARTS)
        assert file.get("d.json") == ()
        assert ("a.json" in file, "d.json" in file) == (True, False)
        assert [record for record, _ in file.lines()] == [A, *PARTS, B]
        file.close()


def test_a_later_line_stands_for_an_earlier_one(tmp_path: Path) -> None:
    again = Record(source="a.json", state="refused", refused="It is gone.")
    path = journal(tmp_path / "journal.jsonl", (A,), PARTS, (again,), (PARTS[0],))
    assert found(path, "a.json") == (again,)
    assert found(path, "c.json") == PARTS


def test_a_source_that_has_other_parts_now_is_what_it_is_now(tmp_path: Path) -> None:
    now = Record(source="c.json", state="exported", workflow_id="c")
    assert found(journal(tmp_path / "1", PARTS, (now,)), "c.json") == (now,)
    assert found(journal(tmp_path / "2", (now,), PARTS), "c.json") == PARTS


@given(st.data())
def test_wherever_a_line_is_torn_the_items_before_it_are_whole_and_the_journal_goes_on(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = journal(tmp_path_factory.mktemp("torn") / "journal.jsonl", (A,), PARTS)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])

    goes_on = Journal(path)
    goes_on.append((B,))
    goes_on.close()

    reading = RecordFile(path)
    assert reading.get("a.json") == ((A,) if cut >= first else ())
    assert reading.get("c.json") == (PARTS if cut == len(whole) else ())
    assert reading.get("b.json") == (B,)
    reading.close()
    assert path.read_bytes().endswith(b"\n" + encode_line(B)) or path.read_bytes() == encode_line(B)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"null", b"[1]", b'{"source": 1, "state": "exported"}', b"\xff", b"[" * 100_000]
)
def test_lines_that_are_no_records_are_passed_over(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(line + b"\n" + encode_line(A) + line + b"\n")
    assert decode_line(line) is None
    with closing(RecordFile(path)) as reading:
        assert [record for record, _ in reading.lines()] == [A]


def test_a_part_that_its_source_does_not_have_is_passed_over(tmp_path: Path) -> None:
    forged = Record(source="c.json", part=9, parts=3, state="exported")
    assert found(journal(tmp_path / "journal.jsonl", PARTS, (forged,)), "c.json") == PARTS


def test_a_million_defects_do_not_make_a_line_of_a_million() -> None:
    named = capped(("x",) * 1_000_000)
    assert len(named) == MAX_DEFECTS + 1
    assert named[-1] == "999000 more defects are not named here."


class HalfFull:
    """A disk that takes three bytes at a time."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab", buffering=0)

    def write(self, data: memoryview) -> int:
        return self.file.write(data[:3])


def test_a_disk_that_takes_less_than_it_is_given_gets_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Journal(tmp_path / "journal.jsonl")
    full = HalfFull(opened.path)
    monkeypatch.setattr(opened, "_appending", full)
    opened.append((A,))
    full.file.close()
    monkeypatch.undo()
    opened.close()
    assert opened.path.read_bytes() == encode_line(A)

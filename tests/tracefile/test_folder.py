"""Which spans trace files hold, while others write to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracing.backends.target import TargetError
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.defects import Defect
from tracing.tracefile.encode import encode_request
from tracing.tracefile.folder import FolderIndex
from tracing.tracefile.write import write_trace


def span(number: int, *, trace: int = 0xA1, end: int | None = 2) -> Span:
    return Span(trace, number, None, f"span {number}", SpanKind.INTERNAL, 1, end, {})


def line(*numbers: int) -> bytes:
    return encode_request([span(number) for number in numbers]) + b"\n"


def test_files_of_every_kind_are_read_and_what_is_broken_is_named(tmp_path: Path) -> None:
    write_trace(tmp_path, "one", [span(1), span(2, end=None), span(9, trace=0xA2)])
    write_trace(tmp_path, "two", [span(3)], compression="gzip")
    (tmp_path / "three.otlp.jsonl").write_text("broken\n")
    with FolderIndex(tmp_path) as index:
        assert (index.span_ids(0xA1), index.span_ids(0xA2), index.span_ids(0xA3)) == ({1, 3}, {9}, set())
        assert [defect.file.name for defect in index.defects] == ["three.otlp.jsonl"]


def test_an_empty_folder_has_nothing_and_that_is_no_defect(tmp_path: Path) -> None:
    with FolderIndex(tmp_path) as index:
        assert (index.span_ids(0xA1), index.defects) == (set(), [])


def test_files_can_be_named_beside_folders(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    first, second = write_trace(tmp_path, "one", [span(1)]), write_trace(tmp_path / "folder", "two", [span(2)])
    with FolderIndex(first, second.parent) as index:
        assert index.span_ids(0xA1) == {1, 2}


def test_what_is_added_is_known_once_it_was_read_again(tmp_path: Path) -> None:
    file = tmp_path / "traces.otlp.jsonl"
    file.write_bytes(line(1))
    with FolderIndex(tmp_path) as index:
        assert index.span_ids(0xA1) == {1}
        with file.open("ab") as stream:
            stream.write(line(2))
        write_trace(tmp_path, "other", [span(3)], compression="gzip")
        assert index.span_ids(0xA1) == {1}
        index.refresh()
        assert index.span_ids(0xA1) == {1, 2, 3}


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "traces.otlp.jsonl"
    whole = line(2)
    file.write_bytes(line(1) + whole[:40])
    with FolderIndex(tmp_path) as index:
        assert (index.span_ids(0xA1), index.defects) == ({1}, [])
        with file.open("ab") as stream:
            stream.write(whole[40:])
        index.refresh()
        assert (index.span_ids(0xA1), index.defects) == ({1, 2}, [])


def test_only_what_was_added_is_read(tmp_path: Path) -> None:
    """The damage is named once: it is not read again."""
    file = tmp_path / "traces.otlp.jsonl"
    file.write_bytes(b"broken\n" + line(1))
    with FolderIndex(tmp_path) as index:
        index.refresh()
        with file.open("ab") as stream:
            stream.write(line(2))
        index.refresh()
        index.refresh()
        assert (index.span_ids(0xA1), len(index.defects)) == ({1, 2}, 1)


def test_a_file_that_a_collector_rotates_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "traces.otlp.jsonl"
    file.write_bytes(b"broken\n" + line(1))
    with FolderIndex(tmp_path) as index:
        index.refresh()
        file.rename(tmp_path / "traces.otlp-2026-11-29T10-00-00.000.jsonl")
        file.write_bytes(line(2))
        index.refresh()
        assert (index.span_ids(0xA1), len(index.defects)) == ({1, 2}, 1)


def test_a_file_that_was_emptied_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "traces.otlp.jsonl"
    file.write_bytes(line(1, 2, 3))
    with FolderIndex(tmp_path) as index:
        index.refresh()
        with file.open("r+b") as stream:
            stream.truncate()
            stream.write(line(4))
        index.refresh()
        # What it had was there: it is not sent again because the file is gone.
        assert index.span_ids(0xA1) == {1, 2, 3, 4}


def test_a_file_that_has_become_another_one_is_read_from_its_beginning(tmp_path: Path) -> None:
    """Emptied and written anew, it has its number; so may another that comes when it is gone."""
    file = tmp_path / "traces.otlp.jsonl"
    file.write_bytes(line(1))
    with FolderIndex(tmp_path) as index:
        index.refresh()
        with file.open("r+b") as stream:
            stream.truncate()
            stream.write(line(2, 3, 4) + line(5))
        index.refresh()
        assert (index.span_ids(0xA1), index.defects) == ({1, 2, 3, 4, 5}, [])


def test_a_folder_that_is_not_there_says_what_to_check(tmp_path: Path) -> None:
    with FolderIndex(tmp_path / "missing") as index, pytest.raises(TargetError) as caught:
        index.span_ids(0xA1)
    assert str(caught.value) == (
        f"{tmp_path / 'missing'} cannot be read (No such file or directory). Check its name and its permissions."
    )


def test_a_folder_that_may_not_be_listed_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its spans would be sent a second time."""
    write_trace(tmp_path / "open", "one", [span(1)])
    locked = tmp_path / "shut"
    locked.mkdir()
    listed = os.scandir

    def refused(path: str) -> Iterator[os.DirEntry[str]]:
        if path == str(locked):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    # As root, who runs tests in containers, may read everything.
    monkeypatch.setattr("tracing.folders.os.scandir", refused)
    for named in (tmp_path, locked):
        with FolderIndex(named) as folder, pytest.raises(TargetError) as error:
            folder.span_ids(0xA1)
        assert str(error.value) == f"{locked} cannot be read (Permission denied). Check its name and its permissions."


def test_what_is_below_a_folder_counts_as_there_and_what_is_added_there(tmp_path: Path) -> None:
    write_trace(tmp_path / "2026-11", "one", [span(1)])
    with FolderIndex(tmp_path) as index:
        assert index.span_ids(0xA1) == {1}
        write_trace(tmp_path / "2026-12" / "01", "two", [span(2)])
        index.refresh()
        assert index.span_ids(0xA1) == {1, 2}


def test_a_file_that_is_moved_into_a_folder_below_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "traces.otlp.jsonl"
    file.write_bytes(b"broken\n" + line(1))
    with FolderIndex(tmp_path) as index:
        index.refresh()
        (tmp_path / "2026-11").mkdir()
        file.rename(tmp_path / "2026-11" / "traces.otlp.jsonl")
        index.refresh()
        assert (index.span_ids(0xA1), len(index.defects)) == ({1}, 1)


def test_a_folder_that_is_renamed_while_it_is_listed_is_found_by_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_trace(tmp_path / "today", "one", [span(1)])
    listed = os.scandir

    def renamed(path: str) -> Iterator[os.DirEntry[str]]:
        if path == str(tmp_path / "today"):
            (tmp_path / "today").rename(tmp_path / "2026-11-30")
        return listed(path)

    monkeypatch.setattr("tracing.folders.os.scandir", renamed)
    with FolderIndex(tmp_path) as index:
        assert index.span_ids(0xA1) == {1}


def test_a_link_that_leads_nowhere_is_named_once(tmp_path: Path) -> None:
    write_trace(tmp_path, "one", [span(1)])
    link = tmp_path / "gone.otlp.jsonl"
    link.symlink_to("nowhere")
    with FolderIndex(tmp_path) as index:
        index.refresh()
        index.refresh()
        assert index.span_ids(0xA1) == {1}
        assert index.defects == [Defect(link, 0, "is a link that leads nowhere", "Mend it, or take it away.")]


def test_ids_use_every_bit(tmp_path: Path) -> None:
    largest = span(2**64 - 1, trace=2**128 - 1)
    write_trace(tmp_path, "one", [largest])
    with FolderIndex(tmp_path) as index:
        assert index.span_ids(2**128 - 1) == {2**64 - 1}


def test_without_room_for_its_ids_it_says_what_to_do(tmp_path: Path) -> None:
    write_trace(tmp_path, "one", [span(number, trace=number) for number in range(1, 5_000)])
    with FolderIndex(tmp_path) as index:
        index._table.execute("PRAGMA max_page_count = 3")
        with pytest.raises(TargetError) as caught:
            index.span_ids(0xA1)
    assert str(caught.value) == (
        "Span IDs of trace files cannot be kept in a temporary file (database or disk is full). Make room for it, or "
        "set SQLITE_TMPDIR to a folder that has some."
    )

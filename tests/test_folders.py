"""Which files are below a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracing.folders import Barred, files_below


def below(folder: Path) -> list[str]:
    """The paths of all files below a folder, as seen from it."""
    found = files_below(folder, lambda paths: paths)
    return [os.path.relpath(each.path if isinstance(each, Barred) else each, folder) for each in found]


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_of_all_folders_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    put(tmp_path, "b", "a/z", "a/b/c", "a.txt", "a/b/a", "C")
    assert below(tmp_path) == ["C", "a/b/a", "a/b/c", "a/z", "a.txt", "b"]


def test_what_is_hidden_is_left_out_but_for_the_folder_itself(tmp_path: Path) -> None:
    put(tmp_path / ".mine", "a", ".b", ".export/staged/0-c", "tables/.tables-x1.part/tmp/00", "tables/d")
    assert below(tmp_path) == []
    assert below(tmp_path / ".mine") == ["a", "tables/d"]


def test_links_to_files_are_files_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    folder = tmp_path / "folder"
    put(elsewhere, "file")
    put(folder, "below/a")
    (folder / "below" / "loop").symlink_to(folder)
    (folder / "folder").symlink_to(elsewhere)
    (folder / "file").symlink_to(elsewhere / "file")
    assert below(folder) == ["below/a", "file"]


def test_the_folder_may_be_a_link_itself(tmp_path: Path) -> None:
    put(tmp_path, "2026-12/a")
    (tmp_path / "latest").symlink_to("2026-12")
    assert below(tmp_path / "latest") == ["a"]


def test_of_what_is_wanted_only_files_can_be_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a-pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "gone").symlink_to("nowhere")
    put(tmp_path, "run")
    nowhere = ("is a link that leads nowhere", "mend it, or take it away")
    assert list(files_below(tmp_path, lambda paths: paths)) == [
        Barred(
            str(tmp_path / "a-pipe"),
            "is neither a file nor a folder",
            "save what it gives to a file, and give that",
        ),
        Barred(str(tmp_path / "circle"), *nowhere),
        Barred(str(tmp_path / "gone"), *nowhere),
        str(tmp_path / "run"),
    ]
    assert list(files_below(tmp_path, lambda paths: [path for path in paths if path.endswith("run")])) == [
        str(tmp_path / "run")
    ]


def test_a_folder_that_may_not_be_listed_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/file", "b/file")
    listed, refusal = os.scandir, PermissionError(13, "Permission denied")

    def refused(path: str) -> object:
        if path.endswith("/a"):
            raise refusal
        return listed(path)

    # As root, who runs tests in containers, may read everything.
    monkeypatch.setattr("tracing.folders.os.scandir", refused)
    assert list(files_below(tmp_path, lambda paths: paths)) == [
        Barred(str(tmp_path / "a"), "cannot be listed (Permission denied)", "check its permissions", refusal),
        str(tmp_path / "b" / "file"),
    ]

"""Which items do paths mean, and how are they called?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.export.folders import history, put
from tracing.export.items import FileItem, RunItem, file_items
from tracing.history.documents import Unreadable


def test_files_are_in_the_order_of_the_paths_and_those_of_a_folder_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["b.json", "a/z.json.gz", "a/b/c.bin", "a.json", "a/notes.txt", "A.JSON.ZST", "a/b.json"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    named = tmp_path / "any.name"

    found = [item.source for item in file_items([str(named), str(tmp_path / "in")])]

    assert [source.removeprefix(f"{tmp_path}/") for source in found] == [
        "any.name",
        "in/A.JSON.ZST",
        "in/a/b/c.bin",
        "in/a/b.json",
        "in/a/z.json.gz",
        "in/a.json",
        "in/b.json",
    ]


def test_a_folder_without_histories_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert list(file_items([str(tmp_path)])) == [
        Unreadable(
            str(tmp_path),
            "No file in this folder ends in .json, .json.gz, .json.zst, .bin, and none is of Temporal Cloud's export "
            "(YYYY/MM/DD/HH/MM/NAME): give one that does.",
        )
    ]


def test_what_an_export_is_writing_into_the_same_folder_is_no_source(tmp_path: Path) -> None:
    put(tmp_path / "traces" / ".export" / "staged" / "0-run.history.json", history(1))
    put(tmp_path / "run.json", history(1))
    assert list(file_items([str(tmp_path)])) == [FileItem(str(tmp_path / "run.json"))]
    assert list(file_items([f"{tmp_path}/"])) == [FileItem(str(tmp_path / "run.json"))]


def test_what_is_hidden_is_no_source(tmp_path: Path) -> None:
    put(tmp_path / ".trash" / "old.json", history(1))
    put(tmp_path / ".settings.json", history(1))
    put(tmp_path / "run.json", history(1))
    assert list(file_items([str(tmp_path)])) == [FileItem(str(tmp_path / "run.json"))]


def test_a_folder_that_is_named_is_a_source_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path / ".export" / "run.json", history(1))
    run = FileItem(str(tmp_path / ".export" / "run.json"))
    assert list(file_items([run.path])) == [run]
    assert list(file_items([str(tmp_path / ".export")])) == [run]
    assert list(file_items([f"file://{tmp_path}/.export"])) == [run]


def test_what_exports_have_written_into_the_output_folder_is_a_source_only_where_it_is_named(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    for name in ("a.otlp.jsonl.zst", "a.history.json.zst", "mine.history.json", "mine.json"):
        put(traces / name, history(1))
    put(tmp_path / "run.json", history(1))
    mine = [FileItem(str(traces / "mine.history.json")), FileItem(str(traces / "mine.json"))]
    written = FileItem(str(traces / "a.history.json.zst"))

    assert list(file_items([str(tmp_path)], traces)) == [FileItem(str(tmp_path / "run.json")), *mine]
    assert list(file_items([str(traces)], traces)) == mine
    assert list(file_items([written.path], traces)) == [written]
    assert list(file_items([str(traces)], tmp_path / "others")) == [written, *mine]


def test_a_link_to_a_folder_above_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run.json").touch()
    (tmp_path / "again").symlink_to(tmp_path)
    assert list(file_items([str(tmp_path)])) == [FileItem(str(tmp_path / "run.json"))]


@pytest.mark.skipif(not os.supports_bytes_environ, reason="names are text there")
def test_a_name_that_is_no_text_can_be_told() -> None:
    assert FileItem(os.fsdecode(b"run-\xff.json")).source == "run-\\xff.json"


def test_runs_have_addresses_that_no_id_can_forge() -> None:
    assert RunItem("default", "a/b c", "r").source == "temporal://default/a%2Fb%20c/r"
    assert RunItem("default", "a", "b/r").source == "temporal://default/a/b%2Fr"
    assert RunItem("default", "ä").source == "temporal://default/%C3%A4"

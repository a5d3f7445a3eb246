"""`durable-trace tables`: what it prints, writes and returns."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.history.recording import RUN_ID, Recording
from tests.tables.fleet import rows, support, write_fleet
from tracing.cli import run
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_tables_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_fleet(tmp_path / "traces")

    assert run(["tables", "traces", "--jobs", "1"]) == 0

    assert capsys.readouterr().out == (
        "5 trace files → tables: 42 spans, 18 steps, 5 runs\nOpen them: cd tables && duckdb -init views.sql\n"
    )
    assert len(rows(tmp_path / "tables", "runs", "run_id")) == 5


def test_as_json_with_what_could_not_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_trace(tmp_path / "traces", "good", support())
    (tmp_path / "traces" / "bad.otlp.jsonl").write_text("{}\n")

    assert run(["tables", "traces", "-o", "out", "--json"]) == 1

    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "folder": "out",
        "files": 2,
        "rows": {"spans": 7, "steps": 2, "runs": 1},
        "failed": [
            (
                "traces/bad.otlp.jsonl, line 1: has no resourceSpans. Only traces are read; give a file of spans. "
                "Write it by the OTLP JSON mapping, as the Collector's file exporter does."
            )
        ],
    }
    assert printed.err.startswith("durable-trace: traces/bad.otlp.jsonl, line 1: has no resourceSpans.")


def test_what_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tables", "nowhere"]) == 2
    assert "Path 'nowhere' does not exist" in capsys.readouterr().err


def test_files_in_the_way_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_fleet(tmp_path / "traces")
    (tmp_path / "tables" / "runs").mkdir(parents=True)
    (tmp_path / "tables" / "runs" / "notes.txt").write_text("mine")

    assert run(["tables", "traces"]) == 1

    assert capsys.readouterr().err == (
        "durable-trace: tables/runs/notes.txt is no file of a table: move it, or name another folder for the tables.\n"
    )


def test_a_disk_that_is_full_leaves_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_fleet(tmp_path / "traces")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tracing.tables.parquet.TableFile.write", full)

    assert run(["tables", "traces"]) == 1

    error = "tables: No space left on device. The tables that were there before are as they were."
    assert capsys.readouterr().err == f"durable-trace: {error}\n"


def test_an_export_writes_tables_of_its_folder_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = Recording()
    recording.task()
    recording.complete()
    (tmp_path / "run.json").write_text(json.dumps(recording.json()))

    assert run(["export", "run.json", "-o", "traces", "--run-id", RUN_ID, "--parquet"]) == 0

    assert "1 trace file → traces/tables: 1 span, 0 steps, 1 run\n" in capsys.readouterr().out
    assert rows(tmp_path / "traces" / "tables", "runs", "run_id", "status") == [(RUN_ID, "completed")]


def test_an_export_is_told_where_its_tables_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = Recording()
    recording.task()
    (tmp_path / "run.json").write_text(json.dumps(recording.json()))
    (tmp_path / "traces" / "tables" / "runs").mkdir(parents=True)
    (tmp_path / "traces" / "tables" / "runs" / "notes.txt").write_text("mine")

    assert run(["export", "run.json", "-o", "traces", "--run-id", RUN_ID, "--parquet"]) == 1

    printed = capsys.readouterr()
    assert f"{RUN_ID}: 1 span → traces/" in printed.out
    assert printed.err.startswith("durable-trace: traces/tables/runs/notes.txt is no file of a table: move it")


def test_an_export_with_tables_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = Recording()
    recording.task()
    (tmp_path / "run.json").write_text(json.dumps(recording.json()))

    assert run(["export", "run.json", "-o", "traces", "--run-id", RUN_ID, "--parquet", "--json"]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["tables"] == {
        "folder": "traces/tables",
        "files": 1,
        "rows": {"spans": 1, "steps": 0, "runs": 1},
    }


def test_without_pyarrow_nothing_is_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.compute", None)

    assert run(["export", str(tmp_path), "--parquet"]) == 1

    assert capsys.readouterr().err == "durable-trace: Parquet needs a package: pip install 'durable-trace[parquet]'\n"
    assert list(tmp_path.iterdir()) == []

"""Which files are written, are they the same each time, and what of runs that are in several trace files?"""

from __future__ import annotations

import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from tests.cost.runs import Attempt, Call, RecordedRun
from tests.history.recording import RUN_ID, Recording
from tests.tables.fleet import FLEET, contents, lost_calls, research, rows, support, tables_of, write_fleet
from tracing import conventions as c
from tracing.tables import TABLES, TablesError, write_tables
from tracing.tables.grouping import groups
from tracing.tables.parquet import TableFile
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from tracing.spans.model import Span

COST = ("run_id", "status", "cost_usd", "llm_calls")


def test_a_folder_for_each_table_and_the_views_beside_them(tmp_path: Path) -> None:
    tables = write_tables(write_fleet(tmp_path / "traces"), tmp_path / "tables", part_files=2)

    assert (tables.files, tables.rows, tables.defects) == (5, {"spans": 42, "steps": 18, "runs": 5}, [])
    assert list(contents(tmp_path / "tables")) == [
        "runs/part-00000.parquet",
        "runs/part-00001.parquet",
        "runs/part-00002.parquet",
        "spans/part-00000.parquet",
        "spans/part-00001.parquet",
        "spans/part-00002.parquet",
        "steps/part-00000.parquet",
        "steps/part-00001.parquet",
        "steps/part-00002.parquet",
        "views.sql",
    ]
    assert rows(tmp_path / "tables", "runs", "run_id", "replay_id") == [
        ("run-4", None),
        ("run-1", "replay-1"),
        ("run-1", None),
        ("run-2", None),
        ("run-3", None),
    ]


def test_files_hold_the_columns_that_are_documented(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, research()).folder

    for table, columns in TABLES.items():
        schema = pq.read_schema(folder / table / "part-00000.parquet")
        assert schema.names == [column.name for column in columns]
    assert {str(column.physical_type) for column in pq.ParquetFile(folder / "runs" / "part-00000.parquet").schema} == {
        "BYTE_ARRAY",
        "INT64",
        "DOUBLE",
        "BOOLEAN",
        "FIXED_LEN_BYTE_ARRAY",
    }


@pytest.mark.slow
def test_the_same_traces_give_the_same_bytes_whatever_the_number_of_processes(tmp_path: Path) -> None:
    traces = write_fleet(tmp_path / "traces")
    shared = traces / "again.otlp.jsonl"
    shared.write_bytes((traces / "support.otlp.jsonl").read_bytes())

    write_tables(traces, tmp_path / "one", part_files=2)
    write_tables(traces, tmp_path / "two", part_files=2, jobs=2)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_written_again_nothing_changes_and_what_an_earlier_larger_folder_left_is_gone(tmp_path: Path) -> None:
    traces, out = write_fleet(tmp_path / "traces"), tmp_path / "tables"
    write_tables(traces, out, part_files=1)
    (out / "notes.txt").write_text("mine")

    for _ in range(2):
        write_tables(traces / "support.otlp.jsonl", out)

        assert list(contents(out)) == [
            "notes.txt",
            "runs/part-00000.parquet",
            "spans/part-00000.parquet",
            "steps/part-00000.parquet",
            "views.sql",
        ]
        assert rows(out, "runs", "run_id") == [("run-3",)]
    first = contents(out)
    write_tables(traces / "support.otlp.jsonl", out)
    assert contents(out) == first


def test_a_failure_leaves_the_old_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces, out = write_fleet(tmp_path / "traces"), tmp_path / "tables"
    write_tables(traces / "support.otlp.jsonl", out)
    before = contents(out)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TableFile, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write_tables(traces, out)

    assert contents(out) == before


@pytest.mark.parametrize("moves", range(1, 7))
def test_when_tables_cannot_take_their_place_the_old_ones_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    traces, out = write_fleet(tmp_path / "traces"), tmp_path / "tables"
    write_tables(traces / "support.otlp.jsonl", out)
    before, move, done = contents(out), Path.rename, []

    def refused(folder: Path, to: Path) -> Path:
        done.append(to)
        if len(done) == moves:
            raise PermissionError(1, "Operation not permitted")
        return move(folder, to)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError):
        write_tables(traces, out)

    assert contents(out) == before


@pytest.mark.slow
def test_a_killed_process_leaves_the_old_tables_and_the_next_one_clears_up(tmp_path: Path) -> None:
    traces, out = write_fleet(tmp_path / "traces"), tmp_path / "tables"
    write_tables(traces / "support.otlp.jsonl", out)
    before = contents(out)
    code = """
import sys, time
from pathlib import Path
from tracing.tables import write_tables
def stop(done, whole):
    print("begun", flush=True)
    time.sleep(600)
write_tables(Path(sys.argv[1]), Path(sys.argv[2]), progress=stop)
"""
    with subprocess.Popen([sys.executable, "-c", code, traces, out], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        with pytest.raises(TablesError, match="another process is writing tables there"):
            write_tables(traces, out)
        process.send_signal(signal.SIGKILL)

    assert {name: data for name, data in contents(out).items() if not name.startswith(".")} == before
    assert len(list(out.glob(".tables-*.part"))) == 1
    write_tables(traces, out)
    write_tables(traces, tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


def test_files_that_are_no_tables_are_left_alone(tmp_path: Path) -> None:
    traces, out = write_fleet(tmp_path / "traces"), tmp_path / "tables"
    (out / "steps").mkdir(parents=True)
    (out / "steps" / "mine.parquet").write_text("")

    with pytest.raises(TablesError, match=r"mine\.parquet is no file of a table: move it"):
        write_tables(traces, out)

    assert list(contents(out)) == ["steps/mine.parquet"]


def test_a_link_in_the_place_of_a_table_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "runs").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(TablesError, match="runs is in the way"):
        tables_of(tmp_path, support())


def test_no_trace_file_takes_nobody_their_tables(tmp_path: Path) -> None:
    write_fleet(tmp_path / "traces")
    write_tables(tmp_path / "traces", tmp_path / "tables")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TablesError) as error:
        write_tables(tmp_path / "empty", tmp_path / "tables")
    assert str(error.value) == (
        f"{tmp_path / 'empty'}: the folder holds no trace file. Trace files are called NAME.otlp.jsonl[.gz|.zst]. "
        f"The tables that are in {tmp_path / 'tables'} stay."
    )
    assert len(rows(tmp_path / "tables", "runs", "run_id")) == 5


def test_no_trace_file_gives_empty_tables(tmp_path: Path) -> None:
    (tmp_path / "traces").mkdir()

    tables = tables_of(tmp_path)

    assert tables.rows == {"spans": 0, "steps": 0, "runs": 0}
    assert [str(defect) for defect in tables.defects] == [
        f"{tmp_path / 'traces'}: the folder holds no trace file. Trace files are called NAME.otlp.jsonl[.gz|.zst]."
    ]
    assert rows(tables.folder, "runs", "run_id") == []


def open_then_closed() -> tuple[list[Span], list[Span]]:
    """Two exports of one run: while its activity ran, and when it had ended."""
    recording = Recording(workflow_id="wf")
    scheduled = recording.activity(recording.task())
    opened = recording.spans()
    recording.attempt(scheduled)
    recording.complete_activity(scheduled)
    recording.task()
    recording.complete()
    return opened, recording.spans()


@pytest.mark.parametrize("part_files", [1, 10])
@pytest.mark.parametrize("order", [1, -1])
def test_of_a_run_exported_twice_the_later_counts(tmp_path: Path, order: int, part_files: int) -> None:
    folder = tables_of(tmp_path, *open_then_closed()[::order], part_files=part_files).folder

    assert rows(folder, "runs", "run_id", "status", "history_length") == [(RUN_ID, "completed", 9)]
    assert rows(folder, "steps", "key", "status", "attempts") == [("activity:1", "completed", 1)]
    assert rows(folder, "spans", "kind", "event_ids") == [
        ("run", "1-4,8-11"),
        ("activity", "5-7"),
        ("attempt", "6-7"),
    ]


def test_of_two_exports_of_an_open_run_the_later_counts(tmp_path: Path) -> None:
    recording = Recording(workflow_id="wf")
    first = recording.spans()
    recording.task()
    recording.add("workflow_execution_signaled", signal_name="hurry")
    recording.task()

    folder = tables_of(tmp_path, first, recording.spans()).folder

    assert rows(folder, "runs", "status", "history_length", "steps") == [("running", 7, 1)]


def test_a_run_in_two_files_is_one_where_each_has_spans_of_it(tmp_path: Path) -> None:
    spans = research()
    whole = tables_of(tmp_path / "whole", spans).folder

    # A Collector rotates its files; other runs stand in both.
    half = len(spans) // 2
    folder = tables_of(tmp_path / "parts", [*support(), *spans[half:]], [*lost_calls(), *spans[:half]]).folder

    assert sorted(rows(folder, "runs", *COST)) == [
        ("run-1", "completed", Decimal("0.02649"), 4),
        ("run-3", "completed", Decimal("0.5"), 2),
        ("run-4", "running", Decimal("0.1875"), 2),
    ]
    columns = [column.name for column in TABLES["steps"]]
    assert [row for row in rows(folder, "steps", *columns) if row[1] == "run-1"] == rows(whole, "steps", *columns)


def test_live_and_exported_spans_of_a_run_are_one(tmp_path: Path) -> None:
    exported = research()
    # Only live does one see what the attempt did that was killed.
    lost = RecordedRun("run-1").step("x", 6, 20, Attempt(6.5, None, [Call(7, 8, 0.5)]), activity_id="3").spans()
    live = [
        replace(span, attributes={key: value for key, value in span.attributes.items() if key != c.EVENT_IDS})
        for span in [*exported, *lost[2:]]
    ]

    folder = tables_of(tmp_path, live, exported).folder

    assert rows(folder, "runs", *COST) == [("run-1", "completed", Decimal("0.52649"), 5)]
    ids = [row[1] for row in rows(folder, "spans", "kind", "event_ids") if row[0] == "attempt"]
    assert ids == ["6,7", "6,7", None, "6,7", "6,7", "6,7", "6,7"]


def test_runs_mixed_in_one_file_come_apart(tmp_path: Path) -> None:
    first, second = research(), support()
    mixed = [span for pair in zip(first, second, strict=False) for span in pair] + first[len(second) :]

    folder = tables_of(tmp_path, mixed).folder

    assert rows(folder, "runs", *COST) == [
        ("run-3", "completed", Decimal("0.5"), 2),
        ("run-1", "completed", Decimal("0.02649"), 4),
    ]


def test_a_large_file_is_sorted_apart_on_the_disk(tmp_path: Path) -> None:
    spans = [span for run in FLEET.values() for span in run()]
    path = write_trace(tmp_path, "all", spans[::-1])

    defects: list[object] = []
    found = list(groups(path, tmp_path, defects, max_held=5))  # type: ignore[arg-type]

    held = list(groups(path, tmp_path, defects))  # type: ignore[arg-type]
    assert {group.key: _ids(group.spans) for group in found} == {group.key: _ids(group.spans) for group in held}
    assert len(found) == len(held) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["all.otlp.jsonl"]


def _ids(spans: object) -> list[int]:
    return sorted(span.span_id for span in spans)  # type: ignore[attr-defined]


def test_what_can_be_read_of_a_file_that_was_cut_is_in_the_tables(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "traces", "cut", research())
    line = path.read_bytes()
    path.write_bytes(line + line[: len(line) // 2])
    write_trace(tmp_path / "traces", "whole", support())

    tables = write_tables(tmp_path / "traces", tmp_path / "tables")

    (defect,) = tables.defects
    assert str(defect).startswith(f"{path}, line 2: is not JSON")
    assert [row[0] for row in rows(tables.folder, "runs", *COST)] == ["run-1", "run-3"]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_trace_files(tmp_path: Path, compression: str) -> None:
    write_trace(tmp_path / "traces", "x", research(), compression=compression)  # type: ignore[arg-type]
    write_tables(tmp_path / "traces", tmp_path / "tables")

    plain = tables_of(tmp_path / "plain", research()).folder

    assert contents(tmp_path / "tables") == contents(plain)


def test_a_table_is_written_a_row_group_at_a_time(tmp_path: Path) -> None:
    columns = [column for column in TABLES["runs"] if column.name in {"run_id", "input"}]
    with TableFile(tmp_path / "x.parquet", columns, group_rows=3, group_characters=100) as file:
        for number in range(10):
            file.write({"run_id": str(number), "input": "x" * (99 if number > 5 else 1)})

    written = pq.ParquetFile(tmp_path / "x.parquet")
    assert [written.metadata.row_group(n).num_rows for n in range(written.num_row_groups)] == [3, 3, 1, 1, 1, 1]
    assert written.read(["run_id"]).to_pydict() == {"run_id": [str(number) for number in range(10)]}


def test_without_pyarrow_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.compute", None)

    with pytest.raises(TablesError, match=r"^Parquet needs a package: pip install 'durable-trace\[parquet\]'$"):
        tables_of(tmp_path, support())


def test_progress_is_told_file_by_file(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    tables_of(tmp_path, research(), support(), lost_calls(), progress=lambda *told: seen.append(told))

    assert seen == [(1, 3), (2, 3), (3, 3)]

"""Many runs, in files of every kind: each counts once, and the sums are those of the runs."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.cost.runs import Attempt, Call, RecordedRun
from tests.cost.writing import money
from tests.history.recording import RUN_ID, Recording
from tests.tables.fleet import FLEET, research, support, write_fleet
from tracing.config import TracingConfig
from tracing.cost import Tally, account, tallies
from tracing.export.items import RunItem
from tracing.export.server import ServerConnection
from tracing.fleet.adding import sums
from tracing.fleet.inputs import SpanTable, TraceFile, inputs
from tracing.fleet.reading import Readers
from tracing.fleet.sums import Question, Sums
from tracing.history import Fetched, ServerRun
from tracing.history.documents import Unreadable
from tracing.tables import write_tables
from tracing.tables.read import table_groups
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from temporalio.client import Client

    from tracing.cost import Dimension

EVERY: tuple[Dimension, ...] = ("type", "model", "provider", "day", "tag", "status", "step", "attempt", "session")


def summed(*paths: Path, by: tuple[Dimension, ...] = EVERY, jobs: int = 1) -> Sums:
    found = [item for path in paths for item in inputs(str(path))]
    assert not any(isinstance(item, Unreadable) for item in found)
    items = [item for item in found if not isinstance(item, Unreadable)]
    return sums(items, Question(by), Readers(TracingConfig()), jobs=jobs)


def expected(by: tuple[Dimension, ...]) -> dict[tuple[str | None, ...], Tally]:
    """The sums of the fleet, run by run."""
    rows: dict[tuple[str | None, ...], Tally] = {}
    for name, spans in FLEET.items():
        if name != "replay":
            for values, tally in tallies(account(spans()), by).items():
                rows.setdefault(values, Tally()).add(tally)
    return rows


def test_a_folder_of_traces(tmp_path: Path) -> None:
    found = summed(write_fleet(tmp_path))

    assert found.rows == expected(EVERY)
    assert (found.total.runs, found.replays, found.failures, found.few) == (4, 1, [], [])
    # 0.02649 of research and 0.25 of its reset, 0.5 and 0.1875 of the two support runs; parts are unknown.
    assert money(found.total.amount) == "≥ 0.96399 USD"


def test_tables_of_the_same_runs_give_the_same_sums_to_the_last_digit(tmp_path: Path) -> None:
    write_tables(write_fleet(tmp_path / "traces"), tmp_path / "tables")

    traces, tables = summed(tmp_path / "traces"), summed(tmp_path / "tables")

    assert tables.rows == traces.rows
    assert tables.total == traces.total
    assert tables.replays == 1


def test_a_run_read_from_tables_has_the_account_of_its_trace(tmp_path: Path) -> None:
    write_trace(tmp_path / "traces", "run", research())
    write_tables(tmp_path / "traces", tmp_path / "tables")

    [group] = table_groups(tmp_path / "tables" / "spans" / "part-00000.parquet", content=True)

    assert account(group.spans) == account(research())


@pytest.mark.slow
def test_any_number_of_processes_gives_the_same(tmp_path: Path) -> None:
    write_fleet(tmp_path)
    for number in range(120):
        run = RecordedRun(f"many-{number}").step("answer", 1, 4, Attempt(1, 3, [Call(2, 3, 1e-7 * number, 7, 3)]))
        write_trace(tmp_path, f"many-{number}", run.spans())

    one, two = summed(tmp_path), summed(tmp_path, jobs=2)

    assert (one.rows, one.total, one.replays) == (two.rows, two.total, two.replays)
    assert one.total.runs == 124


def test_a_run_that_is_there_three_times_counts_once_as_late_as_it_is_told(tmp_path: Path) -> None:
    calls = [Call(2, 3, 0.125, 10, 1)]
    still_open = RecordedRun("twice").step("answer", 1, None, Attempt(1.5, None))
    closed = RecordedRun("twice").step("answer", 1, 4, Attempt(1.5, 3.5, calls))
    write_trace(tmp_path, "a-closed", closed.spans())
    write_trace(tmp_path, "b-open", still_open.spans(None, status="running"))
    write_trace(tmp_path, "c-closed-again", closed.spans())
    write_trace(tmp_path, "other", support())

    found = summed(tmp_path, by=("run", "status"))

    assert {values: money(tally.amount) for values, tally in found.rows.items()} == {
        ("twice", "completed"): "0.125 USD",
        ("run-3", "completed"): "≥ 0.5 USD",
    }
    assert found.total.runs == 2


def test_the_steps_of_one_run_are_at_hand_and_of_several_are_not(tmp_path: Path) -> None:
    write_trace(tmp_path, "run", research())
    write_trace(tmp_path, "run-again", research())

    assert summed(tmp_path).few == [account(research())]

    write_trace(tmp_path, "support", support())

    assert summed(tmp_path).few == []


def test_what_cannot_be_read_is_named_and_the_rest_counts(tmp_path: Path) -> None:
    write_trace(tmp_path, "support", support())
    (tmp_path / "broken.otlp.jsonl").write_text("{}\n")
    (tmp_path / "broken.history.json").write_text("[]")

    found = summed(tmp_path)

    assert (found.total.runs, len(found.failures)) == (1, 1)
    assert "broken.otlp.jsonl, line 1: has no resourceSpans" in found.failures[0]


async def not_needed() -> Client:
    raise AssertionError("The run is there already.")


def test_what_is_wrong_with_a_run_of_a_server_is_told_with_its_workflow_id() -> None:
    recording = Recording(workflow_id="agent-1")
    recording.task()
    recording.complete()
    del recording.events[1]
    fetched = Fetched(ServerRun("default", "agent-1", RUN_ID), recording.proto().SerializeToString())

    failures: list[str] = []
    with closing(ServerConnection(not_needed)) as server:
        readers = Readers(TracingConfig(), server=server)
        list(readers.groups(RunItem("default", "agent-1", RUN_ID, fetched), failures))

    assert failures == ["agent-1: Event 2 is missing."]


def test_beside_its_trace_a_history_is_left_out(tmp_path: Path) -> None:
    recording = Recording()
    recording.complete()
    history = json.dumps(recording.json())
    write_trace(tmp_path, "one", recording.spans())
    (tmp_path / "one.history.json").write_text(history)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "two.history.json").write_text(history)

    assert [_name(each) for each in inputs(str(tmp_path))] == ["two.history.json", "one.otlp.jsonl"]


def test_tables_are_read_where_a_folder_holds_nothing_else(tmp_path: Path) -> None:
    write_tables(write_fleet(tmp_path), tmp_path / "tables")

    assert {type(each) for each in inputs(str(tmp_path))} == {TraceFile}
    assert [type(each) for each in inputs(str(tmp_path / "tables"))] == [SpanTable]
    assert [type(each) for each in inputs(str(tmp_path / "tables" / "spans"))] == [SpanTable]


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # As root, who runs tests in containers, may read everything.
    monkeypatch.setattr("tracing.folders.os.scandir", refused)
    monkeypatch.setattr("pathlib.Path.glob", refused)
    assert list(inputs(str(tmp_path))) == [
        Unreadable(str(tmp_path), "It cannot be listed (Permission denied): check its permissions.")
    ]


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    [nothing] = inputs(str(tmp_path))

    assert str(nothing) == (
        f"{tmp_path}: The folder holds no trace (NAME.otlp.jsonl), no history (NAME.json, .bin, or of Temporal Cloud's "
        "export) and no tables (spans/part-00000.parquet): give one that does."
    )


@pytest.mark.parametrize("table", ["runs", "steps"])
def test_another_table_is_no_table_of_spans(tmp_path: Path, table: str) -> None:
    write_tables(write_fleet(tmp_path / "traces"), tmp_path)

    found = summed(tmp_path / table / "part-00000.parquet")

    [failure] = found.failures
    assert "is no table of spans (it has no column" in failure


def _name(item: object) -> str:
    return str(getattr(item, "path", item)).rpartition("/")[2]

"""`durable-trace export --dbos`: what it writes, says and refuses."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.dbos.conftest import MS, Made
from tests.tracefile.conftest import receiver
from tracing import conventions as c
from tracing.cli import run
from tracing.config import TracingConfig
from tracing.dbos import Reader, connect, convert
from tracing.export import ExportSettings
from tracing.export.layout import MANIFEST
from tracing.export.records import Record, decode_line
from tracing.tracefile import read_traces, write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tracefile.conftest import Receiver
    from tracing.dbos import Converted

__all__ = ["receiver"]


def traces(folder: Path) -> list[Path]:
    return sorted((folder / "traces").glob("*.otlp.jsonl"))


def test_each_workflow_becomes_a_trace_file_and_what_is_not_decoded_is_said_once(
    recorded: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--dbos", recorded, "-o", str(tmp_path / "traces")]) == 0
    said = capsys.readouterr()
    assert [line.partition(" →")[0] for line in said.out.splitlines() if "→" in line] == [
        "fail-1: 3 spans",
        "pickled-1: 4 spans",
        "research-1: 12 spans",
        "research-1-3: 4 spans",
        "research-2: 9 spans",
    ]
    assert "5 runs exported" in said.out
    assert said.err == (
        "durable-trace: 2 stored values are not decoded, for they are no portable JSON: what model calls they show is "
        "unknown (docs/dbos.md says how to store JSON).\n"
    )
    spans = list(read_traces([tmp_path / "traces"]))
    assert len(spans) == 32


def test_the_same_database_gives_the_same_bytes(recorded: str, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        assert run(["export", "--dbos", recorded, "-o", str(tmp_path / folder), "--compress", "gzip"]) == 0
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.gz")} for name in ("first", "second")
    )
    assert first == second
    assert len(first) == 5


def test_one_workflow_as_json(recorded: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", "--dbos", recorded, "--workflow-id", "research-2", "-o", str(tmp_path / "traces"), "--json"]
    assert run(arguments) == 0
    [file] = traces(tmp_path)
    told = json.loads(capsys.readouterr().out)
    assert told["exported"] == [
        {
            "workflow_id": "research-2",
            "run_id": "research-2",
            "namespace": "",
            "source": f"{recorded}#research-2",
            "spans": 9,
            "open": False,
            "files": [str(file)],
            "defects": [],
            "undecoded": 0,
        }
    ]
    assert (told["failed"], told["total"]["runs"]) == ([], 1)


def test_a_workflow_that_goes_on_is_named_by_its_last_step(made: Made, tmp_path: Path) -> None:
    made.workflow("research", status="PENDING", completed_at=None)
    made.step("research", 7, started_at_epoch_ms=MS, completed_at_epoch_ms=MS)
    assert run(["export", "--dbos", made.url, "-o", str(tmp_path / "traces")]) == 0
    [file] = traces(tmp_path)
    assert file.name.endswith("-7.otlp.jsonl")


def test_a_workflow_that_is_not_there_is_named(
    recorded: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--dbos", recorded, "--workflow-id", "nowhere", "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "durable-trace: nowhere: The database has no workflow of this ID.\n"


def test_a_workflow_that_cannot_be_converted_keeps_none_of_the_others(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(reader: Reader, workflow_id: str, config: TracingConfig) -> Converted | None:
        if workflow_id == "bad":
            raise RuntimeError("no way")
        return convert(reader, workflow_id, config)

    monkeypatch.setattr("tracing.export.database.convert", failing)
    made.workflow("bad")
    made.workflow("good")
    assert run(["export", "--dbos", made.url, "-o", str(tmp_path / "traces")]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("good: 1 span → ")
    begins = "durable-trace: bad: It cannot be converted (RuntimeError: no way at test_export.py, line "
    assert said.err.startswith(begins)


def test_no_password_is_in_what_is_said_of_a_database(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "--dbos", "postgresql://reader:hunter2@127.0.0.1:1/agent"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("durable-trace: postgresql://127.0.0.1:1/agent cannot be reached (")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "options", [["history.json"], ["--query", "x"], ["--run-id", "x"], ["--with-history"], ["--watch"], ["--chain"]]
)
def test_what_is_of_temporal_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "--dbos", "sqlite:///agent.sqlite", *options]) == 2
    assert "cannot be given with it" in capsys.readouterr().err


# --- as histories are: sent, repaired, resumed, on several processes ---


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "traces"


def records(out: Path) -> list[Record]:
    return [record for line in (out / MANIFEST).read_bytes().splitlines() if (record := decode_line(line)) is not None]


def stamps(out: Path) -> dict[str, int]:
    """When each trace file was written."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("*.otlp.jsonl")}


def test_one_command_brings_what_a_backend_lacks(
    recorded: str, tmp_path: Path, out: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(recorded) as database:
        converted = convert(Reader(database), "research-1", TracingConfig())
    assert converted is not None
    write_trace(tmp_path / "live", "there", converted.spans[3:])
    lacking = [span.name for span in converted.spans[:3]]

    arguments = ["export", "--dbos", recorded, "--workflow-id", "research-1", "-o", str(out), "--to", receiver.url]
    assert run([*arguments, "--have", str(tmp_path / "live")]) == 0
    assert receiver.batches == [lacking]
    assert "3 spans sent to" in capsys.readouterr().out


def test_each_workflow_is_sent_once_and_a_child_below_its_parent(
    recorded: str, out: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", "--dbos", recorded, "-o", str(out), "--to", receiver.url]
    assert run(arguments) == 0
    spans = list(read_traces([out]))
    assert sum(map(len, receiver.batches)) == len(spans) == 32
    [child] = [
        span for span in spans if span.attributes.get(c.RUN_ID) == "research-1-3" and c.RUN_STATUS in span.attributes
    ]
    assert receiver.parents[child.name] == child.parent_id is not None
    assert run(arguments) == 0
    assert len(receiver.batches) == 5
    assert "0 spans sent to OTLP; it had 32 already" in capsys.readouterr().out


def test_trace_files_are_completed_without_a_backend(recorded: str, out: Path) -> None:
    arguments = ["export", "--dbos", recorded, "-o", str(out)]
    assert run(arguments) == 0
    before = set(out.iterdir())
    first = traces(out.parent)[0]
    lost = {span.span_id for span in read_traces([first])}
    first.unlink()
    assert run([*arguments, "--have", str(out)]) == 0
    [added] = set(out.iterdir()) - before
    assert {span.span_id for span in read_traces([added])} == lost


def test_what_was_exported_and_has_not_changed_is_not_exported_again(recorded: str, out: Path) -> None:
    arguments = ["export", "--dbos", recorded, "-o", str(out)]
    assert run(arguments) == 0
    before = stamps(out)
    with closing(sqlite3.connect(recorded.removeprefix("sqlite:///"))) as connection, connection as database:
        database.execute("DELETE FROM operation_outputs WHERE workflow_uuid = 'fail-1'")
    assert run(arguments) == 0
    now = stamps(out)
    assert [name.partition("_")[0] for name, at in now.items() if at != before[name]] == ["fail-1"]


def test_a_workflow_that_was_over_and_goes_on_has_one_file(made: Made, out: Path) -> None:
    arguments = ["export", "--dbos", made.url, "-o", str(out)]
    made.workflow("w", status="CANCELLED")
    for status, ends in (("CANCELLED", ".otlp.jsonl"), ("PENDING", "-0.otlp.jsonl"), ("SUCCESS", ".otlp.jsonl")):
        made.sql(f"UPDATE workflow_status SET status = '{status}'")
        assert run(arguments) == 0
        [file] = out.glob("*.otlp.jsonl")
        assert file.name.endswith(ends)


@pytest.mark.slow
def test_several_processes_share_the_workflows(recorded: str, tmp_path: Path) -> None:
    for folder, jobs in (("one", "1"), ("two", "2")):
        assert run(["export", "--dbos", recorded, "-o", str(tmp_path / folder), "--jobs", jobs]) == 0
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.otlp.jsonl")} for name in ("one", "two")
    )
    assert one == two
    assert len(one) == 5


def test_tables_of_workflows(recorded: str, out: Path) -> None:
    assert run(["export", "--dbos", recorded, "-o", str(out), "--parquet"]) == 0
    assert list((out / "tables").glob("**/*.parquet"))


def test_the_manifest_names_each_workflow_and_no_password(made: Made, out: Path) -> None:
    made.workflow("a/b c")
    assert run(["export", "--dbos", made.url, "-o", str(out)]) == 0
    [record] = records(out)
    assert (record.source, record.workflow_id, record.state) == (f"{made.url}#a%2Fb%20c", "a/b c", "exported")
    settings = ExportSettings(out, TracingConfig(), database="postgresql://reader:hunter2@db/agent")
    assert "hunter2" not in f"{settings}{settings.fingerprint()}"


def test_a_database_without_workflows(made: Made, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "--dbos", made.url, "-o", str(out)]) == 0
    assert capsys.readouterr().out == "The database has no workflow.\n"

"""The same folder means the same trace files to every command: all below it that are finished."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.tables.fleet import research, rows, support
from tests.tracefile.conftest import receiver
from tracing.cli import run
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tracefile.conftest import Receiver

__all__ = ["receiver"]


@pytest.fixture(autouse=True)
def _traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs, each in the folder of its month; beside them what is there while other commands work."""
    monkeypatch.chdir(tmp_path)
    november, december = tmp_path / "traces" / "2026-11", tmp_path / "traces" / "2026-12" / "01"
    write_trace(november, "research", research(), compression="gzip")
    write_trace(december, "support", support())
    (december / "months").symlink_to(tmp_path / "traces")
    (november / "manifest.jsonl").write_text("{}\n")
    (november / ".0123456789abcdef.part").write_text("half a trace")
    for unfinished in (november / ".export" / "staged" / "0-x", december / "tables" / ".tables-y.part" / "tmp" / "00"):
        unfinished.parent.mkdir(parents=True)
        unfinished.with_name(f"{unfinished.name}.otlp.jsonl").write_text("half a trace")


def test_cost_counts_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "traces", "--by", "run", "--json"]) == 0
    assert sorted(row["group"]["run"] for row in json.loads(capsys.readouterr().out)["rows"]) == ["run-1", "run-3"]


def test_tables_have_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tables", "traces", "--jobs", "1"]) == 0
    assert capsys.readouterr().out.startswith("2 trace files → tables: ")
    assert rows(tmp_path / "tables", "runs", "run_id") == [("run-1",), ("run-3",)]


def test_send_sends_them(receiver: Receiver) -> None:
    assert run(["send", "traces", "--to", receiver.url]) == 0
    assert [name for batch in receiver.batches for name in batch if name.startswith("RunWorkflow:")] == [
        "RunWorkflow:ResearchAgentWorkflow",
        "RunWorkflow:SupportWorkflow",
    ]


def test_what_they_hold_counts_as_there(tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    write_trace(tmp_path, "both", [*research(), *support()])
    assert run(["send", "both.otlp.jsonl", "--to", receiver.url, "--have", "traces"]) == 0
    assert receiver.batches == []
    assert capsys.readouterr().out.startswith("0 spans sent to OTLP; it had ")


@pytest.mark.parametrize("traces", ["traces", "traces/2026-11", "traces/2026-12/01/support.otlp.jsonl"])
def test_what_counts_as_there_cannot_be_sent(capsys: pytest.CaptureFixture[str], traces: str) -> None:
    assert run(["send", traces, "--to", "http://127.0.0.1:9", "--have", "traces"]) == 2
    assert (
        f"{traces} is among what --have names, so that nothing of it would be sent: give trace files that are "
        "elsewhere."
    ) in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("watch", [[], ["--watch"]])
@pytest.mark.parametrize("folder", ["traces", "traces/2027-01"])
def test_what_is_exported_must_not_count_as_there(
    capsys: pytest.CaptureFixture[str], watch: list[str], folder: str
) -> None:
    what = [] if watch else ["run.json"]
    assert run(["export", *what, *watch, "--to", "http://127.0.0.1:9", "--have", "traces", "-o", folder]) == 2
    assert (
        "--have names what the backend has, and -o the folder that all is exported into: give another with -o, which "
        "is not below that of --have, and in which no file is that --have names."
    ) in " ".join(capsys.readouterr().err.split())


def test_links_in_a_circle_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "run.json").write_text("{}")
    sending = ["--to", "http://127.0.0.1:9", "--have", "traces"]
    for arguments in (["send", "circle", *sending], ["export", "run.json", *sending, "-o", "circle"]):
        assert run(arguments) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(("durable-trace: circle: cannot be read (", "durable-trace: circle cannot be written ("))

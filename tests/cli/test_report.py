"""`durable-trace report`: what it writes, prints and returns."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.report.sample import replay_of_research_run, research_run
from tracing.cli import USAGE, run
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_run_and_its_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_trace(tmp_path, "run", research_run())
    write_trace(tmp_path, "replay", replay_of_research_run())


def waterfalls(page: Path) -> list[str]:
    return re.findall(r'<section class="trace".*?<bdi>([^<]*)</bdi>', page.read_text(), re.DOTALL)


def test_a_report_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "run.otlp.jsonl", "-o", "run.html"]) == 0
    assert capsys.readouterr().out == "21 spans → run.html\n"
    assert waterfalls(tmp_path / "run.html") == ["ResearchAgentWorkflow research-durable-execution"]


def test_a_comparison_shows_both_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "run.otlp.jsonl", "--compare-with", "replay.otlp.jsonl", "-o", "both.html"]) == 0
    assert capsys.readouterr().out == "28 spans → both.html\n"
    assert waterfalls(tmp_path / "both.html") == [
        "ResearchAgentWorkflow research-durable-execution",
        "Replay of ResearchAgentWorkflow research-durable-execution",
    ]
    assert "First run and replay" in (tmp_path / "both.html").read_text()


def test_several_traces_are_the_title_of_their_page(tmp_path: Path) -> None:
    assert run(["report", ".", "-o", "all.html"]) == 0
    assert "<title>2 traces</title>" in (tmp_path / "all.html").read_text()


def test_a_trace_file_without_a_run_makes_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.otlp.jsonl").write_text("")
    assert run(["report", "none.otlp.jsonl", "-o", "none.html"]) == 1
    assert capsys.readouterr().err == "durable-trace: There is no run in what was named: no report is written.\n"


def test_what_cannot_be_compared_is_shown_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_trace(tmp_path / "two", "run", research_run())
    write_trace(tmp_path / "two", "replay", replay_of_research_run())
    assert run(["report", "two", "--compare-with", "run.otlp.jsonl", "-o", "two.html"]) == 1
    assert "there are 2 and 1" in " ".join(capsys.readouterr().err.split())
    assert len(waterfalls(tmp_path / "two.html")) == 2


def test_a_page_goes_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "run.otlp.jsonl", "-o", "-"]) == USAGE
    assert "the page goes into a file, not to standard output" in capsys.readouterr().err
    assert not (tmp_path / "-").exists()


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert run(["report", "run.otlp.jsonl", "-o", str(pipe)]) == USAGE
    assert "is no file, but the page goes into one" in capsys.readouterr().err
    assert pipe.is_fifo()


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "latest.html").symlink_to("monday.html")
    assert run(["report", "run.otlp.jsonl", "-o", "latest.html"]) == 0
    assert (tmp_path / "latest.html").is_symlink()
    assert len(waterfalls(tmp_path / "monday.html")) == 1


def test_a_folder_that_is_not_there_is_said_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "nothing.otlp.jsonl", "-o", "no/run.html"]) == 2
    assert "no/run.html cannot be written: there is no folder no. Make it first." in capsys.readouterr().err

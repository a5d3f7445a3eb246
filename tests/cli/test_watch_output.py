"""What a user sees of a watcher."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tracing.cli.watch_output import WatchOutput
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.closed_runs import ClosedRun
from tracing.export.watch.delivery import Delivered
from tracing.export.watch.preparing import Prepared
from tracing.export.watch.state import Scope
from tracing.tracefile.batches import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = ClosedRun(1_795_950_000_000_000, "run-1", "research-1")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Checkpoint]:
    checkpoint = Checkpoint.open(tmp_path / "checkpoint", Scope("default", "", "Phoenix"), begin=0)
    yield checkpoint
    checkpoint.close()


def test_runs_that_lack_something_have_a_line_and_the_end_has_sums(
    checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    told = WatchOutput(checkpoint, "Phoenix", as_json=False)
    told.handled(RUN, Prepared([], spans=3, known=9))
    told.handled(ClosedRun(0, "run-2", "whole"), Prepared([], spans=0, known=12))
    told.delivered(Delivered(sent=3))
    checkpoint.keep(RUN, [Batch(b"x", 1)])
    told.note("The backend is away.")
    told.failed("research-3, run run-3: no.")
    told.summarize()
    out, err = capsys.readouterr()
    assert out == (
        "research-1 run-1: Phoenix lacks 3 spans, has 9\n"
        "2 runs; 3 spans sent to Phoenix; it had 21 already; 1 batches wait\n"
    )
    assert err == "The backend is away.\ndurable-trace: research-3, run run-3: no.\n"
    assert told.failed_ones == 1


def test_without_a_backend_runs_are_written(checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]) -> None:
    told = WatchOutput(checkpoint, None, as_json=False)
    told.handled(RUN, Prepared([]))
    told.summarize()
    assert capsys.readouterr().out == "research-1 run-1: written\n1 run written\n"


def test_as_json_each_run_is_a_line(checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]) -> None:
    told = WatchOutput(checkpoint, "Phoenix", as_json=True)
    told.handled(RUN, Prepared([], spans=3, known=9, sampled_out=1))
    told.summarize()
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {
            "workflow_id": "research-1",
            "run_id": "run-1",
            "closed": "2026-11-29T11:00:00.000000Z",
            "missing": 3,
            "known": 9,
            "sampled_out": 1,
        }
    ]


def test_names_cannot_command_the_terminal(checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]) -> None:
    told = WatchOutput(checkpoint, "Phoenix", as_json=False)
    told.handled(ClosedRun(0, "run-1", "evil\x1b[2J[red]"), Prepared([], spans=1))
    told.note("evil\x1b[2J")
    out, err = capsys.readouterr()
    assert out == "evil<1B>[2J[red] run-1: Phoenix lacks 1 span, has 0\n"
    assert err == "evil<1B>[2J\n"

"""The page that compares the engines says what its script finds: all of it but times, which nobody can hold to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.demo.stage import Stage
from agent.servers.progress import Progress
from benchmarks.engines import recovery
from benchmarks.engines.__main__ import PAGE, sizes
from benchmarks.engines.page import DBOS, TEMPORAL, code_table, page, shared, trace_table
from benchmarks.engines.per_step import Way, measure

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e


def test_lines_of_code() -> None:
    written = PAGE.read_text()
    assert code_table(sizes()) in written, "Run `make engines`."
    assert shared(sizes()[0]) in written, "Run `make engines`."


async def test_what_the_traces_hold(tmp_path: Path) -> None:
    with Stage(tmp_path, Progress(), with_phoenix=False) as stage:
        found = {
            TEMPORAL: await recovery.of_temporal(stage),
            DBOS: await recovery.of_dbos(stage, f"sqlite:///{tmp_path / 'agent.sqlite'}"),
        }
        way = Way("DBOS, traced", "dbos", f"sqlite:///{tmp_path / 'steps.sqlite'}", traced=True)
        per_step = measure([way], steps=2, rounds=1)

    assert trace_table(found) in PAGE.read_text(), "Run `make engines`."
    assert {engine: each.requests for engine, each in found.items()} == {TEMPORAL: 7, DBOS: 7}
    # Five calls, of which one was refused, and one lost: two were made again, on both engines.
    assert all(0 < each.away < each.finished for each in found.values())
    assert [len(values) for values in per_step.values()] == [2]
    assert page(sizes(), found, per_step).startswith(PAGE.read_text().partition("## A process")[0])

"""`durable-trace compare`: the table, and what it refuses."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.history.recording import Recording
from tests.tables.fleet import research, reset, write_fleet
from tracing.cli import run
from tracing.cli.comparison import comparison_table
from tracing.cost import account, compare
from tracing.tables import write_tables
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """\
research-1 against research-1

                                               first      second   difference
                                              tokens      tokens       tokens
                                                time        time         time
 step                         state             cost        cost         cost
 ────────────────────────────────────────────────────────────────────────────
 activity:1 call_llm          reused           1,220                   -1,220
                                              3.00 s                  -3.00 s
                                           $0.004633               -$0.004633
 activity:2 search_web        reused          2.00 s                  -2.00 s
 activity:3 call_llm          reused           2,310                   -2,310
                                             14.00 s                 -14.00 s
                                         ≥ $0.008078                  unknown
 activity:4 call_llm          executed         4,006         110       -3,896
                                             10.00 s      4.00 s      -6.00 s
                                           $0.013780   $0.250000   +$0.236220
 activity:5 generate_report   gone            2.00 s                  -2.00 s

 total 4 → 1 model calls                       7,536         110       -7,426
                                             1.0 min     1.8 min     +45.00 s
                                         ≥ $0.026490   $0.250000      unknown

Saved by reused results: $0.012710
First run, had it begun again from nothing at each recovery (estimate): ≥
$0.055345
Retry waste: ≥ $0.252268
"""


def test_a_run_against_its_reset_on_80_columns() -> None:
    written = io.StringIO()

    Console(file=written, width=80).print(comparison_table(compare(account(research()), account(reset())), 80))

    assert "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines()) == TABLE


def test_on_a_wide_terminal_tokens_and_time_stand_on_one_line() -> None:
    written = io.StringIO()

    Console(file=written, width=120).print(comparison_table(compare(account(research()), account(reset())), 120))

    assert " activity:1 call_llm          reused      1,220 · 3.00 s                    -1,220 · -3.00 s" in (
        written.getvalue()
    )


def test_runs_of_tables_compare_as_those_of_traces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_fleet(tmp_path / "fleet")
    for name in ("research", "reset"):
        write_tables(tmp_path / "fleet" / f"{name}.otlp.jsonl", tmp_path / name)
    of_traces, of_tables = (
        [str(tmp_path / name) for name in names]
        for names in (("fleet/research.otlp.jsonl", "fleet/reset.otlp.jsonl"), ("research", "reset"))
    )

    assert run(["compare", *of_traces, "--json"]) == 0
    told = capsys.readouterr().out
    assert run(["compare", *of_tables, "--json"]) == 0
    assert capsys.readouterr().out == told


def test_a_run_against_itself_is_said_to_be_one_and_gets_no_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", "http://127.0.0.1:1")
    write_trace(tmp_path, "research", research())
    path = str(tmp_path / "research.otlp.jsonl")

    assert run(["compare", path, path]) == 0
    assert capsys.readouterr().err.startswith("Both are the same run:")
    assert run(["compare", path, path, "--scores-to", "phoenix", "--json"]) == 1
    assert capsys.readouterr().err == (
        "durable-trace: No scores are written: both are the same run. Give another run, or a replay of it.\n"
    )


def test_runs_without_a_workflow_id_are_told_by_their_run_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        recording = Recording(workflow_id="", run_id=f"run-{number}")
        recording.task()
        (tmp_path / f"{number}.json").write_text(json.dumps(recording.json()))

    assert run(["compare", str(tmp_path), str(tmp_path)]) == 1

    assert "2 runs that do not belong together, such as run-1 and run-2: give" in capsys.readouterr().err


def test_a_side_is_one_run_or_runs_that_belong_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_fleet(tmp_path)
    one = tmp_path / "one"
    write_trace(one, "research", research())

    assert run(["compare", str(one), str(tmp_path)]) == 1

    assert capsys.readouterr().err == (
        f"durable-trace: {tmp_path}: it holds 5 runs, of which some are replays: give one run or one replay.\n"
    )

"""`durable-trace cost`: one run step by step, many runs summed up; as tables, JSON and CSV."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from tests.report.sample import approval_run
from tests.tables.fleet import FLEET, research, write_fleet
from tracing.cli import run
from tracing.cli.cost_tables import in_order, run_table, sums_table
from tracing.cost import account, tallies
from tracing.tables import write_tables
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_fleet(tmp_path / "traces")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["cost", *arguments]) == code
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(printed(capsys, *arguments, "--json"))


def test_one_run_has_its_steps_and_below_them_attempts_where_there_were_several(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        printed(capsys, "traces/research.otlp.jsonl")
        == """\
research-1 run-1 · completed

                                                                     input        output
 step                         model               tries   calls   (cached)   (reasoning)          cost
 ─────────────────────────────────────────────────────────────────────────────────────────────────────
 activity:1 call_llm          gpt-4o-2024-08-06       1       1      1,009           211     $0.004633
 activity:2 search_web                                1
 activity:3 call_llm          gpt-4o-2024-08-06       2       1      2,003           307   ≥ $0.008078
   attempt 2 ✓                gpt-4o-2024-08-06               1      2,003           307     $0.008078
   1 attempt left no trace                                                                     unknown
 activity:4 call_llm          gpt-4o-2024-08-06       2       2      3,504           502     $0.013780
   attempt 1 BadAnswer        gpt-4o-2024-08-06               1        503           101     $0.002268
   attempt 2 ✓                gpt-4o-2024-08-06               1      3,001           401     $0.011513
 activity:5 generate_report                           1

 total                                                7       4      6,516         1,020   ≥ $0.026490

Retry waste: ≥ $0.002268
Attempts that left no record, so that what they spent is unknown: 1
Prices: genai-prices 0.2.3 (4 calls)"""
    )


def test_many_runs_are_summed_up_by_type_and_model_the_dearest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        printed(capsys, "traces")
        == """\

                                                                  input        output
 type                    model               runs   calls      (cached)   (reasoning)          cost         waste
 ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
 SupportWorkflow         gpt-4o-2024-08-06      2       2   1,010 (200)       51 (20)     $0.625000     $0.000000
 ResearchAgentWorkflow   gpt-4o-2024-08-06      2       5         6,616         1,030     $0.276490     $0.252268
 SupportWorkflow         unknown                1       1            20             2   ≥ $0.062500       unknown
 SupportWorkflow         llama-4                1       1            70             7       unknown     $0.000000
 ResearchAgentWorkflow   unknown                1       0             0             0       unknown       unknown

 total                                          4       9   7,716 (200)    1,090 (20)   ≥ $0.963990   ≥ $0.252268

Retry waste: ≥ $0.252268
Attempts that left no record, so that what they spent is unknown: 2
Calls whose cost is unknown: 1
Prices: genai-prices 0.2.3 (7 calls)
Left out: 1 replay, which spent nothing."""
    )


def test_json_of_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    told = as_json(capsys, "traces/research.otlp.jsonl")

    [one] = told["runs"]
    assert (one["run_id"], one["cost_usd"], one["at_least"], one["retry_waste_usd"]) == (
        "run-1",
        0.02649,
        True,
        0.0022675,
    )
    assert [(step["key"], step["attempts"], step["attempts_without_trace"]) for step in one["steps"]] == [
        ("activity:1", 1, 0),
        ("activity:2", 1, 0),
        ("activity:3", 2, 1),
        ("activity:4", 2, 0),
        ("activity:5", 1, 0),
    ]
    failed, closing = one["steps"][3]["each_attempt"]
    assert (failed["number"], failed["closing"], failed["error"], failed["cost_usd"]) == (
        1,
        False,
        "BadAnswer",
        0.0022675,
    )
    assert (closing["number"], closing["closing"], closing["error"], closing["cost_usd"]) == (2, True, None, 0.0115125)
    assert closing["by_model"] == [
        {
            "provider": "openai",
            "model": "gpt-4o-2024-08-06",
            "llm_calls": 1,
            "input_tokens": 3001,
            "output_tokens": 401,
            "cached_input_tokens": 0,
            "reasoning_tokens": 0,
            "cost_usd": 0.0115125,
            "at_least": False,
            "unknown_cost_calls": 0,
            "price_sources": ["genai-prices 0.2.3"],
        }
    ]
    assert (told["total"]["runs"], told["total"]["cost_usd"], told["failed"]) == (1, 0.02649, [])


def test_json_of_many_runs(capsys: pytest.CaptureFixture[str]) -> None:
    told = as_json(capsys, "traces", "--by", "type,model")

    assert (told["by"], told["replays"], told["failed"]) == (["type", "model"], 1, [])
    assert [
        (row["group"], row["runs"], row["llm_calls"], row["cost_usd"], row["at_least"]) for row in told["rows"]
    ] == [
        ({"type": "SupportWorkflow", "model": "gpt-4o-2024-08-06"}, 2, 2, 0.625, False),
        ({"type": "ResearchAgentWorkflow", "model": "gpt-4o-2024-08-06"}, 2, 5, 0.27649, False),
        ({"type": "SupportWorkflow", "model": None}, 1, 1, 0.0625, True),
        ({"type": "SupportWorkflow", "model": "llama-4"}, 1, 1, None, True),
        ({"type": "ResearchAgentWorkflow", "model": None}, 1, 0, None, True),
    ]
    assert (told["total"]["runs"], told["total"]["cost_usd"], told["total"]["at_least"]) == (4, 0.96399, True)


def test_csv_has_exact_amounts_and_an_empty_cell_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "traces", "--by", "tag", "--csv") == (
        "tag,runs,attempts,llm_calls,input_tokens,cached_input_tokens,output_tokens,reasoning_tokens,cost_usd,at_least,"
        "unknown_cost_calls,unknown_attempts,wasted_attempts,retry_waste_usd,retry_waste_at_least,price_sources\n"
        "eu,2,9,6,7586,200,1077,20,0.5264900,true,1,1,2,0.0022675,true,genai-prices 0.2.3\n"
        "beta,2,8,5,6616,0,1030,0,0.2764900,true,0,1,3,0.2522675,true,genai-prices 0.2.3\n"
        ",1,2,2,30,0,3,0,0.1875,true,0,1,0,,true,genai-prices 0.2.3"
    )


def test_tables_print_what_their_traces_do(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tables(fleet, fleet.parent / "tables")

    for arguments in (["--json"], ["--runs", "--csv"], ["--by", "day,model", "--by", "tag", "--csv"], []):
        assert printed(capsys, "tables", *arguments) == printed(capsys, "traces", *arguments)


def test_without_the_package_tables_are_named_and_how_to_read_them(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(fleet, fleet.parent / "tables")
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert run(["cost", "tables"]) == 1

    assert capsys.readouterr().err == "durable-trace: Parquet needs a package: pip install 'durable-trace[parquet]'\n"


def test_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    rows = as_json(capsys, "traces", "--runs")["rows"]

    assert [
        (row["group"]["workflow"], row["group"]["run"], row["group"]["status"], row["cost_usd"]) for row in rows
    ] == [
        ("support-1", "run-3", "completed", 0.5),
        ("research-1", "run-2", "failed", 0.25),
        ("support-2", "run-4", "running", 0.1875),
        ("research-1", "run-1", "completed", 0.02649),
    ]


def test_a_period(capsys: pytest.CaptureFixture[str]) -> None:
    told = as_json(capsys, "traces", "--since", "2026-11-19", "--by", "model")

    assert [(row["group"], row["llm_calls"], row["cost_usd"]) for row in told["rows"]] == [
        ({"model": "llama-4"}, 1, None)
    ]
    every = as_json(capsys, "traces", "--by", "model")
    assert as_json(capsys, "traces", "--since", "9999999d", "--by", "model") == every
    assert as_json(capsys, "traces/support.otlp.jsonl", "--until", "2026-11-19T00:00:00Z")["total"]["llm_calls"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give RUNs, or --workflow-id, or --query: one of the three."),
        (["traces", "--query", "x"], "Give RUNs, or --workflow-id, or --query: one of the three."),
        (["traces", "--by", "colour"], "'colour' is none of type, model, provider, day, tag,"),
        (["traces", "--since", "yesterday"], "'yesterday' is no day or time: give one like 2026-11-01, 2026-11-01T08:"),
        (["traces", "--since", "2026-11-24", "--until", "2026-11-24"], "--since is not before --until"),
        (["traces", "--json", "--csv"], "Give --json or --csv."),
        (["traces", "--runs", "--by", "day"], "--runs is a --by of its own: give one of the two."),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_names_that_a_spreadsheet_would_compute_are_text(capsys: pytest.CaptureFixture[str], fleet: Path) -> None:
    from msgspec.structs import replace  # noqa: PLC0415 - this test's own

    from tracing import conventions as c  # noqa: PLC0415 - this test's own

    hostile = [replace(span, attributes=span.attributes | {c.TAGS: ("=cmd()\x1b[31m",)}) for span in research()]
    write_trace(fleet, "research", hostile)

    lines = printed(capsys, "traces/research.otlp.jsonl", "--by", "tag", "--csv").splitlines()

    assert lines[1].startswith("'=cmd()<1B>[31m,1,")


def test_no_run_is_an_answer_of_a_time_and_a_mistake_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "none.otlp.jsonl"
    empty.write_text("")

    assert run(["cost", str(empty)]) == 1
    assert capsys.readouterr().err == "durable-trace: There is no run in what was named: nothing is counted.\n"
    assert run(["cost", str(empty), "--since", "2030-01-01", "--csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_run_that_waited_for_persons_says_how_long_and_what_became_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_trace(tmp_path, "approval", approval_run())

    lines = printed(capsys, "approval.otlp.jsonl").splitlines()

    begin = lines.index("Waited for persons: 1.0 d of 1.0 d")
    assert lines[begin + 1 : begin + 3] == [
        "  24.0 h: nobody answered in time · approval of the draft",
        "  1.0 h: answered by grace (HandleUpdate:decide) · approval of the draft",
    ]
    together = ("approval.otlp.jsonl", "traces/research.otlp.jsonl")
    assert "Waited for persons: 1.0 d" in printed(capsys, *together).splitlines()
    rows = as_json(capsys, *together, "--by", "type")["rows"]
    assert [(row["group"]["type"], row["person_wait_s"]) for row in rows] == [
        ("ResearchAgentWorkflow", 0.0),
        ("ApprovalGate", 25 * 3600 - 3.0),
    ]


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_a_narrow_terminal(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    runs = [account(spans()) for spans in FLEET.values()]
    for each in runs:
        console.print(run_table(each, width))
        rows = tallies(each, ("type", "model"))
        console.print(
            sums_table(
                ("type", "model"), in_order(("type", "model"), rows), tallies(each, ())[()], replays=1, width=width
            )
        )

    text = console.export_text()
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text


def test_on_a_narrow_terminal_the_names_of_a_run_stand_below_each_other() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    by = ("workflow", "run", "type", "status")
    run_of = account(FLEET["research"]())

    console.print(sums_table(by, in_order(by, tallies(run_of, by)), tallies(run_of, ())[()], replays=0, width=80))

    lines = console.export_text().splitlines()
    first = next(position for position, line in enumerate(lines) if line.startswith(f" {run_of.workflow_id} "))
    assert [line.split()[0] for line in lines[first : first + 4]] == [
        run_of.workflow_id,
        run_of.run_id,
        run_of.workflow_type,
        run_of.status,
    ]
    assert max(map(len, lines)) <= 80

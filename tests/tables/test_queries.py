"""Do the queries of docs/parquet.md answer what they say, in DuckDB and in polars?"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from msgspec.structs import replace

from tests.cost.runs import at
from tests.history.local_markers import run_and_resets_with_local_activities
from tests.tables.fleet import research, reset, rows, tables_of, write_fleet
from tests.tables.test_rows import recorded_histories
from tracing.cost import account
from tracing.cost.compare import compare
from tracing.tables import TABLES, write_tables
from tracing.tables.columns import TYPES

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "parquet.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SQL = [line.strip() for language, text in BLOCK.findall(PAGE) if language == "sql" for line in text.split(";")]
QUERIES = [query for query in SQL if query]
POLARS = "\n".join(text for language, text in BLOCK.findall(PAGE) if language == "python" and "duckdb" not in text)

LONELY = {"usd_per_run", "slowest_run_id", "part_of_cost", "latest_run_id"}
"""Columns that the views have beyond those of the page's polars."""
ONLY_SQL = {"known_usd", "model_calls", "traces", "sessions", "saved_by_durability", "spans", "steps", "runs"}

D = Decimal


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    return write_tables(write_fleet(folder / "traces"), folder / "tables", part_files=2).folder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tables_of(tmp_path_factory.mktemp("recorded"), recorded_histories()).folder


@pytest.fixture(params=["fleet", "recorded"])
def tables(request: pytest.FixtureRequest) -> Path:
    folder = request.getfixturevalue(request.param)
    assert isinstance(folder, Path)
    return folder


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.execute(f"SET file_search_path = '{folder}'")
    # Days are days in UTC, whoever asks.
    database.execute("SET TimeZone = 'Pacific/Auckland'")
    database.execute((folder / "views.sql").read_text())
    return database


def views(database: duckdb.DuckDBPyConnection) -> set[str]:
    found = database.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    return {name for (name,) in found}


def in_polars(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(POLARS, "docs/parquet.md", "exec"), names)
    return names


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with opened(folder) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_page_runs(query: str, tables: Path) -> None:
    with opened(tables) as database:
        database.execute(query)


def test_every_view_is_on_the_page(fleet: Path) -> None:
    with opened(fleet) as database:
        assert [name for name in sorted(views(database)) if not re.search(rf"\b{name}\b", PAGE)] == []


def test_polars_gives_what_the_views_give(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = in_polars(tables, monkeypatch)
    with opened(tables) as database:
        shared = sorted(views(database) - ONLY_SQL)
        assert shared == sorted(name for name in shared if isinstance(names.get(name), pl.DataFrame))
        for name in shared:
            frame: pl.DataFrame = names[name]
            view = database.execute(f"SELECT * FROM {name}")
            columns = [column[0] for column in view.description or ()]
            assert set(columns) - LONELY == set(frame.columns), name
            found = database.execute(f"SELECT {', '.join(frame.columns)} FROM {name}").fetchall()
            assert _comparable(found) == _comparable(frame.rows()), name


def _comparable(found: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return sorted(tuple(_text(cell) for cell in row) for row in found)


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat()
    if isinstance(cell, float):
        return f"{cell:.9f}"
    return str(cell.normalize() if isinstance(cell, Decimal) else cell)


def test_cost_by_workflow_type(fleet: Path) -> None:
    query = (
        "SELECT workflow_type, runs, llm_calls, input_tokens, cost_usd, at_least, unknown_cost_calls, unknown_attempts"
    )
    assert ask(fleet, f"{query} FROM cost_by_workflow_type") == [
        # support-1: 0.5 and one call of unknown cost; support-2: 0.1875, and a step that is still open
        ("SupportWorkflow", 2, 4, 1100, D("0.6875"), True, 1, 1),
        # research: 0.02649, a killed attempt; its reset: 0.25
        ("ResearchAgentWorkflow", 2, 5, 6616, D("0.27649"), True, 0, 1),
    ]


def test_cost_by_model(fleet: Path) -> None:
    assert ask(fleet, "SELECT * FROM cost_by_model") == [
        ("openai", "gpt-4o-2024-08-06", 7, 7626, 1081, D("0.90149"), 0),
        # the call of support-2 whose span was lost
        (None, None, 1, 20, 2, D("0.0625"), 0),
        ("vllm", "llama-4", 1, 70, 7, None, 1),
    ]
    whole = D("0.27649") + D("0.6875")
    assert D("0.90149") + D("0.0625") == whole
    assert ask(fleet, "SELECT sum(cost_usd) FROM runs") == [(whole,)]


def test_cost_by_day(fleet: Path) -> None:
    # Runs begin at 2026-11-18, 13:20 UTC.
    first, second = date(2026, 11, 18), date(2026, 11, 19)
    assert datetime.fromtimestamp(at(0) / 1e9, tz=UTC).date() == first
    assert ask(fleet, "SELECT * FROM cost_by_day") == [
        (first, "ResearchAgentWorkflow", "gpt-4o-2024-08-06", 5, D("0.27649"), 0),
        (first, "SupportWorkflow", "gpt-4o-2024-08-06", 2, D("0.625"), 0),
        (first, "SupportWorkflow", None, 1, D("0.0625"), 0),
        (second, "SupportWorkflow", "llama-4", 1, None, 1),
    ]


def test_slowest_steps(fleet: Path) -> None:
    # answer: 10, 30 and 3 s; call_llm: 3, 14, 10 and 4 s
    assert ask(fleet, "SELECT kind, type, steps, p50_s, max_s, slowest_run_id FROM slowest_steps") == [
        ("activity", "answer", 3, 10.0, 30.0, "run-3"),
        ("activity", "call_llm", 4, 7.0, 14.0, "run-1"),
        ("activity", "generate_report", 1, 2.0, 2.0, "run-1"),
        ("activity", "search_web", 1, 2.0, 2.0, "run-1"),
    ]


def test_queue_times(fleet: Path) -> None:
    # answer waited 2, 4, 0.25 and 1 s; call_llm three times 0.5 s
    assert ask(fleet, "SELECT activity_type, attempts, p50_s, p95_s, max_s FROM queue_times") == [
        ("answer", 4, 1.5, pytest.approx(3.7), 4.0),
        ("call_llm", 3, 0.5, 0.5, 0.5),
        ("generate_report", 1, 0.5, 0.5, 0.5),
        ("search_web", 1, 0.5, 0.5, 0.5),
    ]


def test_retry_waste(fleet: Path) -> None:
    # 0.0022675 of the failed attempt and 0.25 of the step that failed; the killed attempt is unknown
    assert ask(
        fleet, "SELECT workflow_type, type, steps, wasted_attempts, retry_waste_usd, at_least FROM retry_waste"
    ) == [("ResearchAgentWorkflow", "call_llm", 6, 3, D("0.2522675"), True)]


def test_saved_by_reuse(fleet: Path) -> None:
    query = "SELECT run_id, replay_id, reused_steps, saved_usd, at_least FROM saved_by_reuse"
    assert ask(fleet, query) == [
        ("run-1", "replay-1", 5, D("0.0242225"), False),
        ("run-2", None, 3, D("0.01271"), False),
    ]
    assert compare(account(research()), account(reset())).saved.known == D("0.01271")


def saved_by_reuse(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the view says, by run: polars says it, too."""
    columns = ["run_id", "reused_steps", "saved_usd", "at_least"]
    found = ask(folder, f"SELECT {', '.join(columns)} FROM saved_by_reuse ORDER BY run_id")
    frame: pl.DataFrame = in_polars(folder, monkeypatch)["saved_by_reuse"]
    assert frame.select(columns).sort("run_id").rows() == found
    return found


def test_a_reset_of_a_reset_saved_what_the_first_run_had_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tables_of(tmp_path, research(), reset(), reset("run-5", base="run-2")).folder

    assert saved_by_reuse(folder, monkeypatch) == [
        ("run-2", 3, D("0.01271"), False),
        ("run-5", 3, D("0.01271"), False),
    ]


def test_resets_in_a_circle_saved_nobody_knows_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = reset("run-2", base="run-5"), reset("run-5", base="run-2")
    # The more traces say the same of a run, the more ways lead around.
    copies = [[replace(span, trace_id=number) for span in other] for number in (1, 2, 3)]
    folder = tables_of(tmp_path, one, other, *copies).folder

    assert saved_by_reuse(folder, monkeypatch) == [("run-2", 3, None, True), ("run-5", 12, None, True)]


def test_reused_local_activities_saved_what_they_cost_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tables_of(tmp_path, *run_and_resets_with_local_activities()).folder

    assert saved_by_reuse(folder, monkeypatch) == [
        ("5f0e4f7e-0000-4000-8000-000000000001", 3, D("0.75"), False),
        ("5f0e4f7e-0000-4000-8000-000000000002", 3, D("0.75"), False),
    ]


def test_saved_is_unknown_where_the_first_run_is_not_at_hand(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, reset()).folder

    assert ask(folder, "SELECT reused_steps, saved_usd, at_least FROM saved_by_reuse") == [(3, None, True)]


def test_saved_by_durability(fleet: Path) -> None:
    query = "SELECT workflow_type, runs_that_recovered, recovery_points, saved_usd, at_least FROM saved_by_durability"
    assert ask(fleet, query) == [("ResearchAgentWorkflow", 1, 2, D("0.055345") - D("0.02649"), True)]


def test_failures(fleet: Path) -> None:
    assert ask(fleet, "SELECT failed, type, error_type, failures, runs, latest_run_id FROM failures") == [
        ("attempt", "call_llm", "BadAnswer", 2, 2, "run-2"),
        ("run", "ResearchAgentWorkflow", "BadAnswer", 1, 1, "run-2"),
        ("step", "call_llm", "BadAnswer", 1, 1, "run-2"),
    ]


def test_sessions(fleet: Path) -> None:
    query = "SELECT session_id, runs, llm_calls, cost_usd, at_least FROM sessions ORDER BY session_id"
    assert ask(fleet, query) == [
        ("chat-17", 2, 5, D("0.27649"), True),
        ("chat-18", 1, 2, D("0.5"), True),
        ("support-2", 1, 2, D("0.1875"), True),
    ]


def test_tags(fleet: Path) -> None:
    assert ask(fleet, "SELECT * FROM tags") == [
        ("eu", 2, 0, 6, D("0.52649"), True),
        ("beta", 2, 1, 5, D("0.27649"), True),
    ]


def test_tokens_by_user(fleet: Path) -> None:
    assert ask(fleet, "SELECT * FROM tokens_by_user") == [
        ("ada", 2, 5, 6616, 0, 1030, 0, D("0.27649"), True),
        ("bob", 1, 2, 1070, 200, 57, 20, D("0.5"), True),
        (None, 1, 2, 30, 0, 3, 0, D("0.1875"), True),
    ]


def test_runs_of_a_session_and_of_a_tag(fleet: Path) -> None:
    of_session, of_tag = (query for query in QUERIES if "'chat-17'" in query or "'beta'" in query)
    expected = [
        ("run-1", "ResearchAgentWorkflow", "completed", D("0.02649")),
        ("run-2", "ResearchAgentWorkflow", "failed", D("0.25")),
    ]
    assert ask(fleet, of_session) == ask(fleet, of_tag) == expected


def test_a_sum_of_which_nothing_is_known_is_null(tmp_path: Path) -> None:
    spans = [
        span for span in recorded_histories() if span.attributes.get("temporal.workflow.type") == "HelloWorldAgent"
    ]

    folder = tables_of(tmp_path, spans).folder

    assert ask(folder, "SELECT cost_usd, at_least FROM cost_by_workflow_type") == [(None, True)]
    assert ask(folder, "SELECT cost_usd, at_least FROM tokens_by_user") == [(None, True)]
    assert ask(folder, "SELECT cost_usd, unknown_cost_calls FROM cost_by_model") == [(None, 1)]


def test_sums_over_the_model_calls_are_those_over_the_runs(tables: Path) -> None:
    sums = "sum(llm_calls), sum(input_tokens), sum(output_tokens), coalesce(sum(cost_usd), 0), sum(unknown_cost_calls)"
    assert ask(tables, f"SELECT {sums} FROM model_calls") == ask(tables, f"SELECT {sums} FROM runs")


def test_the_page_lists_the_columns() -> None:
    for table, columns in TABLES.items():
        section = PAGE.partition(f"\n### {table}\n")[2].partition("\n### ")[0]
        listed = [line for line in section.splitlines() if line.startswith("| `")]
        assert listed == [f"| `{name}` | {TYPES[type_]} | {meaning} |" for name, type_, meaning in columns]


def test_polars_reads_the_types(fleet: Path) -> None:
    schema = pl.scan_parquet(fleet / "runs" / "*.parquet").collect_schema()
    assert [str(schema[name]) for name in ("run_id", "start_time", "duration_s", "cost_usd", "tags")] == [
        "String",
        "Datetime(time_unit='us', time_zone='UTC')",
        "Float64",
        "Decimal(precision=38, scale=18)",
        "List(String)",
    ]
    assert rows(fleet, "runs", "run_id")

"""Real DBOS on SQLite and PostgreSQL: a run, a fork and their children, against what the model server counted."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from agent.local.control_client import ControlClient
from agent.local.model_server import model_server
from tests.e2e.conftest import hermetic
from tracing.cli import run as command
from tracing.dbos import DatabaseError, connect

if TYPE_CHECKING:
    from pathlib import Path

    from agent.local.journal import RequestRecord

pytestmark = pytest.mark.e2e

FRESH, CACHED, OUTPUT = Decimal("2.5"), Decimal("1.25"), Decimal(10)
"""USD for a million tokens of gpt-4o, as its provider publishes them."""


def billed(request: RequestRecord) -> Decimal:
    usage = request.usage
    assert usage is not None
    fresh = usage.input_tokens - usage.cached_tokens
    return (fresh * FRESH + usage.cached_tokens * CACHED + usage.output_tokens * OUTPUT) / 1_000_000


async def run(database: str) -> dict[str, Decimal]:
    """Run base and fork; what the model server would bill, by workflow ID and number of the step."""
    async with model_server() as model:
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.e2e.dbos_workflows", database, model.url],
            env=hermetic(),
            check=True,
            timeout=120,
            capture_output=True,
        )
        requests = await ControlClient(model.control).requests()
    return {request.asked.client_request_id: billed(request) for request in requests}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database that DBOS may make."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'agent.sqlite'}"
    return str(request.getfixturevalue("postgresql_database"))


async def test_a_run_and_its_fork_cost_what_the_model_server_counted(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traces = str(tmp_path / "traces")
    bills = await run(database)
    assert list(bills) == ["base/1", "base/2", "base-3/1", "base/5", "fork-3/1", "fork/5"]

    def told(*arguments: str) -> Any:
        assert command([*arguments, "--json"]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return json.loads(printed.out)

    exported = told("export", "--dbos", database, "-o", traces)
    files = {row["workflow_id"]: row["files"][0] for row in exported["exported"]}
    assert list(files) == ["base", "base-3", "fork", "fork-3"]

    compared = told("compare", files["base"], files["fork"])
    assert [(step["key"], step["type"], step["state"]) for step in compared["steps"]] == [
        ("activity:1", "ask", "reused"),
        ("activity:2", "ask", "reused"),
        ("activity:5", "ask", "executed"),
    ]
    base, fork = compared["runs"]
    assert (base["llm_calls"], fork["llm_calls"]) == (3, 1)
    assert base["cost_usd"] == usd(bills["base/1"] + bills["base/2"] + bills["base/5"])
    assert fork["cost_usd"] == usd(bills["fork/5"])
    assert compared["saved_usd"] == usd(bills["base/1"] + bills["base/2"])
    assert compared["retry_waste_usd"] == 0
    assert compared["at_least"] == []

    # A run with its children is one trace: what the child spent is in it once, though its parent's result shows it too.
    costs = told("cost", traces, "--by", "session")
    assert costs["total"]["llm_calls"] == 6
    assert [(row["group"], row["cost_usd"]) for row in costs["rows"]] == [
        ({"session": "base"}, usd(sum(bills.values(), Decimal(0))))
    ]


async def test_nothing_can_be_written_through_the_reader(database: str) -> None:
    await run(database)
    with connect(database) as opened, pytest.raises(DatabaseError, match=r"read-?only"):
        opened.rows(f"DELETE FROM {opened.table('operation_outputs')} RETURNING 1")


def usd(amount: Decimal) -> object:
    return pytest.approx(float(amount), abs=1e-9)


def test_what_is_read_of_postgresql_leaves_the_session_as_it_was(postgresql_database: str) -> None:
    """Behind a pooler of transactions it is the application's, too."""
    with connect(f"{postgresql_database.rpartition('/')[0]}/postgres") as database:
        asked = "SELECT current_setting('transaction_read_only') AS own, "
        asked += "current_setting('default_transaction_read_only') AS others"
        for _ in range(10):  # by then a driver would have prepared it
            assert database.rows(asked) == [{"own": "on", "others": "off"}]
        assert database.rows("SELECT name FROM pg_prepared_statements") == []
        with pytest.raises(DatabaseError, match="read-only transaction"):
            database.rows("CREATE TABLE notes (text TEXT)")
        assert database.rows("SELECT 1 AS one") == [{"one": 1}]

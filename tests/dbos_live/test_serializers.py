"""Ledgers that the user's own serialiser writes, as it does results: nobody else reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from dbos import SetWorkflowID

from tests.dbos_live import sealing
from tests.dbos_live.conftest import ON, assert_same, traced
from tests.dbos_live.sealing import Sealed
from tests.dbos_live.test_settings import SECRET, agent, stored
from tracing import trace_dbos
from tracing.cli import run
from tracing.cost import account
from tracing.dbos_live import writing
from tracing.tracefile import read_traces

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PATH = "tests.dbos_live.sealing"


@pytest.fixture
def sealed(url: str) -> str:
    """URL of a database with a workflow whose results and ledgers are sealed; both readers agree."""
    with traced(url, ON, serializer=Sealed()) as live:
        research = agent()
        live.launch(serializer=Sealed())
        with SetWorkflowID("w"):
            research(SECRET)
        spans = live.spans("w")
        assert SECRET in repr(spans)  # content is on
        assert_same(spans, live.exported("w", serializer=Sealed()))
    return url


def test_no_row_is_readable(sealed: str) -> None:
    rows = stored(sealed, "SELECT value, serialization FROM streams")
    assert [by for _, by in rows] == ["sealed"] * 2
    for table in ("streams", "operation_outputs", "workflow_input"):
        text = repr(stored(sealed, f"SELECT * FROM {table}"))
        assert SECRET not in text
        assert "gpt-4o" not in text


@pytest.mark.parametrize(
    ("serializer", "calls", "unknown"),
    [
        (["--serializer", f"{PATH}:Sealed"], 2, 0),
        (["--serializer", f"{PATH}:other"], 0, 2),
        ([], 0, 2),
    ],
)
def test_an_export_reads_them_by_that_serialiser_alone(
    sealed: str, tmp_path: Path, serializer: list[str], calls: int, unknown: int
) -> None:
    assert run(["export", "--dbos", sealed, "-o", str(tmp_path / "traces"), *serializer]) == 0
    told = account(list(read_traces([tmp_path / "traces"])))
    assert (told.usage.calls, told.unknown_attempts) == (calls, unknown)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (f"{PATH}:Pickling", f"{PATH}:Pickling is pickle, which runs whatever a row says"),
        (f"{PATH}:Missing", f"Module '{PATH}' has no 'Missing'"),
        (f"{PATH}:hashlib", f"{PATH}:hashlib is no serializer but module"),
        ("sealing", "'sealing' names no serializer"),
    ],
)
def test_what_is_no_serialiser_is_refused(
    url: str, reference: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--dbos", url, "--serializer", reference]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_it_belongs_to_databases(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "history.json", "--serializer", f"{PATH}:Sealed"]) == 2
    assert "give it with --dbos" in capsys.readouterr().err


def test_pickle_is_refused_where_workflows_are_traced(url: str) -> None:
    with pytest.raises(ValueError, match="is pickle"):
        trace_dbos(url, serializer=sealing.Pickling())


def test_without_it_ledgers_are_plain_and_that_is_said_once(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_warned", set())
    with traced(url, ON) as live:
        research = agent()
        live.launch(serializer=Sealed())
        for workflow_id in ("w", "v"):
            with SetWorkflowID(workflow_id):
                research("tides")
        assert live.spans("w")
    said = [record.getMessage() for record in caplog.records if "serializer" in record.getMessage()]
    [message] = said
    assert message.startswith("Content is on, and the serializer 'sealed' does not cover what ledgers keep of messages")
    rows: list[Any] = stored(url, "SELECT value FROM streams")
    assert all("ledger" in json.loads(value) for (value,) in rows)

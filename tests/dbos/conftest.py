"""The recorded database, and databases of our own with DBOS's tables."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tracing.config import TracingConfig
from tracing.dbos import Reader, connect, convert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.dbos import Converted

RECORDED = Path(__file__).parents[1] / "data" / "dbos" / "recorded.sqlite.gz"

STATUS_COLUMNS = (
    "workflow_uuid, status, name, created_at, updated_at, completed_at, forked_from, parent_workflow_id, queue_name, "
    "executor_id, application_version, application_name, recovery_attempts, serialization, inputs, output, error"
)
STEP_COLUMNS = (
    "workflow_uuid, function_id, function_name, output, error, child_workflow_id, started_at_epoch_ms, "
    "completed_at_epoch_ms, serialization"
)
MS = 1_700_000_000_000
"""When what our own databases say happened, in ms since the epoch: a whole second."""


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    """URL of the database that real DBOS wrote."""
    return unpacked(tmp_path)


def unpacked(folder: Path) -> str:
    """URL of the database that real DBOS wrote, in a folder."""
    path = folder / "recorded.sqlite"
    path.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    return f"sqlite:///{path}"


class Made:
    """A database of our own: its columns have no types, so that anything can stand in them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self._rows = sqlite3.connect(path)
        self._rows.execute("PRAGMA synchronous = OFF")  # many rows, each on its own
        self._rows.execute("PRAGMA journal_mode = MEMORY")
        self._rows.execute(f"CREATE TABLE workflow_status ({STATUS_COLUMNS})")
        self._rows.execute(f"CREATE TABLE operation_outputs ({STEP_COLUMNS})")

    def workflow(self, workflow_id: Any, **columns: Any) -> None:
        given = {"status": "SUCCESS", "name": "work", "created_at": MS, "completed_at": MS + 1_000} | columns
        self._insert("workflow_status", {"workflow_uuid": workflow_id} | given)

    def step(self, workflow_id: Any, function_id: Any, **columns: Any) -> None:
        given = {"function_name": "ask", "started_at_epoch_ms": MS + 10, "completed_at_epoch_ms": MS + 20} | columns
        self._insert("operation_outputs", {"workflow_uuid": workflow_id, "function_id": function_id} | given)

    def sql(self, text: str) -> None:
        self._rows.executescript(text)

    def close(self) -> None:
        self._rows.close()

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("?" * len(row))
        self._rows.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
        self._rows.commit()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    database = Made(tmp_path / "made.sqlite")
    yield database
    database.close()


def answer(response_id: str = "chatcmpl-1") -> str:
    """A model's answer, as the OpenAI client's models dump it: 1,000 tokens in, 100 out."""
    return json.dumps(
        {
            "id": response_id,
            "object": "chat.completion",
            "model": "gpt-4o-2024-08-06",
            "choices": [{"finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1_000, "completion_tokens": 100},
        }
    )


PORTABLE = "portable_json"


def converted(url: str, workflow_id: str, *, content: bool = False) -> Converted:
    """A workflow of a database."""
    with connect(url) as database:
        found = convert(Reader(database), workflow_id, TracingConfig(capture_content=content))
    assert found is not None
    return found

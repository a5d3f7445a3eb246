"""A database that is read while its workflows run, and whose connection does not last."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.documents.blocks import ROOT
from tracing.dbos import DatabaseError
from tracing.dbos_live.rows import Rows

if TYPE_CHECKING:
    from pathlib import Path

    from tracing.dbos import Reader

pytestmark = pytest.mark.slow


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "agent.sqlite"
    file.write_bytes(gzip.decompress((ROOT / "tests" / "data" / "dbos" / "recorded.sqlite.gz").read_bytes()))
    return file


def workflows(reader: Reader) -> int:
    return len(reader.workflow_ids())


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(database: Path) -> None:
    rows = Rows(f"sqlite:///{database}")
    there = rows.read(workflows)
    rows._connection.close()
    assert rows.read(workflows) == there > 0


def test_a_database_that_cannot_be_read_is_asked_once_more_and_then_said(database: Path) -> None:
    rows, asked = Rows(f"sqlite:///{database}"), []
    rows.read(workflows)

    def failing(_: Reader) -> None:
        asked.append(1)
        raise DatabaseError("It cannot be read.")

    with pytest.raises(DatabaseError):
        rows.read(failing)
    assert len(asked) == 2

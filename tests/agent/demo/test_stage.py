"""What the processes of a demo inherit."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from agent.demo.stage import Stage
from agent.running.options import VARIABLES
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name",
    [
        *VARIABLES,
        "APPROVAL_WEBHOOK",
        "DBOS_SYSTEM_DATABASE_URL",
        "DURABLE_TRACE_LEDGER",
        "OPENAI_API_KEY",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ],
)
def test_a_demo_reaches_nothing_real_and_is_no_other_for_what_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "real")
    monkeypatch.setenv("DURABLE_TRACE_CACHE_DIR", str(tmp_path))
    environ = Stage(tmp_path, Progress(io.StringIO()))._environ

    assert name not in environ
    assert (environ["DURABLE_TRACE_CACHE_DIR"], environ["PATH"]) == (str(tmp_path), os.environ["PATH"])

"""The program of docs/dbos.md, as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.documents.blocks import of
from tests.rendering import render
from tracing import TracingConfig
from tracing import conventions as c
from tracing.cost import account
from tracing.dbos import Reader, connect, convert

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_it_runs_and_its_database_has_the_trace(tmp_path: Path) -> None:
    [program] = [block.text for block in of("python", "docs/dbos.md") if "trace_dbos(DATABASE)" in block.text]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "Is it durable?: yes\n"
    with connect(f"sqlite:///{tmp_path / 'agent.sqlite'}") as database:
        converted = convert(Reader(database), "research-1", TracingConfig())
    assert converted is not None
    assert (
        render(converted.spans, only=(), times=False)
        == """\
RunWorkflow:research SERVER
  StartActivity:ask CLIENT
    RunActivity:ask SERVER
      chat gpt-4o CLIENT"""
    )
    told = {(span.attributes[c.SESSION_ID], span.attributes[c.USER_ID]) for span in converted.spans}
    assert told == {("chat-17", "ada")}
    assert account(converted.spans).usage.calls == 1

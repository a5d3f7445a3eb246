"""The client as a command, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agent.deep_research.client import told
from agent.deep_research.payloads import Progress
from agent.deep_research.worker import build_worker
from agent.local.faults import Fault

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from temporalio.client import Client

    from agent.local.control_client import ControlClient

HALFWAY = Progress("Sub-questions", ["One?", "Two?"], ["Three?"], ["Four?"], tokens=12_345)


@asynccontextmanager
async def asking(address: str, workflow_id: str) -> AsyncIterator[Process]:
    """The client's process; killed in the end if it still runs."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "OTEL_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.deep_research.client", "Green tea", "--id", workflow_id),
        env={**others, "TEMPORAL_ADDRESS": address, "OTEL_TRACES_EXPORTER": "none"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def test_progress_is_told_in_a_line_with_what_is_under_way_below_it() -> None:
    assert told(HALFWAY) == "Sub-questions: 2 of 4 answered, 12,345 tokens\n  Three?"


@pytest.mark.e2e
@pytest.mark.usefixtures("services")
async def test_it_says_how_far_the_research_is_and_prints_the_report(
    temporal_address: str, temporal: Client, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold", contains="# Sub-question 1 of 4"))
    async with build_worker(temporal), asking(temporal_address, "research-with-progress") as process:
        assert process.stderr
        said = ""
        while "Sub-questions: 2 of 4 answered" not in said or not said.endswith("\n  Green tea in practice\n"):
            line = (await process.stderr.readline()).decode()
            assert line, said
            said += line
        await model_control.release()
        report, _ = await process.communicate()

    assert (process.returncode, report.decode().partition("\n")[0]) == (0, "# Green tea")


@pytest.mark.e2e
@pytest.mark.usefixtures("services")
async def test_it_says_why_a_research_failed(
    temporal_address: str, temporal: Client, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="status", status=404, contains="# Sub-question 1 of 4"))
    async with build_worker(temporal), asking(temporal_address, "failing-research") as process:
        report, errors = await process.communicate()

    assert (process.returncode, report) == (1, b"")
    assert errors.decode().splitlines()[-1] == (
        "The research failing-research failed: NotFoundError: The model answered 404: The local server was told to "
        "fail. Check RESEARCH_MODEL and OPENAI_BASE_URL."
    )

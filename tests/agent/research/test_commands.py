"""The worker and the client as commands, in processes of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from agent.local.faults import Fault
from agent.local.journal import StepCount
from agent.research.workflow import ResearchAgentWorkflow

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from temporalio.client import Client

    from agent.local.control_client import ControlClient

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("services")]


async def command(module: str, *arguments: str, address: str) -> Process:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "OTEL_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        env={**others, "TEMPORAL_ADDRESS": address, "OTEL_TRACES_EXPORTER": "none"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: Process) -> tuple[int | None, str, str]:
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def worker(address: str, *arguments: str) -> AsyncIterator[Process]:
    """A worker that polls; killed in the end if it still runs."""
    process = await command("agent.research.worker", *arguments, address=address)
    assert process.stdout
    try:
        assert await process.stdout.readline() == (
            f"Worker polls research-agent-queue in namespace default at {address}.\n".encode()
        )
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_the_client_prints_the_report_that_the_worker_makes_and_the_worker_stops_at_a_signal(
    temporal_address: str,
) -> None:
    async with worker(temporal_address) as working:
        asked = await command("agent.research.client", "Is green tea healthy?", address=temporal_address)
        code, report, errors = await ended(asked)
        working.send_signal(signal.SIGTERM)

        assert (code, errors) == (0, "")
        assert report.startswith("# Is green tea healthy?\n\nAn introduction defines the terms of “Is green tea")
        assert await ended(working) == (0, "", "")


async def test_the_client_need_not_wait_and_refuses_to_ask_twice(temporal_address: str, temporal: Client) -> None:
    workflow_id = f"research-{uuid4()}"
    ask = ("agent.research.client", "Is green tea healthy?", "--id", workflow_id, "--no-wait")

    started = await ended(await command(*ask, address=temporal_address))
    again = await ended(await command(*ask, address=temporal_address))

    description = await temporal.get_workflow_handle(workflow_id).describe()
    await temporal.get_workflow_handle(workflow_id).terminate()
    assert started == (0, f"Started workflow {workflow_id}, run {description.run_id}.\n", "")
    assert again == (
        1,
        "",
        f"A run of workflow {workflow_id} is going on already: wait for it, or choose another --id.\n",
    )


async def test_the_client_says_why_a_run_failed(temporal_address: str, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="status", status=404))
    async with worker(temporal_address):
        asked = await command("agent.research.client", "Is tea healthy?", "--id", "failing", address=temporal_address)

        code, report, errors = await ended(asked)

    assert (code, report) == (1, "")
    assert errors == (
        "The run of workflow failing failed: NotFoundError: The model answered 404: The local server was told to fail. "
        "Check RESEARCH_MODEL and OPENAI_BASE_URL.\n"
    )


@pytest.mark.parametrize("arguments", [("agent.research.worker",), ("agent.research.client", "Is green tea healthy?")])
async def test_without_temporal_one_sentence_says_how_to_mend_it(arguments: tuple[str, ...]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        code, out, errors = await ended(await command(*arguments, address=address))

    assert (code, out) == (1, "")
    assert errors == (
        f"No Temporal server can be reached at {address}: start one with `temporal server start-dev`, "
        "or set TEMPORAL_ADDRESS to one that runs.\n"
    )


async def test_a_killed_workers_run_goes_on_elsewhere_and_repeats_only_the_call_that_was_open(
    temporal_address: str, temporal: Client, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold", contains="# Synthesis 2 of 3"))
    run = await temporal.start_workflow(
        ResearchAgentWorkflow.run, "Is green tea healthy?", id=f"research-{uuid4()}", task_queue="research-agent-queue"
    )
    async with worker(temporal_address, "--identity", "first") as first:
        await model_control.wait(1, step="Synthesis 2 of 3", state="received")
        first.kill()
        await model_control.wait(1, step="Synthesis 2 of 3", state="disconnected")

    async with worker(temporal_address, "--identity", "second", "--max-cached-workflows", "0"):
        assert (await run.result()).startswith("# Is green tea healthy?")

    once = StepCount(requests=1, answered=1)
    assert await model_control.counts() == {
        "Plan": once,
        "Synthesis 1 of 3": once,
        "Synthesis 2 of 3": StepCount(requests=2, disconnected=1, answered=1),
        "Synthesis 3 of 3": once,
        "Summary": once,
    }
    completed = [
        event.activity_task_started_event_attributes
        for event in (await run.fetch_history()).events
        if event.HasField("activity_task_started_event_attributes")
    ]
    assert [(attempt.identity, attempt.attempt) for attempt in completed] == [
        *[("first", 1)] * 5,
        ("second", 2),
        *[("second", 1)] * 3,
    ]

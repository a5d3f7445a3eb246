"""The script: the agent without durable execution, on the local servers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.failures.script import main
from agent.local.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from agent.local.control_client import ControlClient

pytestmark = pytest.mark.usefixtures("services")

QUESTION = "Green tea"


async def run(folder: Path, *options: str) -> int:
    """Run it as its command does, on a thread: it has an event loop of its own."""
    return await asyncio.to_thread(main, [QUESTION, "--output", str(folder / "report.md"), *options])


def refusals(times: int, status: int = 429) -> Fault:
    return Fault(kind="status", status=status, retry_after=0, contains="# Synthesis 2 of 3", times=times)


async def asked(control: ControlClient) -> list[str]:
    """The IDs of the requests that the model server received."""
    return [request.asked.client_request_id for request in await control.requests()]


async def test_it_asks_what_the_workflow_asks_and_writes_its_report(
    tmp_path: Path, model_control: ControlClient
) -> None:
    assert await run(tmp_path, "--check") == 0

    assert await model_control.requests_per_step() == {
        "Plan": 1,
        "Synthesis 1 of 3": 1,
        "Synthesis 2 of 3": 1,
        "Synthesis 3 of 3": 1,
        "Check": 1,
        "Summary": 1,
    }
    assert (tmp_path / "report.md").read_text().startswith("# Green tea\n\nAn introduction defines the terms of")


@pytest.mark.slow
async def test_two_refusals_in_a_row_are_tried_again_as_the_clients_own_retries_would(
    tmp_path: Path, model_control: ControlClient
) -> None:
    await model_control.arm(refusals(2))

    assert await run(tmp_path, "--start", "7") == 0
    # Steps 2, 3 and 4 are the searches.
    assert await asked(model_control) == [
        "start-7/1/1",
        "start-7/5/1",
        "start-7/6/1",
        "start-7/6/2",
        "start-7/6/3",
        "start-7/7/1",
        "start-7/8/1",
    ]


@pytest.mark.slow
async def test_a_third_refusal_ends_it_without_a_report(
    tmp_path: Path, model_control: ControlClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await model_control.arm(refusals(3))

    assert await run(tmp_path) == 1
    assert len(await asked(model_control)) == 5
    assert not (tmp_path / "report.md").exists()
    assert "The model answered 429" in capsys.readouterr().err


async def test_what_no_retry_can_mend_is_not_tried_again(tmp_path: Path, model_control: ControlClient) -> None:
    await model_control.arm(refusals(1, status=401))

    assert await run(tmp_path) == 1
    assert len(await asked(model_control)) == 3

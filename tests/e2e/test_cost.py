"""Costs and comparisons of real runs, against what the model server counted itself: reset, re-run, retry.

The crash is in `test_killed_worker.py`, the replay in `test_demo.py`, which have workers that can be killed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openai
import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from agent.local.control_client import ControlClient
from agent.local.model_server import model_server
from tests.cost.writing import compared
from tests.e2e.bills import billed
from tracing import TracingConfig, llm_call
from tracing.cli import run as command
from tracing.cost import RunAccount, account, compare
from tracing.history import Server, to_spans
from tracing.testing import capture
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=3)
CONTENT = TracingConfig(capture_content=True)
PROMPTS = ["# Plan", "# Search", "# Sum up"]


@activity.defn
async def ask(url: str, model: str, prompt: str) -> str:
    """A model call of a client that nobody instruments; the answer to what begins with `! ` is refused once."""
    info = activity.info()
    messages = [{"role": "user", "content": prompt}]
    client = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
    async with client:
        with llm_call(model=model, provider="openai", messages=messages) as call:
            completion = await client.chat.completions.create(
                model=model,
                messages=messages,  # type: ignore[arg-type]
                extra_headers={"X-Client-Request-Id": f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}"},
            )
            call.record(completion)
    if prompt.startswith("! ") and info.attempt == 1:
        raise ApplicationError("no good answer", type="NoGood")
    return completion.choices[0].message.content or ""


@workflow.defn
class Asking:
    """Asks a model one thing after the other."""

    @workflow.run
    async def run(self, url: str, model: str, prompts: list[str]) -> str:
        said = ""
        for prompt in prompts:
            said = await workflow.execute_activity(
                ask, args=[url, model, prompt], start_to_close_timeout=timedelta(seconds=60), retry_policy=SOON
            )
        return said


@dataclass
class Agent:
    """A worker with its model server, and what can be asked about both."""

    client: Client
    queue: str
    url: str
    control: ControlClient

    async def run(self, model: str, prompts: list[str]) -> tuple[str, str]:
        """Run it to its end; its workflow ID and run ID."""
        handle = await self.client.start_workflow(
            Asking.run, args=[self.url, model, prompts], id=f"asking-{uuid.uuid4()}", task_queue=self.queue
        )
        await handle.result()
        return handle.id, handle.first_execution_run_id or ""

    async def reset(self, workflow_id: str, run_id: str, closed_steps: int) -> str:
        """Reset a run to when so many steps had closed, and run it to its end; the new run ID."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
        tasks = [
            event.event_id
            async for event in handle.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        ]
        response = await self.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
                workflow_task_finish_event_id=tasks[closed_steps],
                reason="again",
                request_id=str(uuid.uuid4()),
            )
        )
        await self.client.get_workflow_handle(workflow_id, run_id=response.run_id).result()
        return response.run_id

    async def account(self, workflow_id: str, run_id: str, folder: Path | None = None) -> RunAccount:
        """Its account, from its history; the trace is written to a folder where one is given."""
        server = Server(self.client)
        spans = to_spans((await server.fetch(server.run(workflow_id, run_id))).history(), CONTENT)
        if folder is not None:
            write_trace(folder, run_id, spans)
        return account(spans)

    async def paid(self, run_id: str) -> dict[str, Decimal]:
        """What the model server would bill for a run, by activity ID and attempt: from its own count of tokens."""
        bills: dict[str, Decimal] = {}
        for request in await self.control.requests():
            of_run, _, call = request.asked.client_request_id.partition("/")
            if of_run == run_id:
                bills[call] = billed(request)
        return bills


@asynccontextmanager
async def agent(address: str) -> AsyncIterator[Agent]:
    queue = f"asking-{uuid.uuid4()}"
    with capture(CONTENT) as live:
        client = await Client.connect(address, plugins=[live.plugin])
        async with (
            model_server() as model,
            Worker(
                client,
                task_queue=queue,
                workflows=[Asking],
                activities=[ask],
                workflow_runner=UnsandboxedWorkflowRunner(),
            ),
        ):
            yield Agent(client, queue, model.url, ControlClient(model.control))


def spent(run: RunAccount) -> dict[str, Decimal]:
    """What an account says of each attempt."""
    return {
        f"{step.key.removeprefix('activity:')}/{attempt.number}": attempt.amount.known
        for step in run.steps
        for attempt in step.attempts
    }


async def test_costs_are_those_of_the_model_servers_own_count_call_by_call(temporal_server: str) -> None:
    async with agent(temporal_server) as running:
        workflow_id, run_id = await running.run("gpt-4o", PROMPTS)
        run = await running.account(workflow_id, run_id)
        requests = await running.control.requests()
        assert spent(run) == await running.paid(run_id)

    calls = [call for step in run.steps for attempt in step.attempts for call in attempt.calls]
    counted = [request.usage for request in requests]
    assert [
        (call.usage.input_tokens, call.usage.cached_tokens, call.usage.output_tokens, call.usage.reasoning_tokens)
        for call in calls
    ] == [
        (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens)
        for usage in counted
        if usage
    ]
    assert len(calls) == 3
    assert not run.amount.at_least


async def test_a_reset_run_saves_the_steps_before_the_reset_point(temporal_server: str) -> None:
    async with agent(temporal_server) as running:
        workflow_id, base_id = await running.run("gpt-4o", PROMPTS)
        reset_id = await running.reset(workflow_id, base_id, 2)
        base, reset = [await running.account(workflow_id, run_id) for run_id in (base_id, reset_id)]
        first, again = await running.paid(base_id), await running.paid(reset_id)

    assert (list(first), list(again)) == (["1/1", "2/1", "3/1"], ["3/1"])
    comparison = compare(base, reset)
    assert compared(comparison) == "activity:1 ask reused\nactivity:2 ask reused\nactivity:3 ask executed"
    assert comparison.saved.known == first["1/1"] + first["2/1"]
    assert comparison.first.amount.known == sum(first.values())
    assert comparison.second.amount.known == again["3/1"]
    assert comparison.retry_waste.known == 0
    told = comparison.as_json()
    assert told["at_least"] == []
    assert [step["difference"]["cost_usd"] for step in told["steps"]] == [
        float(-first["1/1"]),
        float(-first["2/1"]),
        float(again["3/1"] - first["3/1"]),
    ]


async def test_a_run_again_with_another_model_and_prompt_is_changed_step_by_step(temporal_server: str) -> None:
    async with agent(temporal_server) as running:
        before = await running.run("gpt-4o", PROMPTS)
        after = await running.run("gpt-4o-mini", [*PROMPTS[:2], "# Sum up in one line", "# Translate"])
        first, second = await running.account(*before), await running.account(*after)
        paid, paid_again = await running.paid(before[1]), await running.paid(after[1])

    comparison = compare(first, second)
    assert compared(comparison) == (
        "activity:1 ask changed\nactivity:2 ask changed\nactivity:3 ask changed\nactivity:4 ask new"
    )
    assert comparison.saved.known == 0
    assert [step["difference"]["cost_usd"] for step in comparison.as_json()["steps"]] == [
        float(paid_again["1/1"] - paid["1/1"]),
        float(paid_again["2/1"] - paid["2/1"]),
        float(paid_again["3/1"] - paid["3/1"]),
        float(paid_again["4/1"]),
    ]


async def test_a_failed_attempt_that_was_answered_is_waste(temporal_server: str) -> None:
    async with agent(temporal_server) as running:
        workflow_id, run_id = await running.run("gpt-4o", ["# Plan", "! # Search"])
        run = await running.account(workflow_id, run_id)
        paid = await running.paid(run_id)

    assert list(paid) == ["1/1", "2/1", "2/2"]
    assert spent(run) == paid
    assert (run.amount.usd, run.waste.usd) == (sum(paid.values()), paid["2/1"])
    assert not run.amount.at_least


async def test_sums_over_runs_of_two_models(
    temporal_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bills: dict[str, list[Decimal]] = {}
    async with agent(temporal_server) as running:
        for model in ("gpt-4o", "gpt-4o-mini", "gpt-4o"):
            workflow_id, run_id = await running.run(model, PROMPTS)
            await running.account(workflow_id, run_id, tmp_path)
            bills[model] = [*bills.get(model, []), *(await running.paid(run_id)).values()]

    assert command(["cost", str(tmp_path), "--by", "type,model", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [(row["group"], row["runs"], row["llm_calls"], row["cost_usd"]) for row in told["rows"]] == [
        ({"type": "Asking", "model": model}, runs, 3 * runs, pytest.approx(float(sum(bills[model])), abs=1e-12))
        for model, runs in (("gpt-4o", 2), ("gpt-4o-mini", 1))
    ]


async def test_runs_on_the_server_by_workflow_id_and_by_query(
    temporal_server: str, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server)
    async with agent(temporal_server) as running:
        first, _ = [await running.run("gpt-4o", PROMPTS) for _ in range(2)]
        bill = sum((await running.paid(first[1])).values())
        query = f"TaskQueue = '{running.queue}'"
        # Visibility learns of a run a moment after it has closed.
        await asyncio.to_thread(eventually, lambda: _told("--query", query)["total"]["runs"], 2)
        of_query, of_one = [
            await asyncio.to_thread(_told, *arguments) for arguments in (("--query", query), (first[0],))
        ]

    assert [(row["group"], row["llm_calls"]) for row in of_query["rows"]] == [
        ({"type": "Asking", "model": "gpt-4o"}, 6)
    ]
    [told] = of_one["runs"]
    assert (told["run_id"], told["cost_usd"]) == (first[1], pytest.approx(float(bill), abs=1e-12))
    assert [step["key"] for step in told["steps"]] == ["activity:1", "activity:2", "activity:3"]


def test_a_name_that_is_nothing_is_named(temporal_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server)

    done = _command("nowhere-1")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "durable-trace: nowhere-1: there is no such file or folder, and as a workflow ID the server says: workflow not "
        "found for ID: nowhere-1. Check workflow ID and namespace; a run whose retention is over is gone.\n"
    )


def _told(*arguments: str) -> Any:
    """What the command prints as JSON."""
    return json.loads(_command(*arguments, "--json").stdout)


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracing.cli", "cost", *arguments], capture_output=True, text=True, check=False
    )

"""The runs of a real server in bulk: by worker processes, resumed, each once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.e2e.conftest import hermetic
from tests.export.folders import content, manifest, names

if TYPE_CHECKING:
    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
RUNS = 12
QUERY = "WorkflowType='Waiting'"


@workflow.defn
class Waiting:
    """A run that is over at once, or waits for a signal."""

    def __init__(self) -> None:
        self.go = False

    @workflow.run
    async def run(self, at_once: bool) -> str:  # noqa: FBT001 - an input, not a switch
        await workflow.wait_condition(lambda: at_once or self.go)
        return "done"

    @workflow.signal
    def proceed(self) -> None:
        self.go = True


def command(*arguments: str | Path, address: str, namespace: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tracing.cli", "export", *arguments],
        env=hermetic(TEMPORAL_ADDRESS=address, TEMPORAL_NAMESPACE=namespace),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


async def run_workflows(address: str, namespace: str) -> None:
    """All are over, but for the last one, which waits."""
    client = await Client.connect(address, namespace=namespace)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="waiting", workflows=[Waiting], workflow_runner=runner):
        for number in range(RUNS):
            closed = number < RUNS - 1
            handle = await client.start_workflow(Waiting.run, closed, id=f"run/{number}", task_queue="waiting")
            if closed:
                await handle.result()
        await handle.query("__stack_trace")  # its first workflow task is done


async def let_the_last_one_go(address: str, namespace: str) -> None:
    client = await Client.connect(address, namespace=namespace)
    handle = client.get_workflow_handle(f"run/{RUNS - 1}")
    async with Worker(client, task_queue="waiting", workflows=[Waiting], workflow_runner=UnsandboxedWorkflowRunner()):
        await handle.signal(Waiting.proceed)
        await handle.result()


async def count(address: str, namespace: str, query: str) -> int:
    client = await Client.connect(address, namespace=namespace)
    return (await client.count_workflows(query)).count


def test_a_query_is_exported_by_processes_and_only_what_is_new_the_next_time(
    temporal_server: str, empty_namespace: str, tmp_path: Path, eventually: Eventually
) -> None:
    server = {"address": temporal_server, "namespace": empty_namespace}
    asyncio.run(run_workflows(**server))
    closed = f"{QUERY} AND ExecutionStatus='Completed'"
    eventually(lambda: asyncio.run(count(**server, query=QUERY)), RUNS)
    eventually(lambda: asyncio.run(count(**server, query=closed)), RUNS - 1)
    bulk, alone = tmp_path / "bulk", tmp_path / "alone"

    status, printed, complained = command("--query", QUERY, "--with-history", "--jobs", "2", "-o", bulk, **server)

    assert (status, complained) == (0, "")
    assert f"{RUNS} runs exported" in printed
    assert command("--query", QUERY, "--with-history", "--jobs", "1", "-o", alone, **server)[0] == 0
    assert content(bulk) == content(alone)
    assert manifest(bulk) == manifest(alone)
    assert len(names(bulk)) == 2 * RUNS + 1
    first = manifest(bulk)[0]
    assert first.source == f"temporal://{empty_namespace}/run%2F0/{first.run_id}"
    assert (first.state, first.namespace, first.workflow_id, first.stamp) == (
        "exported",
        empty_namespace,
        "run/0",
        "closed",
    )
    assert [record.open for record in manifest(bulk)].count(True) == 1

    asyncio.run(let_the_last_one_go(**server))
    eventually(lambda: asyncio.run(count(**server, query=closed)), RUNS)
    status, printed, complained = command("--query", QUERY, "--with-history", "--json", "-o", bulk, **server)

    assert (status, complained) == (0, "")
    total = json.loads(printed)["total"]
    assert (total["runs"], total["kept"], total["open"]) == (RUNS, RUNS - 1, 0)
    assert len(names(bulk)) == 2 * RUNS + 1  # what told the run while it was open is gone
    assert [record.workflow_id for record in manifest(bulk) if record not in manifest(alone)] == [f"run/{RUNS - 1}"]

    status, printed, complained = command("--workflow-id", "run/3", "--json", "-o", bulk, **server)

    assert (status, complained) == (0, "")
    (exported,) = json.loads(printed)["exported"]
    assert [Path(file).suffixes for file in exported["files"]] == [[".otlp", ".jsonl"], [".history", ".json"]]
    assert len(names(bulk)) == 2 * RUNS + 1  # the history is still there, and is this run's

"""Fleets where not every worker has the plugin: other SDKs, the plugin rolled out or taken away amid a run."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.e2e.conftest import hermetic
from tests.e2e.gates import SECONDS
from tests.e2e.live import OFF, written
from tests.e2e.live_workflows import classify
from tests.e2e.mixed_workflows import Polyglot, TwoHalves
from tracing import conventions as c
from tracing.history import History, read, to_spans
from tracing.testing import capture
from tracing.tracefile.missing import missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import WorkflowHandle

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

KEYS = (c.ATTEMPTS, c.LLM_CALLS, c.UNRECORDED, c.ERROR_TYPE)


@pytest.fixture(scope="session")
def go_worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go worker, built."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed")
    program = tmp_path_factory.mktemp("go") / "go-worker"
    source = Path(__file__).parent / "go_worker"
    subprocess.run([go, "build", "-o", str(program), "."], cwd=source, check=True, timeout=900)
    return program


async def exported(handle: WorkflowHandle[Any, Any]) -> list[Span]:
    """The spans of a run from its history."""
    [history] = read((await handle.fetch_history(), str(handle.result_run_id)))
    assert isinstance(history, History)
    return to_spans(history, OFF)


async def test_activities_in_go_are_steps_live_and_attempts_in_the_export(
    temporal_server: str, go_worker: Path
) -> None:
    queue, go_queue = f"python-{uuid.uuid4()}", f"go-{uuid.uuid4()}"
    process = await asyncio.create_subprocess_exec(
        str(go_worker), temporal_server, go_queue, env=hermetic(), stderr=subprocess.DEVNULL
    )
    try:
        with capture(OFF) as traces:
            client = await Client.connect(temporal_server, plugins=[traces.plugin])
            async with Worker(client, task_queue=queue, workflows=[Polyglot]):
                handle = await client.start_workflow(Polyglot.run, go_queue, id=queue, task_queue=queue)
                assert await asyncio.wait_for(handle.result(), SECONDS) == "WHY?"
            live = (await traces.of(handle)).spans
    finally:
        process.terminate()
        await process.wait()
    assert (
        written(live, *KEYS)
        == """
RunWorkflow:Polyglot SERVER
  StartActivity:shout CLIENT
  StartActivity:stumble CLIENT
"""
    )
    from_history = await exported(handle)
    assert (
        written(from_history, *KEYS)
        == """
RunWorkflow:Polyglot SERVER
  StartActivity:shout CLIENT
    temporal.attempts: 1
    RunActivity:shout SERVER
      durable.unrecorded: True
  StartActivity:stumble CLIENT
    temporal.attempts: 2
    RunActivity:stumble SERVER
      durable.unrecorded: True
"""
    )
    known = {span.span_id for span in live}
    assert [span.name for span in missing(from_history, known)] == ["RunActivity:shout", "RunActivity:stumble"]


@asynccontextmanager
async def half(client: Client, queue: str) -> AsyncIterator[None]:
    """A worker for one half of the run; the next one is to take over soon."""
    async with Worker(
        client,
        task_queue=queue,
        workflows=[TwoHalves],
        activities=[classify],
        sticky_queue_schedule_to_start_timeout=timedelta(milliseconds=100),
    ):
        yield


async def waiting(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the first half of the run is done, and its workflow task as well."""
    async with asyncio.timeout(SECONDS):
        while True:
            history = await handle.fetch_history()
            events = [event.WhichOneof("attributes") for event in history.events]
            if events[-1] == "workflow_task_completed_event_attributes" and events.count(events[-1]) == 2:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("order", ["rolled out", "taken away"])
async def test_the_plugin_comes_or_goes_in_the_middle_of_a_run(temporal_server: str, order: str) -> None:
    queue = f"halves-{uuid.uuid4()}"
    with capture(OFF) as traces:
        plain = await Client.connect(temporal_server)
        plugged = await Client.connect(temporal_server, plugins=[traces.plugin])
        first, second = (plain, plugged) if order == "rolled out" else (plugged, plain)
        handle = await first.start_workflow(TwoHalves.run, id=queue, task_queue=queue)
        async with half(first, queue):
            await waiting(handle)
        async with half(second, queue):
            await handle.signal(TwoHalves.go_on)
            await handle.result()
        traces.plugin.outbox.flush()
        live = traces.spans
    expected = {
        "rolled out": """
RunWorkflow:TwoHalves SERVER
  durable.llm.calls: 1
  HandleSignal:go_on SERVER
  StartActivity:classify CLIENT
    durable.llm.calls: 1
    temporal.attempts: 1
    RunActivity:classify SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT
""",
        "taken away": """
StartActivity:classify CLIENT
  durable.llm.calls: 1
  temporal.attempts: 1
  RunActivity:classify SERVER
    durable.llm.calls: 1
    chat gpt-4o CLIENT
""",
    }
    # Without its run's span the step's parent is an ID alone, another one in each run.
    assert re.sub(r" \(parent \w+\)", "", written(live, *KEYS)) == expected[order]
    from_history = await exported(handle)
    whole = [*live, *missing(from_history, {span.span_id for span in live})]
    assert sorted(span.name for span in whole) == sorted(span.name for span in from_history)
    assert {span.trace_id for span in whole} == {from_history[0].trace_id}
    recorded, lost = ("after", "before") if order == "rolled out" else ("before", "after")
    attempts = [span for span in from_history if span.name == "RunActivity:classify"]
    flags = dict(zip(("before", "after"), (span.attributes.get(c.UNRECORDED) for span in attempts), strict=True))
    assert flags == {recorded: None, lost: True}

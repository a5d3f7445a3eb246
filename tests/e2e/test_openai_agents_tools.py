"""Tools of OpenAI Agents that run in workflow code and ask for steps there: live spans with links to the steps."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from agents import set_trace_processors
from temporalio.client import Client
from temporalio.worker import Worker

from agent.local.model_server import model_server
from agent.openai_agents.model import agents_plugin, model_client
from tests.agreement import needed_by
from tests.agreement import written as differences
from tests.e2e.agent_tool_workflows import Compare, NoteTaking, look_up
from tests.e2e.live import OFF
from tests.rendering import render
from tracing import OpenAIAgentsProcessor
from tracing import conventions as c
from tracing.history import History, read, to_spans
from tracing.testing import capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from openai import AsyncOpenAI

pytestmark = pytest.mark.e2e

LIVE = """
RunWorkflow:NoteTaking SERVER
  StartActivity:invoke_model_activity CLIENT
  invoke_agent Scribe INTERNAL
    execute_tool notes INTERNAL
      -> StartActivity:look_up
      -> StartActivity:look_up
      -> StartChildWorkflow:Compare
  StartActivity:look_up CLIENT
  StartActivity:look_up CLIENT
  StartChildWorkflow:Compare CLIENT
  StartActivity:invoke_model_activity CLIENT
  StartActivity:look_up CLIENT
  StartActivity:invoke_model_activity CLIENT
"""


@pytest.fixture(autouse=True)
def agents_spans() -> Iterator[None]:
    """What the agents do in workflow code is in our trace, and nowhere else."""
    set_trace_processors([OpenAIAgentsProcessor()])
    yield
    set_trace_processors([])


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncOpenAI]:
    """A client of a model server."""
    async with model_server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        async with model_client() as client:
            yield client


@pytest.mark.parametrize("max_cached_workflows", [1000, 0])
async def test_a_tool_has_links_to_its_steps(
    temporal_server: str, model: AsyncOpenAI, max_cached_workflows: int
) -> None:
    """With 0 runs in the cache, the tool's steps were asked for in replays by the time that it ends."""
    queue = f"notes-{uuid.uuid4()}"
    with capture(OFF) as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin, agents_plugin(model)])
        async with Worker(
            client,
            task_queue=queue,
            workflows=[NoteTaking, Compare],
            activities=[look_up],
            max_cached_workflows=max_cached_workflows,
        ):
            run = await client.start_workflow(NoteTaking.run, "green tea", id=queue, task_queue=queue)
            await run.result()
        live = [span for span in (await traces.of(run)).spans if span.attributes[c.WORKFLOW_ID] == queue]
    [history] = read((await run.fetch_history(), str(run.first_execution_run_id)))
    assert isinstance(history, History)

    shown = [span for span in live if not span.name.startswith(("chat", "RunActivity"))]
    names = {f"trace {span.trace_id:032x} span {span.span_id:016x}": span.name for span in shown}
    assert f"\n{render(shown, only=(), times=False, names=names)}\n" == LIVE
    assert differences(needed_by(live, to_spans(history, OFF))) == {
        "live span": {"invoke_agent, in workflow code", "execute_tool, in workflow code"},
        "history attribute": {c.EVENT_IDS},
    }

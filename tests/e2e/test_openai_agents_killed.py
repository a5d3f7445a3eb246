"""A worker of a team of OpenAI Agents is killed with SIGKILL after the handoff: nothing is asked of the model twice."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from temporalio.client import Client

from agent.demo.stage import Stage
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.openai_agents.workflow import TASK_QUEUE, AgentTeamWorkflow
from agent.servers.progress import Progress
from tests.agreement import differences
from tests.e2e.bills import billed
from tests.e2e.live import written
from tests.e2e.test_killed_worker import export
from tests.e2e.test_openai_agents import REQUESTS
from tests.e2e.test_spool import arrived
from tracing import conventions as c
from tracing.cost import account, compare
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.servers.process import SupervisedProcess
    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

NEVER, SOON = "100000000", "50"
"""Milliseconds until a worker exports: the first is killed before."""

WHOLE_TRACE = """
RunWorkflow:AgentTeamWorkflow SERVER
  temporal.attempt: 1
  temporal.worker.identity: 'worker-2'
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      temporal.attempt: 1
      temporal.worker.identity: 'worker-1'
      chat gpt-4o-mini CLIENT
  invoke_agent Triage INTERNAL
    guardrail no_advice INTERNAL
      invoke_agent Guardrail INTERNAL
    handoff Research INTERNAL
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      temporal.attempt: 1
      temporal.worker.identity: 'worker-1'
      chat gpt-4o CLIENT
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      temporal.attempt: 1
      temporal.worker.identity: 'worker-1'
      chat gpt-4o CLIENT
  invoke_agent Research INTERNAL
    execute_tool today INTERNAL
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      temporal.attempt: 1
      temporal.worker.identity: 'worker-1'
      chat gpt-4o CLIENT
  StartActivity:find_sources CLIENT
    RunActivity:find_sources SERVER ERROR
      error.type: 'worker_lost'
      temporal.attempt: 1
      temporal.worker.identity: 'worker-1'
      execute_tool find_sources INTERNAL ERROR
        error.type: 'worker_lost'
    RunActivity:find_sources SERVER
      temporal.attempt: 2
      temporal.worker.identity: 'worker-2'
      execute_tool find_sources INTERNAL
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      temporal.attempt: 1
      temporal.worker.identity: 'worker-2'
      chat gpt-4o CLIENT
"""
"""What came live of both workers, and what the history has besides."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Temporal, the Collector, the model and search servers."""
    with Stage(tmp_path / "stage", Progress(io.StringIO()), with_phoenix=False) as stage:
        yield stage


def start_worker(stage: Stage, name: str, *, export_every: str) -> SupervisedProcess:
    """A worker with a spool: what one leaves when it is killed, the next one sends."""
    settings = {"OTEL_BSP_SCHEDULE_DELAY": export_every, "DURABLE_TRACE_SPOOL": str(stage.folder / "spool")}
    return stage.start_worker(name, settings, module="agent.openai_agents.worker")


def kept(stage: Stage, name: str) -> bool:
    """Whether a span of this name is in the spool."""
    return any(name.encode() in file.read_bytes() for file in (stage.folder / "spool").glob("*.spool"))


async def test_what_was_done_before_the_kill_is_not_done_again(
    stage: Stage, tmp_path: Path, eventually: Eventually
) -> None:
    search = ControlClient(stage.search.control)
    await search.arm(Fault(kind="hold"))
    worker = start_worker(stage, "worker-1", export_every=NEVER)
    client = await Client.connect(stage.temporal.address)
    handle = await client.start_workflow(
        AgentTeamWorkflow.run, "Why do agents crash?", id=f"team-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )
    await search.wait(state="received")  # triage, handoff, two calls of the research agent: now its tool
    eventually(lambda: kept(stage, "execute_tool today"), expected=True)
    worker.kill()

    worker = start_worker(stage, "worker-2", export_every=SOON)
    answer = await handle.result()
    # It sends in the background what worker-1 left.
    eventually(lambda: sum(span.attributes.get(c.ERROR_TYPE) == c.WORKER_LOST for span in arrived(stage)), 2)
    worker.stop()
    stage.collector.stop()
    live = list(read_trace(stage.collector.traces_file))
    stage.collector.traces_file.unlink()
    exported = export(stage, handle.id, tmp_path / "exported")

    assert answer.agent == "Research"
    asked = await stage.control().requests()
    assert Counter(request.asked.client_request_id.split("/")[1] for request in asked) == {
        "1": 1,  # guardrail
        "2": 1,  # triage
        "3": 1,  # research: today
        "4": 1,  # research: find_sources, which is activity 5
        "6": 1,  # research: the answer
    }
    assert len(await search.requests()) == 2

    # Live and exported are the same, but for what a history cannot know.
    from_history = {span.span_id: span for span in exported}
    only_live = [span for span in live if span.span_id not in from_history]
    assert sorted(span.name for span in only_live if c.WORKFLOW_CODE not in span.attributes) == [
        "RunActivity:find_sources",
        "execute_tool find_sources",
    ]
    for span in live:
        if span.span_id in from_history:
            differences(span, from_history[span.span_id])
    assert len({span.span_id for span in live}) == len(live)
    # Whether a workflow task timed out first depends on how soon the server forgot the dead worker.
    whole = [
        replace(span, events=()) for span in sorted([*only_live, *exported], key=lambda span: (span.start, span.name))
    ]
    assert written(whole, c.ATTEMPT, c.WORKER_IDENTITY, c.ERROR_TYPE) == WHOLE_TRACE

    # An agent that began on one worker and ended on the other is there whole.
    [research] = [span for span in live if span.name == "invoke_agent Research"]
    [handed_over] = [span for span in live if span.name == "handoff Research"]
    assert research.start == handed_over.end

    assert len(asked) == REQUESTS["the worker is killed after the handoff, while a tool runs"]

    # To the cent what the model server counted; and begun again from nothing, all before the kill would be paid twice.
    given = [request.usage for request in asked if request.usage]
    bills = [billed(request) for request in asked]
    run = account(exported)
    assert (run.usage.calls, run.usage.input_tokens, run.usage.output_tokens) == (
        len(given),
        sum(each.input_tokens for each in given),
        sum(each.output_tokens for each in given),
    )
    assert run.amount.known == sum(bills)
    assert compare(run, run).counterfactual.known == sum(bills) + sum(bills[:4])

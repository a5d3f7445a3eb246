"""Chains on a real server: what came live and what their histories make are the same spans, run by run."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec, ScheduleState
from temporalio.worker import Worker

from tests.e2e.chain_workflows import ACTIVITIES, TWICE, WORKFLOWS, Family, Moody, Open, Steps
from tests.e2e.gates import SECONDS
from tests.e2e.live import OFF, ON
from tests.e2e.parity import assert_same, exported_chain, traces
from tracing import session
from tracing.history import Server
from tracing.identity import run_trace_id
from tracing.testing import capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Eventually
    from tracing.spans.model import Span
    from tracing.testing import Traces

pytestmark = pytest.mark.e2e

TASK_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


@asynccontextmanager
async def worker(address: str, queue: str) -> AsyncIterator[tuple[Client, Traces, TracerProvider]]:
    """A worker of all these workflows, its client, the spans that come, and a provider for spans of one's own."""
    provider = TracerProvider(shutdown_on_exit=False)
    with capture(OFF, provider=provider) as live:
        client = await Client.connect(address, plugins=[live.plugin])
        async with Worker(client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES, identity="worker-1"):
            yield client, live, provider


async def ended_runs(live: Traces, count: int) -> list[str]:
    """IDs of the first runs that have ended, in the order of their starts, when there are so many."""
    async with asyncio.timeout(SECONDS):
        while True:
            roots = [span for span in live.spans if span.name.startswith("RunWorkflow:")]
            if len(roots) >= count:
                return [str(span.attributes["temporalRunID"]) for span in roots[:count]]
            await asyncio.sleep(0.05)


async def test_steps_and_children_with_one_name_a_retried_child_and_the_run_after(temporal_server: str) -> None:
    workflow_id = queue = f"family-{uuid.uuid4()}"
    async with worker(temporal_server, queue) as (client, live, provider):
        with provider.get_tracer("web").start_as_current_span("POST /chat"), session(id="chat-17"):
            handle = await client.start_workflow(Family.run, 1, id=workflow_id, task_queue=queue)
        assert await handle.result() == 2
        await live.of((await handle.describe()).run_id)
    exported = await exported_chain(client, OFF, workflow_id, children=True)
    assert_same(live.spans, exported, only_live={"POST /chat": 1, "StartWorkflow:Family": 1})
    assert {span.attributes["session.id"] for span in exported} == {"chat-17"}
    # Of the activities, those of the children are like one another.
    shown = [span for span in exported if span.attributes.get("temporalActivityID", "same") == "same"]
    assert (
        traces([*live.spans[:2], *shown], "temporal.attempt", "temporal.run.status")
        == """
trace 1
POST /chat INTERNAL
  StartWorkflow:Family CLIENT
    RunWorkflow:Family SERVER
      temporal.attempt: 1
      temporal.run.status: 'continued_as_new'
      StartActivity:classify CLIENT
        RunActivity:classify SERVER
          temporal.attempt: 1
      StartChildWorkflow:Echo CLIENT
        RunWorkflow:Echo SERVER
          temporal.attempt: 1
          temporal.run.status: 'completed'
      StartActivity:classify CLIENT
        RunActivity:classify SERVER
          temporal.attempt: 1
      StartChildWorkflow:Echo CLIENT
        RunWorkflow:Echo SERVER
          temporal.attempt: 1
          temporal.run.status: 'completed'
      StartChildWorkflow:Moody CLIENT
        RunWorkflow:Moody SERVER ERROR
          temporal.attempt: 1
          temporal.run.status: 'failed'
          * exception
trace 2
RunWorkflow:Moody SERVER
  temporal.attempt: 2
  temporal.run.status: 'completed'
  -> trace 1 span RunWorkflow:Moody
trace 3
RunWorkflow:Family SERVER
  temporal.attempt: 1
  temporal.run.status: 'completed'
  -> trace 1 span RunWorkflow:Family
  StartActivity:classify CLIENT
    RunActivity:classify SERVER
      temporal.attempt: 1
  StartChildWorkflow:Echo CLIENT
    RunWorkflow:Echo SERVER
      temporal.attempt: 1
      temporal.run.status: 'completed'
  StartActivity:classify CLIENT
    RunActivity:classify SERVER
      temporal.attempt: 1
  StartChildWorkflow:Echo CLIENT
    RunWorkflow:Echo SERVER
      temporal.attempt: 1
      temporal.run.status: 'completed'
  StartChildWorkflow:Moody CLIENT
    RunWorkflow:Moody SERVER ERROR
      temporal.attempt: 1
      temporal.run.status: 'failed'
      * exception
trace 4
RunWorkflow:Moody SERVER
  temporal.attempt: 2
  temporal.run.status: 'completed'
  -> trace 3 span RunWorkflow:Moody
"""
    )


async def test_each_turn_of_a_cron_and_its_retry(temporal_server: str) -> None:
    workflow_id = queue = f"cron-{uuid.uuid4()}"
    async with worker(temporal_server, queue) as (client, live, provider):
        with provider.get_tracer("web").start_as_current_span("POST /chat"), session(id="chat-17", tags=["beta"]):
            await client.start_workflow(
                Moody.run, id=workflow_id, task_queue=queue, cron_schedule="@every 1s", retry_policy=TWICE
            )
        turns = await ended_runs(live, 4)
        await client.get_workflow_handle(workflow_id).terminate()
    exported = await exported_chain(client, OFF, workflow_id)

    def of_turns(spans: tuple[Span, ...] | list[Span]) -> list[Span]:
        return [span for span in spans if span.attributes.get("temporalRunID") in turns]

    assert_same(of_turns(live.spans), of_turns(exported), only_live={"StartWorkflow:Moody": 1})
    runs = [span for span in exported if span.name == "RunWorkflow:Moody"]
    assert (
        traces([live.spans[0], *runs], "session.id", "tag.tags", "temporal.attempt", "temporal.run.status")
        == """
trace 1
POST /chat INTERNAL
trace 2
RunWorkflow:Moody SERVER ERROR
  session.id: 'chat-17'
  tag.tags: ('beta',)
  temporal.attempt: 1
  temporal.run.status: 'failed'
  * exception
trace 3
RunWorkflow:Moody SERVER
  session.id: 'chat-17'
  tag.tags: ('beta',)
  temporal.attempt: 2
  temporal.run.status: 'completed'
  -> trace 2 span RunWorkflow:Moody
trace 4
RunWorkflow:Moody SERVER ERROR
  session.id: 'chat-17'
  tag.tags: ('beta',)
  temporal.attempt: 1
  temporal.run.status: 'failed'
  * exception
  -> trace 3 span RunWorkflow:Moody
trace 5
RunWorkflow:Moody SERVER
  session.id: 'chat-17'
  tag.tags: ('beta',)
  temporal.attempt: 2
  temporal.run.status: 'completed'
  -> trace 4 span RunWorkflow:Moody
trace 6
RunWorkflow:Moody SERVER ERROR
  session.id: 'chat-17'
  tag.tags: ('beta',)
  temporal.attempt: 1
  temporal.run.status: 'terminated'
  * exception
  -> trace 5 span RunWorkflow:Moody
"""
    )


async def test_a_scheduled_run_and_its_retry(temporal_server: str) -> None:
    queue = f"scheduled-{uuid.uuid4()}"
    action = ScheduleActionStartWorkflow(Moody.run, id=queue, task_queue=queue, retry_policy=TWICE)
    paused = Schedule(action=action, spec=ScheduleSpec(), state=ScheduleState(paused=True))
    async with worker(temporal_server, queue) as (client, live, provider):
        with provider.get_tracer("web").start_as_current_span("POST /schedules"), session(id="chat-17"):
            schedule = await client.create_schedule(queue, paused, trigger_immediately=True)
        await ended_runs(live, 2)
        await schedule.delete()
    workflow_id = str(live.spans[-1].attributes["temporalWorkflowID"])
    assert workflow_id.startswith(f"{queue}-20")
    exported = await exported_chain(client, OFF, workflow_id)
    assert_same(live.spans, exported, only_live={"POST /schedules": 1, "CreateSchedule": 1})
    assert (
        traces([*live.spans[:2], *exported], "session.id", "temporal.attempt", "temporal.run.status")
        == """
trace 1
POST /schedules INTERNAL
  CreateSchedule CLIENT
    session.id: 'chat-17'
trace 2
RunWorkflow:Moody SERVER ERROR
  session.id: 'chat-17'
  temporal.attempt: 1
  temporal.run.status: 'failed'
  * exception
  -> trace 1 span CreateSchedule
  StartActivity:classify CLIENT
    session.id: 'chat-17'
    RunActivity:classify SERVER
      session.id: 'chat-17'
      temporal.attempt: 1
trace 3
RunWorkflow:Moody SERVER
  session.id: 'chat-17'
  temporal.attempt: 2
  temporal.run.status: 'completed'
  -> trace 2 span RunWorkflow:Moody
  -> trace 1 span CreateSchedule
  StartActivity:classify CLIENT
    session.id: 'chat-17'
    RunActivity:classify SERVER
      session.id: 'chat-17'
      temporal.attempt: 1
"""
    )


async def test_two_resets_of_one_run(temporal_server: str, eventually: Eventually) -> None:
    workflow_id = queue = f"reset-{uuid.uuid4()}"
    async with worker(temporal_server, queue) as (client, live, provider):
        with provider.get_tracer("web").start_as_current_span("POST /chat"), session(id="chat-17"):
            handle = await client.start_workflow(Steps.run, id=workflow_id, task_queue=queue)
        await handle.result()
        base = handle.first_execution_run_id or ""
        tasks = [event.event_id async for event in handle.fetch_history_events() if event.event_type == TASK_COMPLETED]
        resets = []
        for task in (tasks[-2], tasks[1]):
            resets.append(await reset(client, workflow_id, base, task))
            await client.get_workflow_handle(workflow_id, run_id=resets[-1]).result()
            await live.of(resets[-1])
    await asyncio.to_thread(eventually, lambda: asyncio.run(visible(temporal_server, workflow_id)), 3)

    exported = await exported_chain(client, OFF, workflow_id, base, children=True)
    reused = {"StartActivity:classify": 2, "Timer": 1, "StartChildWorkflow:Echo": 1}
    assert_same(
        live.spans,
        exported,
        only_live={"POST /chat": 1, "StartWorkflow:Steps": 1},
        only_exported=reused,
        linked={"RunWorkflow:Steps": 2},  # workers are not told which run was reset
    )
    for run in resets:
        again = await exported_chain(client, OFF, workflow_id, run, children=True)
        assert {span.span_id for span in again} == {span.span_id for span in exported}
    roots = [span for span in exported if span.name == "RunWorkflow:Steps"]
    assert {str(root.attributes["temporalRunID"]): root.trace_id for root in roots} == {
        base: live.spans[0].trace_id,
        **{run: run_trace_id(run) for run in resets},
    }
    assert {span.attributes["session.id"] for span in exported} == {"chat-17"}
    assert (
        traces(
            [*live.spans[:2], *exported],
            "durable.reused",
            "temporal.cause",
            "temporal.run.status",
            "temporalActivityID",
        )
        == """
trace 1
POST /chat INTERNAL
  StartWorkflow:Steps CLIENT
    RunWorkflow:Steps SERVER
      temporal.run.status: 'completed'
      StartActivity:classify CLIENT
        temporalActivityID: 'first'
        RunActivity:classify SERVER
          temporalActivityID: 'first'
      Timer INTERNAL
      StartChildWorkflow:Echo CLIENT
        RunWorkflow:Echo SERVER
          temporal.run.status: 'completed'
          StartActivity:classify CLIENT
            temporalActivityID: '1'
            RunActivity:classify SERVER
              temporalActivityID: '1'
      StartActivity:classify CLIENT
        temporalActivityID: 'last'
        RunActivity:classify SERVER
          temporalActivityID: 'last'
trace 2
RunWorkflow:Steps SERVER
  temporal.run.status: 'completed'
  * WorkflowTaskFailed
    temporal.cause: 'RESET_WORKFLOW'
  -> trace 1 span RunWorkflow:Steps
  StartActivity:classify CLIENT
    durable.reused: True
    temporalActivityID: 'first'
    -> trace 1 span StartActivity:classify
  Timer INTERNAL
    durable.reused: True
    -> trace 1 span Timer
  StartChildWorkflow:Echo CLIENT
    durable.reused: True
    -> trace 1 span StartChildWorkflow:Echo
  StartActivity:classify CLIENT
    temporalActivityID: 'last'
    RunActivity:classify SERVER
      temporalActivityID: 'last'
trace 3
RunWorkflow:Steps SERVER
  temporal.run.status: 'completed'
  * WorkflowTaskFailed
    temporal.cause: 'RESET_WORKFLOW'
  -> trace 1 span RunWorkflow:Steps
  StartActivity:classify CLIENT
    durable.reused: True
    temporalActivityID: 'first'
    -> trace 1 span StartActivity:classify
  Timer INTERNAL
  StartChildWorkflow:Echo CLIENT
    RunWorkflow:Echo SERVER
      temporal.run.status: 'completed'
      StartActivity:classify CLIENT
        temporalActivityID: '1'
        RunActivity:classify SERVER
          temporalActivityID: '1'
  StartActivity:classify CLIENT
    temporalActivityID: 'last'
    RunActivity:classify SERVER
      temporalActivityID: 'last'
"""
    )


async def reset(client: Client, workflow_id: str, run_id: str, task: int) -> str:
    """Reset a run to the end of a workflow task; the new run's ID."""
    response = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            workflow_task_finish_event_id=task,
            reason="again",
            request_id=str(uuid.uuid4()),
        )
    )
    return response.run_id


async def visible(address: str, workflow_id: str) -> int:
    """How many runs of a workflow ID visibility knows."""
    server = Server(await Client.connect(address))
    return len([run async for run in server.find(f"WorkflowId = '{workflow_id}'")])


async def test_a_run_still_open_shows_what_it_waits_for_and_what_was_spent(temporal_server: str) -> None:
    workflow_id = queue = f"open-{uuid.uuid4()}"
    async with worker(temporal_server, queue) as (client, live, _):
        handle = await client.start_workflow(Open.run, id=workflow_id, task_queue=queue)
        async with asyncio.timeout(SECONDS):
            while not waits(exported := await exported_chain(client, ON, workflow_id)):  # noqa: ASYNC110 - the server is asked
                await asyncio.sleep(0.05)
        await handle.terminate()
    [run] = [span for span in exported if span.name == "RunWorkflow:Open"]
    assert (
        traces(
            exported,
            "temporal.attempts",
            "temporal.last_failure.message",
            "temporal.last_failure.type",
            "temporal.pending.attempt",
            "temporal.pending.heartbeat_details",
            "temporal.pending.state",
            "temporal.worker.identity",
        )
        == """
trace 1
RunWorkflow:Open SERVER open
  temporal.worker.identity: 'worker-1'
  StartActivity:classify CLIENT
    temporal.attempts: 1
    RunActivity:classify SERVER
      temporal.worker.identity: 'worker-1'
  StartActivity:endless CLIENT open
    temporal.attempts: 1
    temporal.pending.attempt: 1
    temporal.pending.heartbeat_details: '{"page":7}'
    temporal.pending.state: 'started'
    temporal.worker.identity: 'worker-1'
  StartActivity:hopeless CLIENT open
    temporal.attempts: 1
    temporal.last_failure.message: 'no luck with cats'
    temporal.last_failure.type: 'Unlucky'
    temporal.pending.attempt: 2
    temporal.pending.state: 'scheduled'
    temporal.worker.identity: 'worker-1'
    RunActivity:hopeless SERVER ERROR 'no luck with cats'
      temporal.worker.identity: 'worker-1'
      * exception
"""
    )
    assert run.attributes["durable.llm.calls"] == 1  # of activities that have ended
    came = {span.span_id: span for span in live.spans}
    [failed] = [span for span in exported if span.name == "RunActivity:hopeless"]
    [call] = [span for span in exported if span.parent_id == failed.span_id]
    assert (came[failed.span_id].start, came[call.span_id].start) == (failed.start, call.start)
    assert failed.attributes["durable.llm.calls"] == 1


def waits(spans: list[Span]) -> bool:
    """Whether one activity has said how far it is, and the other one has failed."""
    keys = {key for span in spans for key in span.attributes}
    return {"temporal.pending.heartbeat_details", "temporal.last_failure.type"} <= keys

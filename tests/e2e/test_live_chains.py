"""Runs that belong together: under a client's span, continued as new, retried, started with an update."""

from __future__ import annotations

import uuid

import pytest
from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import WithStartWorkflowOperation, WorkflowFailureError, WorkflowUpdateStage
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy

from tests.e2e.live import OFF, ON, QUEUE, live, written
from tests.e2e.live_workflows import SOON, Echo, Failing, Pages, Updated
from tracing import session
from tracing.identity import run_span_id, run_trace_id
from tracing.spans.model import Link

pytestmark = pytest.mark.e2e


async def test_under_a_clients_span_the_run_is_part_of_its_trace(temporal_server: str) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    async with live(temporal_server, config=OFF, provider=provider) as running:
        with provider.get_tracer("web").start_as_current_span("POST /chat"), session(id="chat-17"):
            handle = await running.start(Echo.run, "Why?")
        await handle.result()
        trace = await running.traces.of(handle)
    assert (
        written(trace.spans, "session.id", "durable.client_start.time")
        == f"""
POST /chat INTERNAL
  StartWorkflow:Echo CLIENT
    RunWorkflow:Echo SERVER
      durable.client_start.time: {trace.span("StartWorkflow:Echo").start // 1_000}
      StartActivity:classify CLIENT
        RunActivity:classify SERVER
          chat gpt-4o CLIENT
"""
    )
    start = trace.span("StartWorkflow:Echo")
    assert trace.span("RunWorkflow:Echo").attributes["durable.client_start.parent"] == f"{start.parent_id:016x}"
    assert start.attributes == {
        "temporalWorkflowID": handle.id,
        "temporalRunID": handle.first_execution_run_id,
        "temporal.namespace": "default",
        "temporal.workflow.type": "Echo",
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "openinference.span.kind": "CHAIN",
    }


async def test_each_page_of_a_chain_is_a_trace_linked_to_the_page_before(temporal_server: str) -> None:
    async with live(temporal_server) as running:
        with session(id="chat-17", tags=["beta"]):
            handle = await running.start(Pages.run, 1)
        assert await handle.result() == "Re: page 2"
        first = handle.first_execution_run_id or ""
        second = (await handle.describe()).run_id
        one, two = await running.traces.of(handle), await running.traces.of(second)
    tree = """
RunWorkflow:Pages SERVER
  StartActivity:classify CLIENT
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
"""
    link = f"  -> trace {run_trace_id(first):032x} span {run_span_id(first):016x}\n"
    assert (f"\n{one}\n", f"\n{two}\n") == (tree, tree.replace("SERVER\n", f"SERVER\n{link}", 1))
    runs = [trace.span("RunWorkflow:Pages") for trace in (one, two)]
    assert [
        (
            span.trace_id,
            span.attributes["session.id"],
            span.attributes["tag.tags"],
            span.attributes["temporal.run.status"],
        )
        for span in runs
    ] == [
        (run_trace_id(first), "chat-17", ("beta",), "continued_as_new"),
        (run_trace_id(second), "chat-17", ("beta",), "completed"),
    ]
    assert runs[1].links == (Link(run_trace_id(first), run_span_id(first), {"temporalRunID": first}),)
    assert (runs[0].attributes["output.value"], runs[1].attributes["input.value"]) == ("2", "2")


async def test_a_retried_run_is_a_trace_of_its_own_although_it_has_the_first_runs_header(temporal_server: str) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    async with live(temporal_server, config=OFF, provider=provider) as running:
        with provider.get_tracer("web").start_as_current_span("POST /chat"), session(id="chat-17"):
            handle = await running.start(
                Failing.run, retry_policy=RetryPolicy(initial_interval=SOON, maximum_attempts=2)
            )
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        first, second = handle.first_execution_run_id or "", (await handle.describe()).run_id
        two = await running.traces.of(second)
        one = await running.traces.of(handle)
    assert [span.name for span in one.spans[:2]] == ["POST /chat", "StartWorkflow:Failing"]
    retried = two.span("RunWorkflow:Failing")
    assert (retried.trace_id, retried.parent_id, retried.attributes["session.id"]) == (
        run_trace_id(second),
        None,
        "chat-17",
    )
    assert (retried.attributes["temporal.attempt"], [link.span_id for link in retried.links]) == (
        2,
        [run_span_id(first)],
    )


async def test_a_run_started_with_an_update_has_its_session(temporal_server: str) -> None:
    async with live(temporal_server, config=ON) as running:
        operation = WithStartWorkflowOperation(
            Updated.run,
            id=f"run-{uuid.uuid4()}",
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        with session(id="chat-17"):
            update = await running.client.start_update_with_start_workflow(
                Updated.finish,
                "now",
                start_workflow_operation=operation,
                wait_for_stage=WorkflowUpdateStage.COMPLETED,
            )
        assert await update.result() == "finished now"
        handle = await operation.workflow_handle()
        await handle.result()
        trace = await running.traces.of(handle)
    assert trace.span("RunWorkflow:Updated").attributes["session.id"] == "chat-17"

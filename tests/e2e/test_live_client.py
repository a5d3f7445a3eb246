"""What a client does under a span, as the trace of who asked for it."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import propagate, trace
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest, ListNexusEndpointsRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from tests.e2e.desk_workflows import (
    ENDPOINT,
    QUEUE,
    WORKFLOWS,
    Ask,
    Desk,
    ImpatientReader,
    LibraryHandler,
    Reader,
    answer,
)
from tests.rendering import render
from tracing import session
from tracing.testing import Traces, capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736


@asynccontextmanager
async def desk(address: str, **options: Any) -> AsyncIterator[tuple[Client, Traces]]:
    """A client and a worker; the worker has stopped gracefully when the block ends."""
    with capture() as traces:
        client = await Client.connect(address, plugins=[traces.plugin])
        async with Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, activities=[answer], **options):
            yield client, traces


@contextmanager
def request(traces: Traces, name: str = "POST /chat", **headers: str) -> Iterator[None]:
    """A request to a web server, as its instrumentation makes a span of it."""
    tracer = traces.provider.get_tracer("web")
    with tracer.start_as_current_span(name, propagate.extract(headers), kind=trace.SpanKind.SERVER):
        yield


def new_id() -> str:
    return f"desk-{uuid.uuid4()}"


def shown(spans: tuple[Span, ...], *only: str) -> str:
    """A trace as a tree, in which links name the span that they lead to."""
    text = render(spans, only=only, hide=(), times=False)
    for span in spans:
        text = text.replace(f"trace {span.trace_id:032x} span {span.span_id:016x}", span.name)
    return f"\n{text}\n"


async def test_a_run_and_all_that_is_said_to_it(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        with request(traces, traceparent=TRACEPARENT), session(id="chat-17"):
            handle = await client.start_workflow(Desk.run, id=new_id(), task_queue=QUEUE)
            await handle.execute_update(Desk.ask, "Why?", id="ask-1")
            await handle.signal(Desk.note, "hurry")
            assert await handle.query(Desk.notes) == ["hurry"]
            await handle.signal(Desk.close)
        assert await handle.result() == ["hurry"]
    assert {span.trace_id for span in traces.spans} == {TRACE_ID}
    assert {span.attributes.get("session.id") for span in traces.spans} == {None, "chat-17"}
    assert (
        shown(traces.spans, "temporal.signal.name", "temporal.query.name", "temporal.update.id")
        == """
POST /chat SERVER (parent 00f067aa0ba902b7)
  StartWorkflow:Desk CLIENT
    RunWorkflow:Desk SERVER
      HandleUpdate:ask SERVER
        temporal.update.id: 'ask-1'
        -> StartWorkflowUpdate:ask
      HandleSignal:note SERVER
        temporal.signal.name: 'note'
        -> SignalWorkflow:note
      HandleQuery:notes SERVER
        temporal.query.name: 'notes'
        -> QueryWorkflow:notes
      HandleSignal:close SERVER
        temporal.signal.name: 'close'
        -> SignalWorkflow:close
  StartWorkflowUpdate:ask CLIENT
    temporal.update.id: 'ask-1'
  SignalWorkflow:note CLIENT
    temporal.signal.name: 'note'
  QueryWorkflow:notes CLIENT
    temporal.query.name: 'notes'
  SignalWorkflow:close CLIENT
    temporal.signal.name: 'close'
"""
    )


async def test_what_is_said_from_elsewhere_stays_there(temporal_server: str) -> None:
    """A signal from another request is in that request's trace; the run links to it."""
    async with desk(temporal_server) as (client, traces):
        handle = await client.start_workflow(Desk.run, id=new_id(), task_queue=QUEUE)
        with request(traces):
            await handle.signal(Desk.close)
        await handle.result()
    assert (
        shown(traces.spans)
        == """
RunWorkflow:Desk SERVER
  HandleSignal:close SERVER
    -> SignalWorkflow:close
POST /chat SERVER
  SignalWorkflow:close CLIENT
"""
    )
    assert len({span.trace_id for span in traces.spans}) == 2


async def test_without_a_span_no_call_is_one(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        handle = await client.start_workflow(Desk.run, id=new_id(), task_queue=QUEUE)
        await handle.execute_update(Desk.ask, "Why?")
        assert await handle.query(Desk.notes) == []
        await handle.signal(Desk.close)
        await handle.result()
    assert (
        shown(traces.spans)
        == """
RunWorkflow:Desk SERVER
  HandleUpdate:ask SERVER
  HandleQuery:notes SERVER
  HandleSignal:close SERVER
"""
    )


async def test_starts_with_a_signal_or_an_update(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        with request(traces):
            signalled = await client.start_workflow(
                Desk.run, id=new_id(), task_queue=QUEUE, start_signal="close", start_signal_args=[]
            )
            await signalled.result()
            start = WithStartWorkflowOperation(
                Desk.run, id=new_id(), task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
            )
            await client.execute_update_with_start_workflow(Desk.ask, "Why?", start_workflow_operation=start)
            updated = await start.workflow_handle()
            await updated.signal(Desk.close)
            await updated.result()
    assert (
        shown(traces.spans)
        == """
POST /chat SERVER
  SignalWithStartWorkflow:Desk CLIENT
    RunWorkflow:Desk SERVER
      HandleSignal:close SERVER
        -> SignalWithStartWorkflow:Desk
  StartUpdateWithStartWorkflow:Desk CLIENT
    RunWorkflow:Desk SERVER
      HandleUpdate:ask SERVER
        -> StartUpdateWithStartWorkflow:Desk
      HandleSignal:close SERVER
        -> SignalWorkflow:close
  SignalWorkflow:close CLIENT
"""
    )


async def test_an_update_that_is_only_accepted(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        handle = await client.start_workflow(Desk.run, id=new_id(), task_queue=QUEUE)
        with request(traces):
            update = await handle.start_update(Desk.ask, "Why?", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        assert await update.result() == "Re: Why?"
        await handle.signal(Desk.close)
        await handle.result()
    client_span = next(span for span in traces.spans if span.name == "StartWorkflowUpdate:ask")
    handled = next(span for span in traces.spans if span.name == "HandleUpdate:ask")
    assert client_span.attributes["temporal.update.id"] == handled.attributes["temporal.update.id"] == update.id
    assert client_span.attributes["temporalRunID"] == handle.first_execution_run_id


async def test_cancellation_and_termination(temporal_server: str) -> None:
    """Only a handle of one run knows its run ID: others mean the chain."""
    async with desk(temporal_server) as (client, traces):
        canceled = await client.start_workflow(Desk.run, id=new_id(), task_queue=QUEUE)
        terminated = await client.start_workflow(Desk.run, id=new_id(), task_queue=QUEUE)
        await terminated.query(Desk.notes)
        with request(traces):
            await client.get_workflow_handle(canceled.id, run_id=canceled.first_execution_run_id).cancel()
            with pytest.raises(WorkflowFailureError):
                await canceled.result()
            await terminated.terminate("enough")
    assert (await terminated.describe()).status is WorkflowExecutionStatus.TERMINATED
    in_request = next(span for span in traces.spans if span.name == "POST /chat").trace_id
    assert (
        shown(tuple(span for span in traces.spans if span.trace_id == in_request), "temporalRunID").replace(
            str(canceled.first_execution_run_id), "<canceled>"
        )
        == """
POST /chat SERVER
  CancelWorkflow CLIENT
    temporalRunID: '<canceled>'
  TerminateWorkflow CLIENT
"""
    )


async def test_a_call_that_the_server_refuses(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        with request(traces), pytest.raises(Exception, match="not found"):
            await client.get_workflow_handle(new_id()).signal(Desk.close)
    assert (
        shown(traces.spans, "error.type")
        == """
POST /chat SERVER
  SignalWorkflow:close CLIENT ERROR
    error.type: 'RPCError'
"""
    )


async def test_whatever_is_upstream_one_trace_holds_client_run_and_steps(temporal_server: str) -> None:
    """A remote parent alone: the web server has no instrumentation but hands W3C context on."""
    async with desk(temporal_server) as (client, traces):
        token = trace.use_span(trace.get_current_span(propagate.extract({"traceparent": TRACEPARENT})))
        with token:
            handle = await client.start_workflow(Ask.run, "Why?", id=new_id(), task_queue=QUEUE)
        await handle.result()
    assert {span.trace_id for span in traces.spans} == {TRACE_ID}
    assert (
        shown(traces.spans)
        == """
StartWorkflow:Ask CLIENT (parent 00f067aa0ba902b7)
  RunWorkflow:Ask SERVER
    StartActivity:answer CLIENT
      RunActivity:answer SERVER
"""
    )


class TestNexus:
    """Operations that handlers of the worker answer by workflows."""

    @pytest.fixture(autouse=True)
    async def endpoint(self, temporal_server: str) -> None:
        client = await Client.connect(temporal_server)
        target = EndpointTarget(worker=EndpointTarget.Worker(namespace="default", task_queue=QUEUE))
        existing = await client.operator_service.list_nexus_endpoints(ListNexusEndpointsRequest())
        if not existing.endpoints:
            await client.operator_service.create_nexus_endpoint(
                CreateNexusEndpointRequest(spec=EndpointSpec(name=ENDPOINT, target=target))
            )

    async def test_the_caller_the_handler_and_its_run_are_one_trace(self, temporal_server: str) -> None:
        async with desk(temporal_server, nexus_service_handlers=[LibraryHandler()]) as (client, traces):
            handle = await client.start_workflow(Reader.run, "Why?", id=new_id(), task_queue=QUEUE)
            assert await handle.result() == "Re: Why?"
        assert (
            shown(traces.spans, "temporal.nexus.operation")
            == """
RunWorkflow:Reader SERVER
  StartNexusOperation:Library/ask CLIENT
    temporal.nexus.operation: 'ask'
    RunStartNexusOperationHandler:Library/ask SERVER
      temporal.nexus.operation: 'ask'
      StartWorkflow:Ask CLIENT
        RunWorkflow:Ask SERVER
          StartActivity:answer CLIENT
            RunActivity:answer SERVER
"""
        )

    async def test_a_cancellation(self, temporal_server: str) -> None:
        async with desk(temporal_server, nexus_service_handlers=[LibraryHandler()]) as (client, traces):
            handle = await client.start_workflow(ImpatientReader.run, "Why?", id=new_id(), task_queue=QUEUE)
            assert await handle.result() == "NexusOperationError"
        assert (
            shown(traces.spans)
            == """
RunWorkflow:ImpatientReader SERVER
  StartNexusOperation:Library/wait CLIENT
    RunStartNexusOperationHandler:Library/wait SERVER
      StartWorkflow:Forever CLIENT
        RunWorkflow:Forever SERVER
          * WorkflowExecutionCancelRequested
    RunCancelNexusOperationHandler:Library/wait SERVER
      CancelWorkflow CLIENT
"""
        )

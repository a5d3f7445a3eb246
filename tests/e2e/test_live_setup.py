"""Where the plugin may be put, and what it says when it is put in the wrong place."""

from __future__ import annotations

import asyncio
import threading
import uuid
import warnings
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner

from tests.e2e.gates import SECONDS
from tests.e2e.live import OFF, ON, QUEUE, live, worker_of, written
from tests.e2e.live_workflows import Echo
from tracing import TracingPlugin
from tracing.testing import capture

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.e2e

ECHO = """
RunWorkflow:Echo SERVER
  StartActivity:classify CLIENT
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
"""


async def echo(client: Client) -> str:
    """Run `Echo`; gives the run ID."""
    handle = await client.start_workflow(Echo.run, "Why?", id=f"run-{uuid.uuid4()}", task_queue=QUEUE)
    assert await handle.result() == "Re: Why?"
    return handle.first_execution_run_id or ""


async def test_on_client_and_worker_it_traces_once_and_warns(temporal_server: str) -> None:
    with capture() as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            async with worker_of(client, plugins=[TracingPlugin(OFF, tracer_provider=traces.provider)]):
                run_id = await echo(client)
        assert f"\n{await traces.of(run_id)}\n" == ECHO
    assert [str(warning.message) for warning in caught if "TracingPlugin is" in str(warning.message)] == [
        (
            "TracingPlugin is registered twice, on the client and again on it or its worker: the first one is used. "
            "Keep the one on Client.connect(); its workers inherit it."
        )
    ]


async def test_on_a_worker_alone_it_traces_without_a_ledger_and_warns(
    temporal_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    with capture() as traces:
        client = await Client.connect(temporal_server)
        async with worker_of(client, plugins=[traces.plugin]):
            run_id = await echo(client)
        trace = await traces.of(run_id)
    assert (
        written(trace.spans, "durable.llm.calls", "temporal.attempts")
        == """
RunWorkflow:Echo SERVER
  StartActivity:classify CLIENT
    RunActivity:classify SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT
"""
    )
    assert [record.getMessage() for record in caplog.records if record.name == "durable_trace"] == [
        (
            "TracingPlugin is on a worker but not on its client: no ledger is written, so usage and cost of these "
            "attempts will not be in the history. Put the plugin on Client.connect(plugins=[TracingPlugin()])."
        )
    ]


async def test_without_a_sandbox_it_traces_the_same(temporal_server: str) -> None:
    async with live(temporal_server, workflow_runner=UnsandboxedWorkflowRunner()) as running:
        handle = await running.start(Echo.run, "Why?")
        await handle.result()
        trace = await running.traces.of(handle)
    assert f"\n{trace}\n" == ECHO


async def test_on_a_client_alone_the_run_goes_on_untraced(temporal_server: str) -> None:
    with capture() as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin])
        async with worker_of(await Client.connect(temporal_server)):
            await echo(client)
    assert traces.spans == ()


class Failing(SpanProcessor):
    """Raises for each span."""

    def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 - the SDK's signature
        raise OSError("no space left")


class Hanging(SpanExporter):
    """Takes spans and never comes back, until the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the SDK's signature
        self.over.wait(SECONDS)
        return SpanExportResult.FAILURE


class TestExportersThatFail:
    """The agent's own work is unharmed."""

    async def test_a_processor_that_raises(self, temporal_server: str) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(Failing())
        async with live(temporal_server, provider=provider) as running:
            handle = await running.start(Echo.run, "Why?")
            assert await handle.result() == "Re: Why?"

    async def test_an_exporter_that_hangs(self, temporal_server: str) -> None:
        hanging = Hanging()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(hanging, schedule_delay_millis=1))
        async with live(temporal_server, provider=provider) as running:
            handle = await running.start(Echo.run, "Why?")
            assert await handle.result() == "Re: Why?"
        hanging.over.set()
        provider.shutdown()

    async def test_a_processor_that_hangs_holds_up_neither_workflows_nor_the_workers_end(
        self, temporal_server: str
    ) -> None:
        over = threading.Event()

        class HangingProcessor(SpanProcessor):
            def on_end(self, span: ReadableSpan) -> None:
                if span.name != "chat gpt-4o":  # that one ends in the user's own activity, and its processor there
                    over.wait(SECONDS)

        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(HangingProcessor())
        async with asyncio.timeout(SECONDS), live(temporal_server, config=ON, provider=provider) as running:
            handle = await running.start(Echo.run, "Why?")
            assert await handle.result() == "Re: Why?"
        over.set()

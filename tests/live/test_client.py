"""What a client adds when it starts a run: our header, and under an active span a span of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.common.v1 import Payload
from temporalio.client import OutboundInterceptor

from tracing import session
from tracing.headers import ClientStart, TraceHeader, read_header
from tracing.live.client import ClientInterceptor
from tracing.live.emitter import Emitter
from tracing.live.sdk_spans import from_sdk_span
from tracing.spans.model import Span, SpanKind, StatusCode

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Server(OutboundInterceptor):
    """The end of the chain: takes what would go to the server."""

    error: Exception | None = None
    headers: Mapping[str, Payload] = field(default_factory=dict)

    async def start_workflow(self, input: Any) -> Any:  # noqa: A002 - the SDK's name
        self.headers = input.headers
        if self.error:
            raise self.error
        return SimpleNamespace(first_execution_run_id="run-1")

    async def start_update_with_start_workflow(self, input: Any) -> Any:  # noqa: A002 - the SDK's name
        self.headers = input.start_workflow_input.headers
        return SimpleNamespace(workflow_run_id="run-1")

    @property
    def header(self) -> TraceHeader:
        header = read_header(self.headers)
        assert header is not None
        return header


class Client:
    """A client with our interceptor."""

    def __init__(self, error: Exception | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("web")
        self.server = Server(error)
        self.outbound = ClientInterceptor(Emitter(self.provider), "default").intercept_client(self.server)

    async def start(self) -> Any:
        return await self.outbound.start_workflow(self.input())

    async def update_with_start(self) -> Any:
        return await self.outbound.start_update_with_start_workflow(
            SimpleNamespace(start_workflow_input=self.input())  # type: ignore[arg-type] # the fields that are read
        )

    @staticmethod
    def input() -> Any:
        return SimpleNamespace(workflow="Research", id="research-1", headers={"other": Payload(data=b"x")})

    def spans(self) -> list[Span]:
        return [from_sdk_span(span) for span in self.exporter.get_finished_spans()]


STARTS = pytest.mark.parametrize("start", [Client.start, Client.update_with_start], ids=["start", "update with start"])


@STARTS
async def test_without_an_active_span_the_run_is_the_root(start: Any) -> None:
    client = Client()
    await start(client)
    assert client.server.header == TraceHeader()
    assert client.spans() == []


@STARTS
async def test_headers_of_others_stay(start: Any) -> None:
    client = Client()
    await start(client)
    assert client.server.headers["other"] == Payload(data=b"x")
    assert client.server.headers["durable-trace"].metadata["encoding"] == b"json/plain"


@STARTS
async def test_a_session_travels(start: Any) -> None:
    client = Client()
    with session(id="chat-17", user="ada", tags=["beta"]):
        await start(client)
    assert client.server.header == TraceHeader(session="chat-17", user="ada", tags=("beta",))


@STARTS
async def test_under_an_active_span_the_run_is_below_a_span_of_ours(start: Any) -> None:
    client = Client()
    with client.tracer.start_as_current_span("POST /chat"), session(id="chat-17", user="ada", tags=["beta"]):
        await start(client)
    ours, request = client.spans()
    assert (ours.name, ours.kind, ours.trace_id, ours.parent_id) == (
        "StartWorkflow:Research",
        SpanKind.CLIENT,
        request.trace_id,
        request.span_id,
    )
    assert ours.attributes == {
        "temporalWorkflowID": "research-1",
        "temporalRunID": "run-1",
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "user.id": "ada",
        "tag.tags": ("beta",),
        "langfuse.trace.tags": ("beta",),
        "openinference.span.kind": "CHAIN",
    }
    assert client.server.header == TraceHeader(
        traceparent=f"00-{ours.trace_id:032x}-{ours.span_id:016x}-01",
        session="chat-17",
        user="ada",
        tags=("beta",),
        start=ClientStart(ours.start // 1_000, f"{request.span_id:016x}"),
    )


async def test_without_a_session_the_workflow_id_is_one() -> None:
    client = Client()
    with client.tracer.start_as_current_span("POST /chat"):
        await client.start()
    assert client.spans()[0].attributes == {
        "temporalWorkflowID": "research-1",
        "temporalRunID": "run-1",
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "session.id": "research-1",
        "gen_ai.conversation.id": "research-1",
        "openinference.span.kind": "CHAIN",
    }


async def test_a_start_that_fails_is_an_error_without_its_text() -> None:
    client = Client(RuntimeError("for ada@example.com"))
    with (
        pytest.raises(RuntimeError, match="for ada"),
        client.tracer.start_as_current_span("POST /chat", record_exception=False),
    ):
        await client.start()
    ours, _ = client.spans()
    assert (ours.status, ours.status_message, ours.events) == (StatusCode.ERROR, "", ())
    assert ours.attributes["error.type"] == "RuntimeError"


async def test_a_session_that_cannot_be_written_does_not_stop_the_start(tracing_log: list[str]) -> None:
    client = Client()
    with session(id=chr(0xD800)):
        handle = await client.start()
    assert handle.first_execution_run_id == "run-1"
    assert "durable-trace" not in client.server.headers
    assert len(tracing_log) == 1

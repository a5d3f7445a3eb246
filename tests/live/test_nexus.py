"""What a worker does around a Nexus operation handler: a span, below whatever called it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.worker import (
    ExecuteNexusOperationCancelInput,
    ExecuteNexusOperationStartInput,
    NexusOperationInboundInterceptor,
)

from tracing import TracingConfig
from tracing.live.attempts.interceptor import WorkerInterceptor
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.sdk_spans import from_sdk_span
from tracing.live.nexus import calling_span
from tracing.spans.model import SpanKind, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracing.spans.model import Span

OURS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UPSTREAM = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Handler(NexusOperationInboundInterceptor):
    """The end of the chain: the user's handler."""

    def __init__(self, handle: Callable[[], Any]) -> None:
        self._handle = handle

    async def execute_nexus_operation_start(self, input: Any) -> Any:  # noqa: A002, ARG002 - the SDK's name
        return self._handle()

    async def execute_nexus_operation_cancel(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's name
        self._handle()


class Worker:
    """A worker's interceptor, and the spans that it makes."""

    def __init__(self, config: TracingConfig | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        outbox: Any = None
        self._interceptor = WorkerInterceptor(
            config or TracingConfig(), Emitter(self.provider), outbox, "worker-1", ledgered=False
        )

    async def start(self, handle: Callable[[], Any] = dict, **headers: str) -> Any:
        return await self._inbound(handle).execute_nexus_operation_start(
            ExecuteNexusOperationStartInput(_request(headers), input="Why?")
        )

    async def cancel(self, handle: Callable[[], Any] = dict, **headers: str) -> None:
        await self._inbound(handle).execute_nexus_operation_cancel(
            ExecuteNexusOperationCancelInput(_request(headers), token="token")
        )

    def span(self) -> Span:
        (span,) = self.exporter.get_finished_spans()
        return from_sdk_span(span)

    def _inbound(self, handle: Callable[[], Any]) -> NexusOperationInboundInterceptor:
        return self._interceptor.intercept_nexus_operation(Handler(handle))


def _request(headers: dict[str, str]) -> Any:
    return SimpleNamespace(
        service="Library", operation="ask", headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


async def test_a_start() -> None:
    worker, answer = Worker(), object()
    assert await worker.start(lambda: answer, durable_trace=OURS) is answer
    span = worker.span()
    assert (span.name, span.kind) == ("RunStartNexusOperationHandler:Library/ask", SpanKind.SERVER)
    assert (span.trace_id, span.parent_id) == (0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)
    assert span.attributes == {
        "temporal.nexus.service": "Library",
        "temporal.nexus.operation": "ask",
        "openinference.span.kind": "CHAIN",
    }


async def test_a_cancellation() -> None:
    worker = Worker()
    await worker.cancel(durable_trace=OURS)
    span = worker.span()
    assert (span.name, span.kind) == ("RunCancelNexusOperationHandler:Library/ask", SpanKind.SERVER)
    assert (span.trace_id, span.parent_id) == (0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)


async def test_the_handler_runs_inside_the_span() -> None:
    worker = Worker()
    inside = await worker.start(lambda: trace.get_current_span().get_span_context().span_id, durable_trace=OURS)
    assert inside == worker.span().span_id
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_handler_that_nobody_traced_called_has_a_trace_of_its_own() -> None:
    worker = Worker()
    with worker.provider.get_tracer("main").start_as_current_span("the worker's program") as around:
        await worker.start()
        span = worker.span()
        assert span.parent_id is None
        assert span.trace_id != around.get_span_context().trace_id
        assert trace.get_current_span() is around


async def test_what_the_caller_does_not_record_is_not_recorded() -> None:
    worker = Worker()
    await worker.start(durable_trace=OURS.removesuffix("01") + "00")
    assert worker.exporter.get_finished_spans() == ()


async def test_its_errors_pass_and_are_named() -> None:
    worker, error = Worker(), RuntimeError("for ada@example.com")

    def fail() -> None:
        raise error

    with pytest.raises(RuntimeError) as raised:
        await worker.start(fail)
    assert raised.value is error
    span = worker.span()
    assert (span.status, span.status_message, span.attributes["error.type"]) == (StatusCode.ERROR, "", "RuntimeError")


async def test_with_content_their_text_is_shown() -> None:
    worker = Worker(TracingConfig(capture_content=True))

    def fail() -> None:
        raise RuntimeError("no such book")

    with pytest.raises(RuntimeError):
        await worker.start(fail)
    assert worker.span().status_message == "no such book"


@pytest.mark.parametrize(
    ("headers", "trace_id", "sampled"),
    [
        ({"durable-trace": OURS}, 0x0AF7651916CD43DD8448EB211C80319C, True),
        ({"Durable-Trace": OURS}, 0x0AF7651916CD43DD8448EB211C80319C, True),
        ({"durable-trace": OURS, "traceparent": UPSTREAM}, 0x0AF7651916CD43DD8448EB211C80319C, True),
        ({"traceparent": UPSTREAM}, 0x4BF92F3577B34DA6A3CE929D0E0E4736, True),
        ({"Traceparent": UPSTREAM.removesuffix("01") + "00"}, 0x4BF92F3577B34DA6A3CE929D0E0E4736, False),
        ({"durable-trace": "nonsense", "traceparent": UPSTREAM}, 0x4BF92F3577B34DA6A3CE929D0E0E4736, True),
        ({"durable-trace": OURS + "-" + "x" * 9_000}, 0, False),
        ({"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"}, 0, False),
        ({}, 0, False),
    ],
)
def test_which_span_called(headers: dict[str, str], trace_id: int, sampled: bool) -> None:  # noqa: FBT001 - a table
    context = calling_span(headers).get_span_context()
    assert (context.trace_id, context.trace_flags.sampled) == (trace_id, sampled)


async def test_headers_that_cannot_be_read_do_not_stop_it(tracing_log: list[str]) -> None:
    worker = Worker()
    request: Any = SimpleNamespace(service="Library", operation="ask", headers=None)
    inbound = worker._inbound(lambda: "because")
    answer: object = await inbound.execute_nexus_operation_start(ExecuteNexusOperationStartInput(request, input=None))
    assert answer == "because"
    assert worker.span().parent_id is None
    assert len(tracing_log) == 1

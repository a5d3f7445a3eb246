"""Whose is the current span in workflow code, whatever other interceptors attach."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from temporalio.worker import WorkflowInboundInterceptor

from tracing import TracingConfig
from tracing.live.workflows.context import WorkflowCode, WorkflowContextInterceptor, activated
from tracing.runs import Run

RUN = Run(
    namespace="default",
    workflow_id="research-1",
    run_id="0198c0de-0000-7000-8000-000000000001",
    workflow_type="Research",
    trace_id=0x0123456789ABCDEF0123456789ABCDEF,
)
CODE = WorkflowCode(RUN, TracingConfig())
OTHER = trace.SpanContext(0x1, 0x2, is_remote=True)
HANDLERS = ["execute_workflow", "handle_signal", "handle_query", "handle_update_handler"]


class Handler(WorkflowInboundInterceptor):
    """Notes the span that the workflow's own code sees."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def _see(self) -> None:
        self.seen.append(trace.get_current_span().get_span_context().span_id)

    async def execute_workflow(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's signature
        self._see()

    async def handle_signal(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's signature
        self._see()

    async def handle_query(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's signature
        self._see()

    async def handle_update_handler(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's signature
        self._see()

    def handle_update_validator(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's signature
        self._see()


def current() -> trace.SpanContext:
    return trace.get_current_span().get_span_context()


def test_an_activation_runs_below_the_runs_span_and_leaves_nothing_behind() -> None:
    with activated(CODE):
        assert (current().trace_id, current().span_id, current().trace_flags.sampled) == (
            RUN.trace_id,
            RUN.span_id,
            True,
        )
    assert not current().is_valid


def test_of_a_run_that_is_not_sampled_nothing_inside_is() -> None:
    with activated(WorkflowCode(RUN.left_out(), TracingConfig())):
        span = TracerProvider(shutdown_on_exit=False).get_tracer("app").start_span("plan")
    assert not span.get_span_context().trace_flags.sampled


@pytest.mark.parametrize("method", HANDLERS)
async def test_another_context_gives_way_but_its_baggage(method: str) -> None:
    handler = Handler()
    theirs = baggage.set_baggage("tenant", "7", trace.set_span_in_context(trace.NonRecordingSpan(OTHER), Context()))
    with activated(CODE):
        token = context.attach(theirs)
        await getattr(WorkflowContextInterceptor(handler), method)(None)
        assert (current().span_id, baggage.get_baggage("tenant")) == (OTHER.span_id, "7")
        context.detach(token)
    assert handler.seen == [RUN.span_id]


def test_a_validator_of_updates_likewise() -> None:
    handler = Handler()
    with activated(CODE):
        token = context.attach(Context())
        WorkflowContextInterceptor(handler).handle_update_validator(_none())
        context.detach(token)
    assert handler.seen == [RUN.span_id]


async def test_a_span_that_an_interceptor_made_below_the_runs_stays() -> None:
    handler = Handler()
    with activated(CODE):
        tracer = TracerProvider(shutdown_on_exit=False).get_tracer("app")
        with tracer.start_as_current_span("theirs") as span:
            await WorkflowContextInterceptor(handler).execute_workflow(_none())
    assert handler.seen == [span.get_span_context().span_id]


async def test_outside_of_activations_nothing_is_done() -> None:
    handler = Handler()
    await WorkflowContextInterceptor(handler).execute_workflow(_none())
    assert handler.seen == [0]


async def test_a_handler_that_is_closed_in_another_context_leaves_no_error(caplog: pytest.LogCaptureFixture) -> None:
    class Waiting(Handler):
        async def execute_workflow(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's signature
            await _Pause()

    with activated(CODE):
        token = context.attach(Context())
        running = WorkflowContextInterceptor(Waiting()).execute_workflow(_none())
        running.send(None)
        context.detach(token)
    running.close()  # as the garbage collector does for a run that was evicted
    assert caplog.messages == []


class _Pause:
    def __await__(self) -> Any:
        yield


def _none() -> Any:
    return None

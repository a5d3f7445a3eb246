"""What `tracing.testing` gives to users' tests; with a server, the tests in `tests/e2e/test_live_*.py` use it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tests.spans.research import COMMON, RUN_ID, RUN_SPAN, SECOND, START, STEP_SPAN, TRACE
from tracing import TracingConfig
from tracing.spans.model import Span, SpanKind
from tracing.testing import Trace, Traces, capture

RUN = Span(TRACE, RUN_SPAN, None, "RunWorkflow:Research", SpanKind.SERVER, START, START + SECOND, COMMON)
STEP = replace(RUN, span_id=STEP_SPAN, parent_id=RUN_SPAN, name="StartActivity:call_llm", kind=SpanKind.CLIENT)


def arrive(traces: Traces, *spans: Span) -> None:
    for span in spans:
        traces.plugin.emitter.emit(span)


async def test_the_trace_of_a_run() -> None:
    with capture() as traces:
        arrive(traces, STEP, replace(RUN, trace_id=1, span_id=1), RUN)
        trace = await traces.of(RUN_ID)
    assert str(trace) == "RunWorkflow:Research SERVER\n  StartActivity:call_llm CLIENT"
    assert trace.render("temporal.namespace", times=True) == (
        "RunWorkflow:Research SERVER 0..1000 ms\n"
        "  temporal.namespace: 'default'\n"
        "  StartActivity:call_llm CLIENT 0..1000 ms\n"
        "    temporal.namespace: 'default'"
    )
    assert len(traces.spans) == 3


@pytest.mark.parametrize(
    "ids",
    [
        {"run_id": RUN_ID, "first_execution_run_id": "run-0", "result_run_id": "run-0"},
        {"run_id": None, "first_execution_run_id": RUN_ID, "result_run_id": "run-0"},
        {"run_id": None, "first_execution_run_id": None, "result_run_id": RUN_ID},
    ],
)
async def test_a_handle_names_its_run(ids: dict[str, str | None]) -> None:
    handle: Any = SimpleNamespace(**ids)
    with capture() as traces:
        arrive(traces, RUN)
        assert len((await traces.of(handle)).spans) == 1


async def test_a_handle_without_a_run_is_refused() -> None:
    handle: Any = SimpleNamespace(run_id=None, first_execution_run_id=None, result_run_id=None)
    with capture() as traces, pytest.raises(ValueError, match="The handle names no run"):
        await traces.of(handle)


async def test_it_waits_for_the_runs_own_span() -> None:
    with capture() as traces:
        arrive(traces, STEP)
        waiting = asyncio.create_task(traces.of(RUN_ID))
        await asyncio.sleep(0)
        arrive(traces, RUN)
        assert [span.name for span in (await waiting).spans] == ["RunWorkflow:Research", "StartActivity:call_llm"]


async def test_a_run_whose_span_does_not_arrive_is_named_with_what_has() -> None:
    with capture() as traces:
        arrive(traces, STEP)
        with pytest.raises(
            TimeoutError, match=f"The span of run {RUN_ID} has not arrived in 0.01 s: has the run ended"
        ):
            await traces.of(RUN_ID, timeout_seconds=0.01)


def test_one_span_by_its_name() -> None:
    trace = Trace((RUN, STEP, STEP))
    assert trace.span("RunWorkflow:Research") is RUN
    with pytest.raises(
        LookupError, match="2 spans are named 'StartActivity:call_llm', not 1; the trace is\nRunWorkflow"
    ):
        trace.span("StartActivity:call_llm")
    with pytest.raises(LookupError, match="0 spans are named 'Timer', not 1"):
        trace.span("Timer")


def test_the_defaults_are_those_of_production_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    with capture() as traces:
        assert traces.plugin.config == TracingConfig()


def test_nothing_is_collected_after_the_block() -> None:
    with capture() as traces:
        pass
    arrive(traces, RUN)
    assert traces.spans == ()


def test_spans_that_are_not_sampled_are_not_collected() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    with capture(provider=provider) as traces:
        provider.get_tracer("app").start_span("request").end()
    assert traces.spans == ()

"""What spans carry that users and libraries make in workflow code."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from tracing import TracingConfig
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.workflows.context import WorkflowCode, activated
from tracing.runs import Run

RUN = Run(
    namespace="default",
    workflow_id="research-1",
    run_id="0198c0de-0000-7000-8000-000000000001",
    workflow_type="Research",
    trace_id=0x0123456789ABCDEF0123456789ABCDEF,
    user_id="ada",
)


def made_in_workflow_code(config: TracingConfig, attributes: dict[str, Any], error: str = "") -> ReadableSpan:
    """A span of a library in workflow code, as it is exported."""
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    prepare_provider(provider)
    with activated(WorkflowCode(RUN, config)):
        span = provider.get_tracer("adk").start_span("call_llm", attributes=attributes)
        span.add_event("gen_ai.user.message", {"content": "a question"})
        if error:
            span.record_exception(ValueError(error))
        span.end()
    [exported] = exporter.get_finished_spans()
    return exported


def test_none_of_a_run_that_is_left_out_whatever_the_sampler() -> None:
    provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    prepare_provider(provider)
    with activated(WorkflowCode(RUN.left_out(), TracingConfig())):
        provider.get_tracer("adk").start_span("call_llm").end()
    assert exporter.get_finished_spans() == ()


def test_the_runs_identity() -> None:
    span = made_in_workflow_code(TracingConfig(), {"session.id": "theirs", "n": 1})
    assert span.attributes == {**RUN.common_attributes(), "session.id": "theirs", "n": 1}


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5}, id="GenAI"),
        pytest.param({"openinference.span.kind": "LLM", "llm.token_count.prompt": 5}, id="OpenInference"),
    ],
)
def test_no_usage_for_the_activity_counts_it(attributes: dict[str, Any]) -> None:
    span = made_in_workflow_code(TracingConfig(), attributes)
    own = {key: value for key, value in (span.attributes or {}).items() if key not in RUN.common_attributes()}
    assert own == {key: value for key, value in attributes.items() if key == "gen_ai.operation.name"} | {
        "openinference.span.kind": "CHAIN",
        "langfuse.observation.type": "span",
    }


def test_nor_an_agents_sums() -> None:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 5}
    span = made_in_workflow_code(TracingConfig(), attributes)
    assert span.attributes == {**RUN.common_attributes(), "gen_ai.operation.name": "invoke_agent"}


@pytest.mark.parametrize(("on", "shown"), [(True, '[{"role":"user"}]'), (False, None)])
def test_content_only_where_it_is_on(on: Any, shown: str | None) -> None:
    config = TracingConfig(capture_content=on)
    span = made_in_workflow_code(config, {"gen_ai.input.messages": '[{"role":"user"}]'}, error="a secret")
    assert (span.attributes or {}).get("gen_ai.input.messages") == shown
    message, event = span.events
    assert message.attributes == ({"content": "a question"} if on else {})
    assert (event.attributes or {}).get("exception.message") == ("a secret" if on else None)

"""Spans straight to a real Phoenix, by its own variables, without a Collector between."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider

from agent.servers.phoenix_api import PhoenixReader
from tracing import TracingConfig
from tracing.ledger import Ledger, LedgerSpan
from tracing.live.delivery.destinations import backend_exporters
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.exporter import PromptBatchProcessor
from tracing.runs import Run
from tracing.spans.inner import inner_span

if TYPE_CHECKING:
    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

START = 1_790_000_000_000_000_000
RECORDED = {
    "invoke_agent researcher": {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher"},
    "execute_tool weather": {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.call.arguments": '{"city":"Oslo"}',
        "gen_ai.tool.call.result": '{"degrees":3}',
    },
    "chat gpt-4o": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Weather in Oslo?"}]}]',
        "gen_ai.output.messages": (
            '[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"weather",'
            '"arguments":{"city":"Oslo"}}],"finish_reason":"tool_calls"}]'
        ),
    },
    "embeddings text-embedding-3-small": {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.usage.input_tokens": 8,
    },
}
KINDS = {
    "invoke_agent researcher": "AGENT",
    "execute_tool weather": "TOOL",
    "chat gpt-4o": "LLM",
    "embeddings text-embedding-3-small": "EMBEDDING",
}


def test_each_kind_of_inner_span_is_shown_as_what_it_is(phoenix: str, eventually: Eventually) -> None:
    trace_id = uuid.uuid4().int
    run = Run(
        namespace="default",
        workflow_id="research-1",
        run_id=str(uuid.uuid4()),
        workflow_type="Research",
        trace_id=trace_id,
        session_id="chat-17",
        user_id="ada",
    )
    provider = TracerProvider(shutdown_on_exit=False)
    [exporter] = backend_exporters({"PHOENIX_COLLECTOR_ENDPOINT": phoenix})
    provider.add_span_processor(PromptBatchProcessor(exporter))
    emitter = Emitter(provider)
    ledger = Ledger(run=run.run_id, activity="1", attempt=1, started=START // 1_000, duration=0)
    for name, attributes in RECORDED.items():
        span_id = f"{uuid.uuid4().int >> 64:016x}"
        recorded = LedgerSpan(span_id, name, START, START + 10**9, kind=3, attributes=attributes)
        span = inner_span(TracingConfig(capture_content=True), run, ledger, recorded, 0x77)
        assert span is not None
        emitter.emit(span)
    provider.shutdown()

    with PhoenixReader(phoenix) as reader:
        eventually(lambda: {span.name: span.kind for span in reader.spans(f"{trace_id:032x}")}, KINDS)
        shown = {span.name: span.attributes for span in reader.spans(f"{trace_id:032x}")}
    assert {attributes["session.id"] for attributes in shown.values()} == {"chat-17"}
    assert {attributes["user.id"] for attributes in shown.values()} == {"ada"}
    tool, chat = shown["execute_tool weather"], shown["chat gpt-4o"]
    assert (tool["input.value"], tool["output.value"]) == ('{"city":"Oslo"}', '{"degrees":3}')
    assert chat["llm.input_messages.0.message.content"] == "Weather in Oslo?"
    call = "llm.output_messages.0.message.tool_calls.0.tool_call.function"
    assert (chat[f"{call}.name"], chat[f"{call}.arguments"]) == ("weather", '{"city": "Oslo"}')

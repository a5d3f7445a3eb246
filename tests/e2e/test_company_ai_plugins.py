"""Temporal's AI plugins beside ours: each model call is one span with its usage, whoever saw it."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

import langsmith
import pytest
from agents import OpenAIProvider
from openai import AsyncOpenAI
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.google_genai.testing import GeminiTestServer, text_response
from temporalio.langgraph import LangGraphPlugin
from temporalio.langsmith import LangSmithPlugin
from temporalio.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin
from temporalio.worker import Worker

from agent.local.model_server import model_server
from tests.e2e.company_agents import (
    Asking,
    Assistant,
    Gemini,
    StreamingAssistant,
    Thinking,
    ask,
    model_client,
    thinking,
)
from tests.e2e.live import written
from tests.e2e.live_workflows import SHORT
from tracing import TracingConfig
from tracing import conventions as c
from tracing.history import History, read, to_spans
from tracing.testing import Trace, Traces, capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from temporalio.client import Plugin, WorkflowHandle

pytestmark = pytest.mark.e2e

QUEUE = "ai"
WORKFLOWS = [Assistant, StreamingAssistant, Thinking, Gemini, Asking]

AGENTS = """
RunWorkflow:Assistant SERVER
  durable.llm.calls: 1
  StartActivity:invoke_model_activity CLIENT
    durable.llm.calls: 1
    RunActivity:invoke_model_activity SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT
"""

RECOGNISED_AGENTS = """
RunWorkflow:Assistant SERVER
  durable.llm.calls: 1
  StartActivity:invoke_model_activity CLIENT
    durable.llm.calls: 1
    RunActivity:invoke_model_activity SERVER
      durable.llm.calls: 1
      chat{} CLIENT
        durable.recognised: 'openai_agents'
"""

STREAMED = """
RunWorkflow:StreamingAssistant SERVER
  durable.llm.calls: 1
  StartActivity:invoke_model_activity_streaming CLIENT
    durable.llm.calls: 1
    RunActivity:invoke_model_activity_streaming SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT{}
"""

THINKING = """
RunWorkflow:Thinking SERVER
  durable.llm.calls: 1
  StartActivity:thinking.think CLIENT
    durable.llm.calls: 1
    RunActivity:thinking.think SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT{}
  StartActivity:thinking.pass_on CLIENT
    RunActivity:thinking.pass_on SERVER
"""

GEMINI = """
RunWorkflow:Gemini SERVER
  durable.llm.calls: 1
  StartActivity:gemini_api_client_async_request CLIENT
    durable.llm.calls: 1
    RunActivity:gemini_api_client_async_request SERVER
      durable.llm.calls: 1
      generate_content gemini-2.0-flash CLIENT
        durable.recognised: 'google_genai'
"""

ASKING = """
RunWorkflow:Asking SERVER
  durable.llm.calls: 1
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    RunActivity:ask SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT
"""


@pytest.fixture(autouse=True)
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncOpenAI]:
    """A client of a local model; OpenAI Agents send nothing to OpenAI."""
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    async with model_server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        async with model_client() as client:
            yield client


@contextlib.contextmanager
def instrumented(traces: Traces, *, on: bool = True) -> Iterator[None]:
    """Instrument the OpenAI client, as `configure()` does."""
    instrumentor = OpenAIInstrumentor()
    if on:
        instrumentor.instrument(tracer_provider=traces.provider)
    try:
        yield
    finally:
        if on:
            instrumentor.uninstrument()


async def run(
    address: str, traces: Traces, plugins: list[Plugin], workflow: Any, *args: Any, **options: Any
) -> WorkflowHandle[Any, Any]:
    """Run a workflow to its end with these plugins on the client."""
    client = await Client.connect(address, plugins=plugins, **options)
    async with Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, activities=[ask]):
        handle = await client.start_workflow(workflow, args=args, id=f"run-{uuid.uuid4()}", task_queue=QUEUE)
        await handle.result()
    await traces.of(handle)
    return handle


async def check(handle: WorkflowHandle[Any, Any], trace: Trace, tree: str) -> None:
    """Assert how the trace looks, that sums are those of its one call, and that the run's history gives the same."""
    assert written(trace.spans, c.LLM_CALLS, c.RECOGNISED) == tree
    [call] = [span for span in trace.spans if c.USAGE_INPUT in span.attributes]
    sums = [span.attributes[c.INPUT_TOKENS] for span in trace.spans if c.INPUT_TOKENS in span.attributes]
    assert sums == [call.attributes[c.USAGE_INPUT]] * 3
    [history] = read(await handle.fetch_history())
    assert isinstance(history, History)
    exported = {span.span_id: span for span in to_spans(history, TracingConfig())}
    for span in trace.spans:
        if c.LLM_CALLS in span.attributes or c.USAGE_INPUT in span.attributes:
            same = exported[span.span_id]
            shared = {key: value for key, value in same.attributes.items() if key not in c.READER_ONLY}
            assert (same.name, same.parent_id, same.start, shared) == (
                span.name,
                span.parent_id,
                span.start,
                span.attributes,
            )


def agents_plugin(model: AsyncOpenAI) -> OpenAIAgentsPlugin:
    """The plugin of OpenAI Agents, with the local model."""
    return OpenAIAgentsPlugin(
        model_provider=OpenAIProvider(openai_client=model),
        model_params=ModelActivityParameters(start_to_close_timeout=SHORT, streaming_topic="events"),
    )


class TestOpenAIAgents:
    @pytest.mark.parametrize("first", ["ours", "theirs"])
    async def test_an_instrumented_client_records_the_call(
        self, first: str, temporal_server: str, model: AsyncOpenAI
    ) -> None:
        with capture() as traces, instrumented(traces):
            plugins: list[Plugin] = (
                [traces.plugin, agents_plugin(model)] if first == "ours" else [agents_plugin(model), traces.plugin]
            )
            handle = await run(temporal_server, traces, plugins, Assistant.run, "Why?", "gpt-4o")
            trace = await traces.of(handle)
        await check(handle, trace, AGENTS)

    @pytest.mark.parametrize("asked", ["gpt-4o", None])
    async def test_of_any_other_client_it_is_recognised_in_the_result(
        self, asked: str | None, temporal_server: str, model: AsyncOpenAI
    ) -> None:
        with capture() as traces:
            handle = await run(
                temporal_server, traces, [traces.plugin, agents_plugin(model)], Assistant.run, "Why?", asked
            )
            trace = await traces.of(handle)
        await check(handle, trace, RECOGNISED_AGENTS.format(f" {asked}" if asked else ""))

    @pytest.mark.parametrize("seen_by", ["the instrumentation", "the recogniser"])
    async def test_a_streamed_answer_is_one_call(self, seen_by: str, temporal_server: str, model: AsyncOpenAI) -> None:
        with capture() as traces, instrumented(traces, on=seen_by == "the instrumentation"):
            plugins: list[Plugin] = [traces.plugin, agents_plugin(model)]
            handle = await run(temporal_server, traces, plugins, StreamingAssistant.run, "Why?", "gpt-4o")
            trace = await traces.of(handle)
        await check(
            handle,
            trace,
            STREAMED.format(
                "" if seen_by == "the instrumentation" else "\n        durable.recognised: 'openai_agents'"
            ),
        )


class TestLangGraph:
    @pytest.mark.parametrize("seen_by", ["the instrumentation", "the recogniser"])
    async def test_a_message_that_is_passed_on_is_counted_once(self, seen_by: str, temporal_server: str) -> None:
        with capture() as traces, instrumented(traces, on=seen_by == "the instrumentation"):
            plugins: list[Plugin] = [traces.plugin, LangGraphPlugin(graphs={"thinking": thinking()})]
            # LangChain's messages are pydantic models.
            options = {"data_converter": pydantic_data_converter}
            handle = await run(temporal_server, traces, plugins, Thinking.run, **options)
            trace = await traces.of(handle)
        await check(
            handle,
            trace,
            THINKING.format("" if seen_by == "the instrumentation" else "\n        durable.recognised: 'langchain'"),
        )


class TestGoogleGenAI:
    async def test_the_answers_usage_is_recognised(self, temporal_server: str) -> None:
        with capture() as traces:
            plugins: list[Plugin] = [traces.plugin, GeminiTestServer([text_response("Because.")]).plugin()]
            handle = await run(temporal_server, traces, plugins, Gemini.run, "Why?")
            trace = await traces.of(handle)
        await check(handle, trace, GEMINI)


class TestLangSmith:
    async def test_it_takes_nothing_from_our_trace_and_adds_nothing(
        self, temporal_server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LANGSMITH_TRACING", "true")
        monkeypatch.setattr(langsmith.Client, "create_run", lambda *_, **__: None)
        monkeypatch.setattr(langsmith.Client, "update_run", lambda *_, **__: None)
        quiet = langsmith.Client(api_key="none", api_url="http://127.0.0.1:9", auto_batch_tracing=False)
        with capture() as traces, instrumented(traces):
            plugins: list[Plugin] = [traces.plugin, LangSmithPlugin(client=quiet, add_temporal_runs=True)]
            handle = await run(temporal_server, traces, plugins, Asking.run, "Why?")
            trace = await traces.of(handle)
        await check(handle, trace, ASKING)

"""The trace of a run, whole, as its worker saw it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.e2e.live import OFF, ON, live, written
from tests.e2e.live_workflows import WORKFLOWS, Echo, Support
from tracing import TracingConfig, conventions, session
from tracing.identity import run_span_id, run_trace_id
from tracing.testing import Trace, capture

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.client import WorkflowHandle

pytestmark = pytest.mark.e2e

CONTENT = (
    conventions.INPUT_VALUE,
    conventions.INPUT_MIME,
    conventions.OUTPUT_VALUE,
    conventions.OUTPUT_MIME,
    conventions.TOOL_ARGUMENTS,
    conventions.TOOL_RESULT,
    conventions.EXCEPTION_MESSAGE,
)


async def support(address: str, config: TracingConfig = OFF, **worker: Any) -> tuple[Trace, WorkflowHandle[Any, Any]]:
    """Run `Support` with a signal at its start, in a session.

    The attempt of `too_slow` ends when the run has: too late for the server, but the worker saw it.
    """
    async with live(address, config=config, **worker) as running:
        with session(id="chat-17", user="ada", tags=["beta", "eu"]):
            handle = await running.start(Support.run, "Why?", start_signal="note", start_signal_args=["hurry"])
        assert await handle.result() == "Re: Why?; ['CATS']; Re: dogs; ['hurry', 'too slow']"
    return await running.traces.of(handle), handle


WITHOUT_CONTENT = """
RunWorkflow:Support SERVER
  durable.llm.cached_input_tokens: 26
  durable.llm.calls: 2
  durable.llm.cost: 0.0015325
  durable.llm.input_tokens: 202
  durable.llm.output_tokens: 106
  durable.llm.reasoning_tokens: 14
  durable.llm.unknown_cost_calls: 0
  temporal.attempt: 1
  temporal.run.status: 'completed'
  temporal.task_queue: 'support'
  temporal.worker.identity: 'worker-1'
  HandleSignal:note SERVER
    temporal.signal.name: 'note'
  StartActivity:classify CLIENT
    durable.llm.cached_input_tokens: 13
    durable.llm.calls: 1
    durable.llm.cost: 0.00076625
    durable.llm.input_tokens: 101
    durable.llm.output_tokens: 53
    durable.llm.reasoning_tokens: 7
    durable.llm.unknown_cost_calls: 0
    temporal.activity.type: 'classify'
    temporal.attempts: 1
    temporal.max_attempts: 0
    temporal.task_queue: 'support'
    temporalActivityID: '1'
    RunActivity:classify SERVER
      durable.llm.cached_input_tokens: 13
      durable.llm.calls: 1
      durable.llm.cost: 0.00076625
      durable.llm.input_tokens: 101
      durable.llm.output_tokens: 53
      durable.llm.reasoning_tokens: 7
      durable.llm.unknown_cost_calls: 0
      temporal.activity.type: 'classify'
      temporal.attempt: 1
      temporal.max_attempts: 0
      temporal.task_queue: 'support'
      temporal.worker.identity: 'worker-1'
      temporalActivityID: '1'
      chat gpt-4o CLIENT
        durable.cost.input_usd: 0.00023625
        durable.cost.output_usd: 0.00053
        durable.cost.source: 'genai-prices 0.2.3'
        durable.cost.usd: 0.00076625
        gen_ai.operation.name: 'chat'
        gen_ai.provider.name: 'openai'
        gen_ai.request.model: 'gpt-4o'
        gen_ai.response.finish_reasons: ('stop',)
        gen_ai.response.id: 'chatcmpl-1'
        gen_ai.response.model: 'gpt-4o'
        gen_ai.usage.cache_read.input_tokens: 13
        gen_ai.usage.input_tokens: 101
        gen_ai.usage.output_tokens: 53
        gen_ai.usage.reasoning.output_tokens: 7
        langfuse.observation.cost_details: '{"input":0.00023625,"output":0.00053,"total":0.00076625}'
        langfuse.observation.usage_details: '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
        llm.token_count.completion_details.reasoning: 7
        temporalActivityID: '1'
  Timer INTERNAL
    temporal.timer.id: '1'
    temporal.timer.timeout: 0.01
  StartActivity:look_up CLIENT
    temporal.activity.type: 'look_up'
    temporal.attempts: 1
    temporal.max_attempts: 0
    temporal.task_queue: 'support'
    temporalActivityID: '2'
    RunActivity:look_up SERVER
      temporal.activity.type: 'look_up'
      temporal.attempt: 1
      temporal.max_attempts: 0
      temporal.task_queue: 'support'
      temporal.worker.identity: 'worker-1'
      temporalActivityID: '2'
      invoke_agent archivist INTERNAL
        gen_ai.agent.name: 'archivist'
        gen_ai.operation.name: 'invoke_agent'
        temporalActivityID: '2'
        execute_tool search INTERNAL
          gen_ai.operation.name: 'execute_tool'
          gen_ai.tool.description: 'Search the archive.'
          gen_ai.tool.name: 'search'
          gen_ai.tool.type: 'function'
          temporalActivityID: '2'
  StartActivity:flaky CLIENT
    durable.llm.cached_input_tokens: 13
    durable.llm.calls: 1
    durable.llm.cost: 0.00076625
    durable.llm.input_tokens: 101
    durable.llm.output_tokens: 53
    durable.llm.reasoning_tokens: 7
    durable.llm.unknown_cost_calls: 0
    temporal.activity.type: 'flaky'
    temporal.attempts: 2
    temporal.max_attempts: 3
    temporal.task_queue: 'support'
    temporalActivityID: '3'
    RunActivity:flaky SERVER ERROR
      durable.llm.cached_input_tokens: 13
      durable.llm.calls: 1
      durable.llm.cost: 0.00076625
      durable.llm.input_tokens: 101
      durable.llm.output_tokens: 53
      durable.llm.reasoning_tokens: 7
      durable.llm.unknown_cost_calls: 0
      error.type: 'Unlucky'
      temporal.activity.type: 'flaky'
      temporal.attempt: 1
      temporal.max_attempts: 3
      temporal.task_queue: 'support'
      temporal.worker.identity: 'worker-1'
      temporalActivityID: '3'
      * exception
        exception.type: 'Unlucky'
      chat gpt-4o CLIENT
        durable.cost.input_usd: 0.00023625
        durable.cost.output_usd: 0.00053
        durable.cost.source: 'genai-prices 0.2.3'
        durable.cost.usd: 0.00076625
        gen_ai.operation.name: 'chat'
        gen_ai.provider.name: 'openai'
        gen_ai.request.model: 'gpt-4o'
        gen_ai.response.finish_reasons: ('stop',)
        gen_ai.response.id: 'chatcmpl-1'
        gen_ai.response.model: 'gpt-4o'
        gen_ai.usage.cache_read.input_tokens: 13
        gen_ai.usage.input_tokens: 101
        gen_ai.usage.output_tokens: 53
        gen_ai.usage.reasoning.output_tokens: 7
        langfuse.observation.cost_details: '{"input":0.00023625,"output":0.00053,"total":0.00076625}'
        langfuse.observation.usage_details: '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
        llm.token_count.completion_details.reasoning: 7
        temporalActivityID: '3'
    RunActivity:flaky SERVER
      durable.llm.cached_input_tokens: 13
      durable.llm.calls: 1
      durable.llm.cost: 0.00076625
      durable.llm.input_tokens: 101
      durable.llm.output_tokens: 53
      durable.llm.reasoning_tokens: 7
      durable.llm.unknown_cost_calls: 0
      temporal.activity.type: 'flaky'
      temporal.attempt: 2
      temporal.max_attempts: 3
      temporal.task_queue: 'support'
      temporal.worker.identity: 'worker-1'
      temporalActivityID: '3'
      chat gpt-4o CLIENT
        durable.cost.input_usd: 0.00023625
        durable.cost.output_usd: 0.00053
        durable.cost.source: 'genai-prices 0.2.3'
        durable.cost.usd: 0.00076625
        gen_ai.operation.name: 'chat'
        gen_ai.provider.name: 'openai'
        gen_ai.request.model: 'gpt-4o'
        gen_ai.response.finish_reasons: ('stop',)
        gen_ai.response.id: 'chatcmpl-1'
        gen_ai.response.model: 'gpt-4o'
        gen_ai.usage.cache_read.input_tokens: 13
        gen_ai.usage.input_tokens: 101
        gen_ai.usage.output_tokens: 53
        gen_ai.usage.reasoning.output_tokens: 7
        langfuse.observation.cost_details: '{"input":0.00023625,"output":0.00053,"total":0.00076625}'
        langfuse.observation.usage_details: '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
        llm.token_count.completion_details.reasoning: 7
        temporalActivityID: '3'
  StartActivity:too_slow CLIENT ERROR
    error.type: 'TimeoutError'
    temporal.activity.type: 'too_slow'
    temporal.max_attempts: 1
    temporal.retry_state: 'MAXIMUM_ATTEMPTS_REACHED'
    temporal.task_queue: 'support'
    temporal.timeout_type: 'START_TO_CLOSE'
    temporalActivityID: '4'
    * exception
      exception.type: 'TimeoutError'
    RunActivity:too_slow SERVER
      temporal.activity.type: 'too_slow'
      temporal.attempt: 1
      temporal.max_attempts: 1
      temporal.task_queue: 'support'
      temporal.worker.identity: 'worker-1'
      temporalActivityID: '4'
"""  # noqa: E501 - usage details are JSON in one line

WITH_CONTENT = """
RunWorkflow:Support SERVER
  input.mime_type: 'text/plain'
  input.value: 'Why?'
  output.mime_type: 'text/plain'
  output.value: "Re: Why?; ['CATS']; Re: dogs; ['hurry', 'too slow']"
  HandleSignal:note SERVER
    input.mime_type: 'text/plain'
    input.value: 'hurry'
    output.mime_type: 'application/json'
    output.value: 'null'
  StartActivity:classify CLIENT
    input.mime_type: 'text/plain'
    input.value: 'Why?'
    output.mime_type: 'text/plain'
    output.value: 'Re: Why?'
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
        input.mime_type: 'application/json'
        input.value: '{"messages":[{"role":"user","content":"Why?"}]}'
        output.mime_type: 'application/json'
        output.value: '{"role":"assistant","content":"Re: Why?"}'
  Timer INTERNAL
  StartActivity:look_up CLIENT
    input.mime_type: 'text/plain'
    input.value: 'cats'
    output.mime_type: 'application/json'
    output.value: '["CATS"]'
    RunActivity:look_up SERVER
      invoke_agent archivist INTERNAL
        execute_tool search INTERNAL
          gen_ai.tool.call.arguments: '{"query":"cats"}'
          gen_ai.tool.call.result: '["CATS"]'
          input.mime_type: 'application/json'
          input.value: '{"query":"cats"}'
          output.mime_type: 'application/json'
          output.value: '["CATS"]'
  StartActivity:flaky CLIENT
    input.mime_type: 'text/plain'
    input.value: 'dogs'
    output.mime_type: 'text/plain'
    output.value: 'Re: dogs'
    RunActivity:flaky SERVER ERROR 'no luck with dogs'
      * exception
        exception.message: 'no luck with dogs'
      chat gpt-4o CLIENT
        input.mime_type: 'application/json'
        input.value: '{"messages":[{"role":"user","content":"dogs"}]}'
        output.mime_type: 'application/json'
        output.value: '{"role":"assistant","content":"Re: dogs"}'
    RunActivity:flaky SERVER
      chat gpt-4o CLIENT
        input.mime_type: 'application/json'
        input.value: '{"messages":[{"role":"user","content":"dogs"}]}'
        output.mime_type: 'application/json'
        output.value: '{"role":"assistant","content":"Re: dogs"}'
  StartActivity:too_slow CLIENT ERROR 'activity StartToClose timeout'
    input.mime_type: 'application/json'
    input.value: 'null'
    output.mime_type: 'application/json'
    output.value: 'null'
    * exception
      exception.message: 'activity StartToClose timeout'
    RunActivity:too_slow SERVER
"""


async def test_without_content(temporal_server: str) -> None:
    trace, _ = await support(temporal_server, OFF)
    assert written(trace.spans) == WITHOUT_CONTENT


async def test_with_content_the_same_and_inputs_and_outputs(temporal_server: str) -> None:
    trace, _ = await support(temporal_server, ON)
    assert written(trace.spans, *CONTENT) == WITH_CONTENT


async def test_without_a_cache_every_task_replays_and_the_trace_is_the_same(temporal_server: str) -> None:
    trace, _ = await support(temporal_server, OFF, max_cached_workflows=0)
    assert written(trace.spans) == WITHOUT_CONTENT
    assert len({span.span_id for span in trace.spans}) == len(trace.spans)


@dataclass
class SupportRun:
    """A run of `Support`, for several tests to look at."""

    trace: Trace
    workflow_id: str
    run_id: str
    history: WorkflowHistory


@pytest.fixture(scope="module")
def run(temporal_server: str) -> SupportRun:
    async def once() -> SupportRun:
        trace, handle = await support(temporal_server)
        return SupportRun(trace, handle.id, handle.first_execution_run_id or "", await handle.fetch_history())

    return asyncio.run(once())


def test_every_span_repeats_the_run(run: SupportRun) -> None:
    repeated = {
        "temporalWorkflowID": run.workflow_id,
        "temporalRunID": run.run_id,
        "temporal.namespace": "default",
        "temporal.workflow.type": "Support",
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "user.id": "ada",
        "tag.tags": ("beta", "eu"),
        "langfuse.trace.tags": ("beta", "eu"),
    }
    assert [{key: span.attributes.get(key) for key in repeated} for span in run.trace.spans] == [repeated] * 17


def test_ids_follow_from_the_run_id(run: SupportRun) -> None:
    root = run.trace.span("RunWorkflow:Support")
    assert (root.trace_id, root.span_id, root.parent_id) == (run_trace_id(run.run_id), run_span_id(run.run_id), None)
    assert {span.trace_id for span in run.trace.spans} == {root.trace_id}
    assert len({span.span_id for span in run.trace.spans}) == len(run.trace.spans)


def test_times_are_the_servers(run: SupportRun) -> None:
    events: defaultdict[str | None, list[HistoryEvent]] = defaultdict(list)
    for event in run.history.events:
        events[(event.WhichOneof("attributes") or "").removesuffix("_event_attributes")].append(event)

    def time(kind: str, nth: int) -> int:
        return events[kind][nth].event_time.ToNanoseconds()

    def time_us(kind: str, nth: int) -> int:
        return time(kind, nth) // 1_000 * 1_000

    root, step, attempt, timer = (
        run.trace.span(name)
        for name in ("RunWorkflow:Support", "StartActivity:classify", "RunActivity:classify", "Timer")
    )
    assert (root.start, root.end) == (time_us("workflow_execution_started", 0), time("workflow_task_started", -1))
    # A step is issued in one workflow task, and ends in the one that brings its result.
    assert (step.start, step.end) == (time_us("workflow_task_started", 0), time("workflow_task_started", 1))
    assert (timer.start, timer.end) == (time_us("workflow_task_started", 1), time("workflow_task_started", 2))
    assert attempt.start == time_us("activity_task_started", 0)
    queued = time_us("activity_task_started", 0) - time_us("activity_task_scheduled", 0)
    assert attempt.attributes["temporal.queue_time"] == queued / 1e9
    assert root.attributes["temporal.history_length"] == events["workflow_task_started"][-1].event_id


def test_each_attempt_has_the_time_that_it_waited(run: SupportRun) -> None:
    assert [
        (span.name, span.attributes["temporal.attempt"], "temporal.queue_time" in span.attributes)
        for span in run.trace.spans
        if span.name.startswith("RunActivity:")
    ] == [
        ("RunActivity:classify", 1, True),
        ("RunActivity:look_up", 1, True),
        ("RunActivity:flaky", 1, True),
        ("RunActivity:flaky", 2, True),
        ("RunActivity:too_slow", 1, True),
    ]


async def test_replaying_the_history_emits_nothing(run: SupportRun) -> None:
    with capture() as traces:
        for _ in range(10):
            await Replayer(workflows=WORKFLOWS, plugins=[traces.plugin]).replay_workflow(run.history)
    assert traces.spans == ()


async def test_replaying_a_history_that_is_not_finished_emits_nothing(run: SupportRun) -> None:
    events = run.history.events
    cuts = [n for n, event in enumerate(events, 1) if event.HasField("workflow_task_started_event_attributes")]
    with capture() as traces:
        replayer = Replayer(workflows=WORKFLOWS, plugins=[traces.plugin])
        for cut in cuts:
            await replayer.replay_workflow(WorkflowHistory(run.workflow_id, events[:cut]))
    assert len(cuts) == 6
    assert traces.spans == ()


async def test_without_a_session_the_workflow_id_is_one(temporal_server: str) -> None:
    async with live(temporal_server) as running:
        handle = await running.start(Echo.run, "Why?")
        await handle.result()
    trace = await running.traces.of(handle)
    assert {span.attributes["session.id"] for span in trace.spans} == {handle.id}


async def test_a_query_emits_nothing(temporal_server: str) -> None:
    async with live(temporal_server) as running:
        handle = await running.start(Echo.run, "Why?")
        await handle.result()
        trace = await running.traces.of(handle)
        await handle.query("__stack_trace")
    assert await running.traces.of(handle) == trace

"""The trace of a run, whole, as its worker saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from temporalio.worker import Replayer

from tests.e2e.gates import gates
from tests.e2e.live import OFF, ON, live, written
from tests.e2e.live_workflows import WORKFLOWS, Echo, Support
from tracing import TracingConfig, TracingPlugin, conventions, session
from tracing.identity import run_span_id, run_trace_id

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

    from tracing.testing import Trace

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


async def support(address: str, config: TracingConfig = OFF, **worker: int) -> tuple[Trace, WorkflowHandle[Any, Any]]:
    """Run `Support` with a signal at its start, in a session."""
    async with live(address, config=config, **worker) as running:
        with session(id="chat-17", user="ada", tags=["beta", "eu"]):
            handle = await running.start(Support.run, "Why?", start_signal="note", start_signal_args=["hurry"])
        assert await handle.result() == "Re: Why?; ['CATS']; Re: dogs; ['hurry', 'too slow']"
        # The attempt that came too late ends now: the server does not want it, the live trace shows it.
        gates[f"{handle.id}/too_slow"].open()
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


async def test_every_span_repeats_the_run(temporal_server: str) -> None:
    trace, handle = await support(temporal_server)
    repeated = {
        "temporalWorkflowID": handle.id,
        "temporalRunID": handle.first_execution_run_id,
        "temporal.namespace": "default",
        "temporal.workflow.type": "Support",
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "user.id": "ada",
        "tag.tags": ("beta", "eu"),
        "langfuse.trace.tags": ("beta", "eu"),
    }
    assert [{key: span.attributes.get(key) for key in repeated} for span in trace.spans] == [repeated] * 17


async def test_ids_follow_from_the_run_id(temporal_server: str) -> None:
    trace, handle = await support(temporal_server)
    run_id = handle.first_execution_run_id
    assert run_id
    root = trace.span("RunWorkflow:Support")
    assert (root.trace_id, root.span_id, root.parent_id) == (run_trace_id(run_id), run_span_id(run_id), None)
    assert {span.trace_id for span in trace.spans} == {root.trace_id}


async def test_times_are_the_servers(temporal_server: str) -> None:
    trace, handle = await support(temporal_server)
    history = await handle.fetch_history()
    times = {event.event_id: event.event_time.ToNanoseconds() for event in history.events}
    run, step, attempt, timer = (
        trace.span(name) for name in ("RunWorkflow:Support", "StartActivity:classify", "RunActivity:classify", "Timer")
    )

    def to_us(event_id: int) -> int:
        return times[event_id] // 1_000 * 1_000

    kinds = {event.event_id: event.WhichOneof("attributes") for event in history.events}
    found = {kind: [i for i, k in kinds.items() if k.startswith(kind)] for kind in set(kinds.values())}
    tasks = found["workflow_task_started_event_attributes"]
    [scheduled, *_] = found["activity_task_scheduled_event_attributes"]
    [started, *_] = found["activity_task_started_event_attributes"]
    # A step is issued in a workflow task, and ends in the one that brings its result.
    assert (run.start, run.end) == (to_us(1), times[tasks[-1]])
    assert (step.start, step.end) == (to_us(tasks[0]), times[tasks[1]])
    assert (timer.start, timer.end) == (to_us(tasks[1]), times[tasks[2]])
    assert attempt.start == to_us(started)
    assert attempt.attributes["temporal.queue_time"] == pytest.approx((to_us(started) - to_us(scheduled)) / 1e9)
    assert run.attributes["temporal.history_length"] == tasks[-1]


async def test_only_first_attempts_have_a_queue_time(temporal_server: str) -> None:
    trace, _ = await support(temporal_server)
    assert [
        (span.name, span.attributes["temporal.attempt"], "temporal.queue_time" in span.attributes)
        for span in trace.spans
        if span.name.startswith("RunActivity:")
    ] == [
        ("RunActivity:classify", 1, True),
        ("RunActivity:look_up", 1, True),
        ("RunActivity:flaky", 1, True),
        ("RunActivity:flaky", 2, False),
        ("RunActivity:too_slow", 1, True),
    ]


async def test_without_a_session_the_workflow_id_is_one(temporal_server: str) -> None:
    async with live(temporal_server) as running:
        handle = await running.start(Echo.run, "Why?")
        await handle.result()
    trace = await running.traces.of(handle)
    assert {span.attributes["session.id"] for span in trace.spans} == {handle.id}


async def test_replaying_the_history_emits_nothing(temporal_server: str) -> None:
    async with live(temporal_server, config=OFF) as running:
        handle = await running.start(Support.run, "Why?", start_signal="note", start_signal_args=["hurry"])
        await handle.result()
        gates[f"{handle.id}/too_slow"].open()
        history = await handle.fetch_history()
    before = running.traces.spans
    for _ in range(10):
        replayer = Replayer(workflows=WORKFLOWS, plugins=[TracingPlugin(OFF, tracer_provider=running.traces.provider)])
        await replayer.replay_workflow(history)
    assert running.traces.spans == before


async def test_a_query_emits_nothing(temporal_server: str) -> None:
    async with live(temporal_server) as running:
        handle = await running.start(Echo.run, "Why?")
        await handle.result()
        trace = await running.traces.of(handle)
        await handle.query("__stack_trace")
    assert await running.traces.of(handle) == trace

"""Whole traces from histories written by hand; each is converted as JSON, as protobuf and from the SDK's object."""

from __future__ import annotations

from typing import Any

from tests.history.recording import (
    RUN_ID,
    START_US,
    Recording,
    failure,
    ledger,
    our_header,
    payload,
    step_header,
    tree,
)
from tests.rendering import render
from tracing import conventions as c
from tracing.identity import attempt_span_id, run_span_id, run_trace_id, step_span_id

RUN = {c.RUN_STATUS, c.EVENT_IDS, c.HISTORY_LENGTH, c.ERROR_TYPE, c.EXCEPTION_TYPE, c.EXCEPTION_MESSAGE, c.UNCLOSED}


def test_a_run_with_a_failed_attempt_and_ledgers() -> None:
    recording = Recording(header=our_header(session="s-1", tags=("red",)), input={"payloads": [payload('{"topic":1}')]})
    task = recording.task(ms=2)
    activity = recording.activity(task, ms=5, header=step_header("1"), input={"payloads": [payload('"plan"')]})
    recording.attempt(activity, 2, ms=40, last_failure=failure("no credit", stored_ledger=ledger(1, 10, 5)))
    recording.complete_activity(activity, payload('"ok"', **{c.HEADER: ledger(2, 40, 9)}), ms=50)
    recording.task(ms=52)
    recording.complete(payload('{"done":true}'), ms=54)

    assert render(recording.spans(content=True)) == tree("""
    RunWorkflow:Research SERVER 0..54 ms
      durable.llm.cached_input_tokens: 0
      durable.llm.calls: 1
      durable.llm.cost: 0.25
      durable.llm.input_tokens: 102
      durable.llm.output_tokens: 12
      durable.llm.reasoning_tokens: 0
      durable.llm.unknown_cost_calls: 0
      input.mime_type: 'application/json'
      input.value: '{"topic":1}'
      output.mime_type: 'application/json'
      output.value: '{"done":true}'
      temporal.attempt: 1
      temporal.event_ids: '1-4,8-11'
      temporal.history_length: 9
      temporal.run.status: 'completed'
      temporal.task_queue: 'queue'
      temporal.worker.identity: 'worker-1'
      StartActivity:call_llm CLIENT 2..50 ms
        durable.llm.cached_input_tokens: 0
        durable.llm.calls: 1
        durable.llm.cost: 0.25
        durable.llm.input_tokens: 102
        durable.llm.output_tokens: 12
        durable.llm.reasoning_tokens: 0
        durable.llm.unknown_cost_calls: 0
        input.mime_type: 'text/plain'
        input.value: 'plan'
        output.mime_type: 'text/plain'
        output.value: 'ok'
        temporal.activity.type: 'call_llm'
        temporal.attempts: 2
        temporal.event_ids: '5-7'
        temporal.max_attempts: 3
        temporal.task_queue: 'queue'
        temporalActivityID: '1'
        RunActivity:call_llm SERVER ERROR 'no credit' 10..15 ms
          durable.llm.cached_input_tokens: 0
          durable.llm.calls: 1
          durable.llm.cost: 0.25
          durable.llm.input_tokens: 101
          durable.llm.output_tokens: 11
          durable.llm.reasoning_tokens: 0
          durable.llm.unknown_cost_calls: 0
          error.type: 'RateLimit'
          temporal.activity.type: 'call_llm'
          temporal.attempt: 1
          temporal.event_ids: '6'
          temporal.max_attempts: 3
          temporal.queue_time: 0.005
          temporal.task_queue: 'queue'
          temporal.worker.identity: 'worker-1'
          temporalActivityID: '1'
          * exception 15 ms
            exception.message: 'no credit'
            exception.stacktrace: 'at line 7'
            exception.type: 'RateLimit'
          chat gpt-4o CLIENT 11..12 ms
            durable.cost.usd: 0.25
            gen_ai.operation.name: 'chat'
            gen_ai.request.model: 'gpt-4o'
            gen_ai.usage.input_tokens: 101
            gen_ai.usage.output_tokens: 11
            langfuse.observation.cost_details: '{"total":0.25}'
            langfuse.observation.usage_details: '{"input":101,"output":11,"total":112}'
            temporal.event_ids: '6'
            temporalActivityID: '1'
        RunActivity:call_llm SERVER 40..49 ms
          durable.llm.cached_input_tokens: 0
          durable.llm.calls: 1
          durable.llm.cost: 0.25
          durable.llm.input_tokens: 102
          durable.llm.output_tokens: 12
          durable.llm.reasoning_tokens: 0
          durable.llm.unknown_cost_calls: 0
          temporal.activity.type: 'call_llm'
          temporal.attempt: 2
          temporal.event_ids: '6-7'
          temporal.last_failure.type: 'RateLimit'
          temporal.max_attempts: 3
          temporal.task_queue: 'queue'
          temporal.worker.identity: 'worker-2'
          temporalActivityID: '1'
          chat gpt-4o CLIENT 41..42 ms
            durable.cost.usd: 0.25
            gen_ai.operation.name: 'chat'
            gen_ai.request.model: 'gpt-4o'
            gen_ai.usage.input_tokens: 102
            gen_ai.usage.output_tokens: 12
            langfuse.observation.cost_details: '{"total":0.25}'
            langfuse.observation.usage_details: '{"input":102,"output":12,"total":114}'
            temporal.event_ids: '6-7'
            temporalActivityID: '1'
    """)


def test_ids_and_repeated_attributes() -> None:
    recording = Recording(header=our_header(session="s-1", user="u-1", tags=("red",)))
    activity = recording.activity(recording.task(ms=2), header=step_header("1"))
    recording.attempt(activity, ms=10)
    recording.complete_activity(activity, payload(**{c.HEADER: ledger(1, 10, 5)}))

    run, step, attempt, call = recording.spans()

    assert {span.trace_id for span in (run, step, attempt, call)} == {run_trace_id(RUN_ID)}
    assert (run.span_id, run.parent_id) == (run_span_id(RUN_ID), None)
    assert (step.span_id, step.parent_id) == (step_span_id(RUN_ID, "activity", "1"), run.span_id)
    assert attempt.span_id == attempt_span_id(RUN_ID, "1", 1, START_US + 10_000)
    assert attempt.parent_id == step.span_id
    assert (call.span_id, call.parent_id) == (1, attempt.span_id)
    repeated = {
        "temporalWorkflowID": "wf",
        "temporalRunID": RUN_ID,
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "session.id": "s-1",
        "gen_ai.conversation.id": "s-1",
        "user.id": "u-1",
        "tag.tags": ("red",),
        "langfuse.trace.tags": ("red",),
    }
    for span in (run, step, attempt, call):
        assert span.attributes.items() >= repeated.items()
        assert span.resource == {"service.name": "agents"}


def test_content_is_off_by_default() -> None:
    recording = Recording(input={"payloads": [payload('"secret"')]})
    activity = recording.activity(recording.task(ms=2), input={"payloads": [payload('"secret"')]})
    recording.attempt(activity)
    recording.add(
        "activity_task_failed", scheduled_event_id=activity, failure=failure("secret", stored_ledger=ledger(1, 5, 1))
    )
    recording.add("workflow_execution_failed", failure=failure("secret"))

    assert "secret" not in repr(recording.spans())


def test_timers_and_signals() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    short = recording.add(
        "timer_started", timer_id="1", start_to_fire_timeout={"seconds": 1}, workflow_task_completed_event_id=task
    )
    long = recording.add(
        "timer_started", timer_id="2", start_to_fire_timeout={"seconds": 60}, workflow_task_completed_event_id=task
    )
    recording.add("timer_fired", timer_id="1", started_event_id=short, ms=1002)
    hurry = {"payloads": [payload('"now"')]}
    recording.add("workflow_execution_signaled", signal_name="hurry", input=hurry, ms=1003)
    scheduled = recording.add("workflow_task_scheduled")
    started = recording.add("workflow_task_started", scheduled_event_id=scheduled, ms=1005)
    recording.add("workflow_execution_signaled", signal_name="buffered", ms=1006)
    recording.add(
        "workflow_task_failed",
        scheduled_event_id=scheduled,
        started_event_id=started,
        cause="WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND",
        ms=1007,
    )
    task = recording.task(ms=1010)
    recording.add("timer_canceled", timer_id="2", started_event_id=long, workflow_task_completed_event_id=task)
    recording.complete(ms=1012)
    recording.add("workflow_execution_signaled", signal_name="too late", ms=1013)
    shown = {c.TIMER_ID, c.TIMER_TIMEOUT, c.TIMER_CANCELED, c.SIGNAL_NAME, c.EVENT_IDS, c.INPUT_VALUE, c.CAUSE}

    assert render(recording.spans(content=True), only=shown) == tree("""
    RunWorkflow:Research SERVER 0..1012 ms
      input.value: 'null'
      temporal.event_ids: '1-4,9-10,12-15,17-18'
      * WorkflowTaskFailed 1007 ms
        temporal.cause: 'UNHANDLED_COMMAND'
        temporal.event_ids: '12'
      * WorkflowExecutionSignaled 1013 ms
        temporal.event_ids: '18'
        temporal.signal.name: 'too late'
      Timer INTERNAL 2..1002 ms
        temporal.event_ids: '5,7'
        temporal.timer.id: '1'
        temporal.timer.timeout: 1.0
      Timer INTERNAL 2..1012 ms
        temporal.event_ids: '6,16'
        temporal.timer.canceled: True
        temporal.timer.id: '2'
        temporal.timer.timeout: 60.0
      HandleSignal:buffered SERVER 1010..1010 ms
        input.value: 'null'
        temporal.event_ids: '11'
        temporal.signal.name: 'buffered'
      HandleSignal:hurry SERVER 1010..1010 ms
        input.value: 'now'
        temporal.event_ids: '8'
        temporal.signal.name: 'hurry'
    """)


def test_a_run_that_goes_on() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    recording.activity(task, ms=4)
    recording.add("timer_started", timer_id="1", workflow_task_completed_event_id=task)

    assert render(recording.spans(), only=RUN) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.event_ids: '1-4'
      temporal.history_length: 3
      temporal.run.status: 'running'
      StartActivity:call_llm CLIENT 2.. ms
        durable.unclosed: True
        temporal.event_ids: '5'
      Timer INTERNAL 2.. ms
        durable.unclosed: True
        temporal.event_ids: '6'
    """)


def test_how_runs_end() -> None:
    ends: dict[str, dict[str, Any]] = {
        "workflow_execution_completed": {"result": {"payloads": [payload('"yes"')]}},
        "workflow_execution_failed": {"failure": failure("no credit")},
        "workflow_execution_canceled": {},
        "workflow_execution_terminated": {"reason": "enough"},
        "workflow_execution_timed_out": {},
        "workflow_execution_continued_as_new": {
            "input": {"payloads": [payload('"next"')]},
            "new_execution_run_id": "next-run",
        },
    }
    trees = []
    for event, attributes in ends.items():
        recording = Recording()
        recording.task(ms=2)
        recording.add(event, ms=9, **attributes)
        trees.append(render(recording.spans(content=True), only=RUN - {c.EVENT_IDS} | {c.OUTPUT_VALUE}))

    assert "\n".join(trees) == tree("""
    RunWorkflow:Research SERVER 0..9 ms
      output.value: 'yes'
      temporal.history_length: 3
      temporal.run.status: 'completed'
    RunWorkflow:Research SERVER ERROR 'no credit' 0..9 ms
      error.type: 'RateLimit'
      output.value: 'null'
      temporal.history_length: 3
      temporal.run.status: 'failed'
      * exception 9 ms
        exception.message: 'no credit'
        exception.type: 'RateLimit'
    RunWorkflow:Research SERVER 0..9 ms
      output.value: 'null'
      temporal.history_length: 3
      temporal.run.status: 'canceled'
    RunWorkflow:Research SERVER ERROR 'enough' 0..9 ms
      error.type: 'TerminatedError'
      output.value: 'null'
      temporal.history_length: 3
      temporal.run.status: 'terminated'
      * exception 9 ms
        exception.message: 'enough'
        exception.type: 'TerminatedError'
    RunWorkflow:Research SERVER ERROR 0..9 ms
      error.type: 'TimeoutError'
      output.value: 'null'
      temporal.history_length: 3
      temporal.run.status: 'timed_out'
      * exception 9 ms
        exception.type: 'TimeoutError'
    RunWorkflow:Research SERVER 0..9 ms
      output.value: 'next'
      temporal.history_length: 3
      temporal.run.status: 'continued_as_new'
    """)


def test_clocks_that_run_backwards_give_no_negative_durations() -> None:
    recording = Recording()
    task = recording.task(ms=20)
    activity = recording.activity(task, ms=18)
    timer = recording.add("timer_started", timer_id="1", workflow_task_completed_event_id=task, ms=18)
    recording.attempt(activity, ms=15)
    recording.complete_activity(activity, payload(), ms=14)
    recording.add("timer_fired", timer_id="1", started_event_id=timer, ms=13)
    recording.complete(ms=-5)

    assert render(recording.spans(), only=set()) == tree("""
    RunWorkflow:Research SERVER 0..0 ms
      StartActivity:call_llm CLIENT 20..20 ms
        RunActivity:call_llm SERVER 15..15 ms
      Timer INTERNAL 20..20 ms
    """)

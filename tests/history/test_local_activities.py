"""The local activities of a run: whole traces from histories written by hand.

Their markers are as the SDK's Core writes them.
"""

from __future__ import annotations

import json

import pytest

from tests.history.local_markers import marker, ran
from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, failure, payload, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.identity import run_trace_id, step_span_id
from tracing.spans.model import Link

TOLD = {
    c.ACTIVITY_ID,
    c.ATTEMPT,
    c.ATTEMPTS,
    c.ERROR_TYPE,
    c.EVENT_IDS,
    c.LLM_CALLS,
    c.QUEUE_TIME,
    c.RETRY_STATE,
    c.REUSED,
    c.UNCLOSED,
    c.WORKER_IDENTITY,
}


def test_without_a_ledger_it_lasts_from_its_task_to_its_complete_time_and_has_no_attempt() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    marker(recording, task, ms=9, complete=7, result=payload('"CATS"'))
    _, step = recording.spans(content=True)

    assert render([step]) == tree(f"""
    StartActivity:look_up CLIENT 0..5 ms (parent {step.parent_id:016x})
      input.mime_type: 'application/json'
      input.value: 'null'
      output.mime_type: 'text/plain'
      output.value: 'CATS'
      temporal.activity.type: 'look_up'
      temporal.event_ids: '5'
      temporal.local: True
      temporal.task_queue: 'queue'
      temporalActivityID: '1'
    """)
    assert step.span_id == step_span_id(RUN_ID, "local_activity", "1")


def test_with_a_ledger_its_times_are_the_workers_own_and_what_was_in_it_is_there() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    data = ran(scheduled=2.5, started=3, took=4)
    marker(recording, task, ms=9, complete=7, result=payload(**{c.HEADER: data}))

    assert render(recording.spans(), only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.llm.calls: 1
      durable.unclosed: True
      temporal.attempt: 1
      temporal.event_ids: '1-4'
      temporal.worker.identity: 'worker-1'
      StartActivity:look_up CLIENT 2.5..7 ms
        durable.llm.calls: 1
        temporal.attempts: 1
        temporal.event_ids: '5'
        temporalActivityID: '1'
        RunActivity:look_up SERVER 3..7 ms
          durable.llm.calls: 1
          temporal.attempt: 1
          temporal.event_ids: '5'
          temporal.queue_time: 0.0005
          temporal.worker.identity: 'worker-1'
          temporalActivityID: '1'
          chat gpt-4o INTERNAL 3..7 ms
            temporal.event_ids: '5'
            temporalActivityID: '1'
    """)


def test_one_that_failed_and_one_that_was_cancelled() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    data = ran(scheduled=2.5, started=3, took=4, attempt=3)
    marker(recording, task, ms=9, complete=7, attempt=3, failed=failure("no credit", stored_ledger=data))
    marker(recording, task, "2", ms=10, attempt=0, failed={"canceled_failure_info": {}})

    assert render(recording.spans(), only=TOLD - {c.LLM_CALLS, c.WORKER_IDENTITY}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.attempt: 1
      temporal.event_ids: '1-4'
      StartActivity:look_up CLIENT 2..10 ms
        error.type: 'CanceledError'
        temporal.event_ids: '6'
        temporalActivityID: '2'
      StartActivity:look_up CLIENT ERROR 2.5..7 ms
        error.type: 'RateLimit'
        temporal.attempts: 3
        temporal.event_ids: '5'
        temporalActivityID: '1'
        * exception 7 ms
        RunActivity:look_up SERVER ERROR 3..7 ms
          error.type: 'RateLimit'
          temporal.attempt: 3
          temporal.event_ids: '5'
          temporalActivityID: '1'
          * exception 7 ms
          chat gpt-4o INTERNAL 3..7 ms
            temporal.event_ids: '5'
            temporalActivityID: '1'
    """)


def test_tries_that_backed_off_are_one_step_under_the_first_ones_id() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    first = ran(scheduled=3, started=4, took=1)
    marker(
        recording,
        task,
        ms=6,
        complete=5,
        scheduled=2.9,
        backoff=True,
        failed=failure("no credit", stored_ledger=first),
    )
    timer = recording.add("timer_started", timer_id="1", workflow_task_completed_event_id=task)
    recording.add("timer_fired", timer_id="1", started_event_id=timer, ms=60_010)
    task = recording.task(ms=60_012)
    last = ran("2", scheduled=60_013, started=60_014, took=1, attempt=2)
    result = payload(**{c.HEADER: last})
    marker(recording, task, "2", complete=60_015, scheduled=2.9, attempt=2, result=result)

    assert render(recording.spans(), only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.llm.calls: 1
      durable.unclosed: True
      temporal.attempt: 1
      temporal.event_ids: '1-4,8-10'
      temporal.worker.identity: 'worker-1'
      Timer INTERNAL 2..60010 ms
        temporal.event_ids: '6-7'
      StartActivity:look_up CLIENT 2.9..60015 ms
        durable.llm.calls: 1
        temporal.attempts: 2
        temporal.event_ids: '5,11'
        temporalActivityID: '1'
        RunActivity:look_up SERVER ERROR 4..5 ms
          durable.llm.calls: 1
          error.type: 'RateLimit'
          temporal.attempt: 1
          temporal.event_ids: '5'
          temporal.queue_time: 0.001
          temporal.worker.identity: 'worker-1'
          temporalActivityID: '1'
          * exception 5 ms
          chat gpt-4o INTERNAL 4..5 ms
            temporal.event_ids: '5'
            temporalActivityID: '1'
        RunActivity:look_up SERVER 60014..60015 ms
          durable.llm.calls: 1
          temporal.attempt: 2
          temporal.event_ids: '11'
          temporal.worker.identity: 'worker-1'
          temporalActivityID: '2'
          chat gpt-4o INTERNAL 60014..60015 ms
            temporal.event_ids: '11'
            temporalActivityID: '2'
    """)
    step = recording.spans()[1]
    assert step.span_id == step_span_id(RUN_ID, "local_activity", "1")


def test_one_that_backed_off_ends_with_the_run() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    marker(recording, task, complete=5, scheduled=2.9, backoff=True, failed=failure("no credit"))
    recording.complete(ms=30)

    assert render(recording.spans(), only={c.UNCLOSED, c.ERROR_TYPE}) == tree("""
    RunWorkflow:Research SERVER 0..30 ms
      StartActivity:look_up CLIENT 2.9..30 ms
        durable.unclosed: True
    """)


def test_two_of_one_type_scheduled_at_one_time_are_two_steps_where_none_backed_off() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    marker(recording, task, "1", complete=5)
    marker(recording, task, "2", complete=6)
    marker(recording, task, "2", complete=7)

    assert [span.span_id for span in recording.spans()[1:]] == [
        step_span_id(RUN_ID, "local_activity", "1"),
        step_span_id(RUN_ID, "local_activity", "2"),
        step_span_id(RUN_ID, "local_activity", "2", 2),
    ]


def test_one_longer_than_a_workflow_task_began_with_the_first_of_the_tasks_that_kept_it_alive() -> None:
    recording = Recording()
    recording.task(ms=2)
    recording.task(ms=8_000)
    task = recording.task(ms=16_000)
    marker(recording, task, ms=17_000, complete=16_900, result=payload())
    recording.activity(task)

    assert render(recording.spans(), only={c.EVENT_IDS}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      temporal.event_ids: '1-10'
      StartActivity:call_llm CLIENT 2.. ms
        temporal.event_ids: '12'
      StartActivity:look_up CLIENT 2..16900 ms
        temporal.event_ids: '11'
    """)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"\x00",
        ran("another", scheduled=3, started=3, took=1),
        ran(run_id="another", scheduled=3, started=3, took=1),
    ],
    ids=["empty", "broken", "of another activity", "of another run"],
)
def test_a_ledger_that_belongs_elsewhere_is_ignored(data: bytes) -> None:
    recording = Recording()
    task = recording.task(ms=2)
    marker(recording, task, ms=9, complete=7, result=payload(**{c.HEADER: data}))

    assert render(recording.spans(), only={c.LLM_CALLS}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      StartActivity:look_up CLIENT 2..7 ms
    """)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[]",
        "{}",
        '{"activity_id":""}',
        '{"activity_id":7}',
        '{"activity_id":"1","complete_time":{"seconds":"soon"}}',
        "[" * 100_000,
    ],
)
def test_a_broken_marker_is_an_event_of_the_run(data: str) -> None:
    recording = Recording()
    task = recording.task(ms=2)
    recording.add(
        "marker_recorded",
        marker_name="core_local_activity",
        details={"data": {"payloads": [payload(data)]}},
        workflow_task_completed_event_id=task,
    )

    assert render(recording.spans(), only={c.MARKER_NAME}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      * MarkerRecorded 4 ms
        temporal.marker.name: 'core_local_activity'
    """)


@pytest.mark.parametrize("seconds", [-1, 1 << 62, -(1 << 62)])
def test_impossible_times_are_clamped(seconds: int) -> None:
    recording = Recording()
    task = recording.task(ms=2)
    text = {"activity_id": "1", "activity_type": "look_up", "complete_time": {"seconds": seconds, "nanos": -5}}
    recording.add(
        "marker_recorded",
        marker_name="core_local_activity",
        details={"data": {"payloads": [payload(json.dumps(text))]}},
        workflow_task_completed_event_id=task,
    )
    _, step = recording.spans()

    assert step.start <= (step.end or 0) < 1 << 63


def test_a_reset_takes_over_what_had_ended() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID, first_execution_run_id=BASE_RUN_ID)
    task = recording.task(ms=2)
    data = ran(scheduled=2.5, started=3, took=4, run_id=BASE_RUN_ID)
    marker(recording, task, complete=7, result=payload(**{c.HEADER: data}))
    recording.reset()
    run, step = recording.spans()

    assert (step.attributes[c.REUSED], c.LLM_CALLS in step.attributes, c.LLM_CALLS in run.attributes) == (
        True,
        False,
        False,
    )
    base = step_span_id(BASE_RUN_ID, "local_activity", "1")
    assert step.links == (Link(run_trace_id(BASE_RUN_ID), base, {c.RUN_ID: BASE_RUN_ID}),)

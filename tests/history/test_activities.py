"""How activities end: whole traces from histories written by hand."""

from __future__ import annotations

from tests.history.recording import (
    RUN_ID,
    Recording,
    failure,
    ledger,
    payload,
    step_header,
    tree,
)
from tests.rendering import render
from tracing import conventions as c
from tracing.identity import run_span_id, step_span_id

ACTIVITY = {
    c.ACTIVITY_ID,
    c.ATTEMPT,
    c.ATTEMPTS,
    c.WORKER_IDENTITY,
    c.EVENT_IDS,
    c.QUEUE_TIME,
    c.LLM_CALLS,
    c.INPUT_TOKENS,
    c.ERROR_TYPE,
    c.TIMEOUT_TYPE,
    c.RETRY_STATE,
    c.EXCEPTION_TYPE,
    c.UNCLOSED,
}


def test_activities_that_fail_time_out_and_share_an_id() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    first, second, failed, slow, late = (
        recording.activity(task, key, ms=4) for key in ("same", "same", "failed", "slow", "late")
    )
    recording.attempt(second, ms=10)
    recording.complete_activity(second, payload(), ms=11)
    recording.attempt(first, ms=12)
    recording.complete_activity(first, payload(), ms=13)
    recording.attempt(failed, ms=14)
    recording.add(
        "activity_task_failed",
        ms=15,
        scheduled_event_id=failed,
        failure=failure("no credit"),
        retry_state="RETRY_STATE_NON_RETRYABLE_FAILURE",
    )
    recording.attempt(slow, 2, ms=20, last_failure=failure("without times, so without a span"))
    recording.add(
        "activity_task_timed_out",
        ms=30,
        scheduled_event_id=slow,
        failure={"timeout_failure_info": {"timeout_type": "TIMEOUT_TYPE_START_TO_CLOSE"}},
        retry_state="RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED",
    )
    recording.add(
        "activity_task_timed_out",
        ms=31,
        scheduled_event_id=late,
        failure={
            "timeout_failure_info": {"timeout_type": "TIMEOUT_TYPE_SCHEDULE_TO_CLOSE"},
            "cause": failure("no credit", stored_ledger=ledger(2, 15, 4, activity_id="late")),
        },
        retry_state="RETRY_STATE_TIMEOUT",
    )
    recording.complete(ms=40)
    spans = recording.spans()

    assert render(spans, only=ACTIVITY) == tree("""
    RunWorkflow:Research SERVER 0..40 ms
      temporal.attempt: 1
      temporal.event_ids: '1-4,19'
      temporal.worker.identity: 'worker-1'
      StartActivity:call_llm CLIENT ERROR 2..15 ms
        error.type: 'RateLimit'
        temporal.attempts: 1
        temporal.event_ids: '7,14-15'
        temporal.retry_state: 'NON_RETRYABLE_FAILURE'
        temporalActivityID: 'failed'
        * exception 15 ms
          exception.type: 'RateLimit'
        RunActivity:call_llm SERVER ERROR 14..15 ms
          error.type: 'RateLimit'
          temporal.attempt: 1
          temporal.event_ids: '14-15'
          temporal.queue_time: 0.01
          temporal.worker.identity: 'worker-1'
          temporalActivityID: 'failed'
          * exception 15 ms
            exception.type: 'RateLimit'
      StartActivity:call_llm CLIENT ERROR 2..31 ms
        error.type: 'TimeoutError'
        temporal.event_ids: '9,18'
        temporal.retry_state: 'TIMEOUT'
        temporal.timeout_type: 'SCHEDULE_TO_CLOSE'
        temporalActivityID: 'late'
        * exception 31 ms
          exception.type: 'TimeoutError'
        * exception 31 ms
          exception.type: 'RateLimit'
        RunActivity:call_llm SERVER ERROR 15..19 ms
          durable.llm.calls: 1
          durable.llm.input_tokens: 102
          error.type: 'RateLimit'
          temporal.attempt: 2
          temporal.event_ids: '18'
          temporal.worker.identity: 'worker-2'
          temporalActivityID: 'late'
          * exception 19 ms
            exception.type: 'RateLimit'
          chat gpt-4o CLIENT 16..17 ms
            temporal.event_ids: '18'
            temporalActivityID: 'late'
      StartActivity:call_llm CLIENT 2..11 ms
        temporal.attempts: 1
        temporal.event_ids: '6,10-11'
        temporalActivityID: 'same'
        RunActivity:call_llm SERVER 10..11 ms
          temporal.attempt: 1
          temporal.event_ids: '10-11'
          temporal.queue_time: 0.006
          temporal.worker.identity: 'worker-1'
          temporalActivityID: 'same'
      StartActivity:call_llm CLIENT 2..13 ms
        temporal.attempts: 1
        temporal.event_ids: '5,12-13'
        temporalActivityID: 'same'
        RunActivity:call_llm SERVER 12..13 ms
          temporal.attempt: 1
          temporal.event_ids: '12-13'
          temporal.queue_time: 0.008
          temporal.worker.identity: 'worker-1'
          temporalActivityID: 'same'
      StartActivity:call_llm CLIENT ERROR 2..30 ms
        error.type: 'TimeoutError'
        temporal.attempts: 2
        temporal.event_ids: '8,16-17'
        temporal.retry_state: 'MAXIMUM_ATTEMPTS_REACHED'
        temporal.timeout_type: 'START_TO_CLOSE'
        temporalActivityID: 'slow'
        * exception 30 ms
          exception.type: 'TimeoutError'
        RunActivity:call_llm SERVER ERROR 20..30 ms
          error.type: 'TimeoutError'
          temporal.attempt: 2
          temporal.event_ids: '16-17'
          temporal.timeout_type: 'START_TO_CLOSE'
          temporal.worker.identity: 'worker-2'
          temporalActivityID: 'slow'
          * exception 30 ms
            exception.type: 'TimeoutError'
    """)
    same = [span.span_id for span in spans if span.attributes.get(c.EVENT_IDS) in {"5,12-13", "6,10-11"}]
    assert same == [step_span_id(RUN_ID, "activity", "same", nth) for nth in (1, 2)]


def test_cancelled_activities() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    waited, abandoned, _ = (recording.activity(task, key, ms=4) for key in ("waited", "abandoned", "running"))
    later = recording.task(ms=10)
    recording.add("activity_task_cancel_requested", scheduled_event_id=waited, workflow_task_completed_event_id=later)
    recording.add(
        "activity_task_cancel_requested", scheduled_event_id=abandoned, workflow_task_completed_event_id=later
    )
    recording.attempt(waited, ms=20)
    recording.add("activity_task_canceled", scheduled_event_id=waited, ms=25)
    recording.complete(ms=30)

    assert render(recording.spans(), only=ACTIVITY) == tree("""
    RunWorkflow:Research SERVER 0..30 ms
      temporal.attempt: 1
      temporal.event_ids: '1-4,8-10,15'
      temporal.worker.identity: 'worker-1'
      StartActivity:call_llm CLIENT 2..13 ms
        error.type: 'CanceledError'
        temporal.event_ids: '6,12'
        temporal.retry_state: 'CANCEL_REQUESTED'
        temporalActivityID: 'abandoned'
      StartActivity:call_llm CLIENT 2..30 ms
        durable.unclosed: True
        temporal.event_ids: '7'
        temporalActivityID: 'running'
      StartActivity:call_llm CLIENT 2..25 ms
        error.type: 'CanceledError'
        temporal.attempts: 1
        temporal.event_ids: '5,11,13-14'
        temporal.retry_state: 'CANCEL_REQUESTED'
        temporalActivityID: 'waited'
        RunActivity:call_llm SERVER 20..25 ms
          error.type: 'CanceledError'
          temporal.attempt: 1
          temporal.event_ids: '13-14'
          temporal.queue_time: 0.016
          temporal.worker.identity: 'worker-1'
          temporalActivityID: 'waited'
    """)


def test_a_ledger_that_belongs_elsewhere_is_ignored() -> None:
    for foreign in (
        ledger(1, 10, 1, run_id="another-run"),
        ledger(1, 10, 1, activity_id="another"),
        ledger(2, 10, 1),
        ledger(1, 10, -1),
        ledger(1, -1e13, 1),
        b"{}",
        b"\x00",
    ):
        recording = Recording()
        activity = recording.activity(recording.task(ms=2), ms=4)
        recording.attempt(activity, ms=10)
        recording.complete_activity(activity, payload(**{c.HEADER: foreign}), ms=14)

        assert render(recording.spans(), only={c.LLM_CALLS}) == tree("""
        RunWorkflow:Research SERVER 0.. ms
          StartActivity:call_llm CLIENT 2..14 ms
            RunActivity:call_llm SERVER 10..14 ms
        """)


def _canceled(cancellation: str | None, *, closed: bool = True) -> Recording:
    """An activity of a worker with our header, cancelled at 13 ms; its attempt ends so at 25 ms, where it does."""
    recording = Recording()
    activity = recording.activity(recording.task(ms=2), ms=4, header=step_header("1", cancellation=cancellation))
    later = recording.task(ms=10)
    recording.add(
        "activity_task_cancel_requested",
        ms=13,
        scheduled_event_id=activity,
        workflow_task_completed_event_id=later,
    )
    if closed:
        recording.attempt(activity, ms=20)
        recording.add("activity_task_canceled", scheduled_event_id=activity, ms=25)
    recording.complete(ms=30)
    return recording


def test_our_header_says_when_a_cancelled_activity_was_over_for_the_workflow() -> None:
    steps = {
        (cancellation, closed): render([_canceled(cancellation, closed=closed).spans()[1]], only=ACTIVITY)
        for cancellation in (None, "wait")
        for closed in (True, False)
    }
    parent = run_span_id(RUN_ID)

    # TRY_CANCEL, the default: with the request, whatever becomes of the attempt.
    assert steps[None, True] == tree(f"""
    StartActivity:call_llm CLIENT 0..11 ms (parent {parent:016x})
      error.type: 'CanceledError'
      temporal.attempts: 1
      temporal.event_ids: '5,9-11'
      temporal.retry_state: 'CANCEL_REQUESTED'
      temporalActivityID: '1'
    """)
    assert steps[None, False] == tree(f"""
    StartActivity:call_llm CLIENT 0..11 ms (parent {parent:016x})
      error.type: 'CanceledError'
      temporal.event_ids: '5,9'
      temporal.retry_state: 'CANCEL_REQUESTED'
      temporalActivityID: '1'
    """)
    assert steps["wait", True] == tree(f"""
    StartActivity:call_llm CLIENT 0..23 ms (parent {parent:016x})
      error.type: 'CanceledError'
      temporal.attempts: 1
      temporal.event_ids: '5,9-11'
      temporal.retry_state: 'CANCEL_REQUESTED'
      temporalActivityID: '1'
    """)
    assert steps["wait", False] == tree(f"""
    StartActivity:call_llm CLIENT 0..28 ms (parent {parent:016x})
      durable.unclosed: True
      temporal.event_ids: '5,9'
      temporalActivityID: '1'
    """)


def test_without_a_header_of_ours_one_without_an_end_was_over_where_the_run_went_on_to_its_own() -> None:
    for ends, error in (("workflow_execution_completed", "CanceledError"), ("workflow_execution_terminated", None)):
        recording = Recording()
        activity = recording.activity(recording.task(ms=2))
        recording.add("activity_task_cancel_requested", scheduled_event_id=activity)
        recording.add(ends, ms=30)
        _, step = recording.spans()

        assert (step.attributes.get(c.ERROR_TYPE), c.UNCLOSED in step.attributes) == (error, error is None)


def test_the_number_of_its_use_is_that_of_our_header_which_counts_those_never_sent() -> None:
    recording = Recording()
    other_trace = step_header("plan", trace_id=0xABC, nth=3)  # as after a reset
    recording.activity(recording.task(ms=2), "plan", header=other_trace)
    _, step = recording.spans()

    assert step.span_id == step_span_id(RUN_ID, "activity", "plan", 3)


def test_its_summary_is_content() -> None:
    recording = Recording()
    recording.activity(recording.task(ms=2), summary="Ask the model")

    assert recording.spans(content=True)[1].attributes[c.SUMMARY] == "Ask the model"
    assert c.SUMMARY not in recording.spans()[1].attributes

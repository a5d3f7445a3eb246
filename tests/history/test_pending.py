"""A run still open: what the server tells of the activities that it waits for, as no event does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payloads
from temporalio.api.workflow.v1 import PendingActivityInfo

from tests.cost.writing import written
from tests.history.recording import START_US, Recording, failure, ledger, payload, tree
from tests.rendering import REPEATED, render
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.cost import account
from tracing.history import to_spans
from tracing.history.pending import PendingActivity, pending_from_proto
from tracing.spans.model import Span

_COSTS = {
    key for key in c.REFERENCE if key.startswith(("langfuse.", "durable.cost.", "durable.llm.c", "durable.llm.u"))
}
_COSTS |= {c.REASONING_TOKENS}
HIDDEN = (REPEATED | _COSTS | {c.MAX_ATTEMPTS, c.TASK_QUEUE, c.INPUT_MIME, c.OUTPUT_MIME}) - {c.LLM_CALLS}

STARTED = "PENDING_ACTIVITY_STATE_STARTED"
SCHEDULED = "PENDING_ACTIVITY_STATE_SCHEDULED"


def at(ms: float) -> Timestamp:
    time = Timestamp()
    time.FromMicroseconds(START_US + round(ms * 1000))
    return time


def spans_of(recording: Recording, *pending: PendingActivityInfo, content: bool = False) -> list[Span]:
    history = replace(recording.read(), pending=pending_from_proto(pending))
    return to_spans(history, TracingConfig(capture_content=content))


def waiting(activity_id: str = "1") -> Recording:
    recording = Recording()
    recording.activity(recording.task(ms=2), activity_id, ms=4)
    return recording


def third_try(**fields: Any) -> PendingActivityInfo:
    """The third attempt runs; the second failed after a model call."""
    return PendingActivityInfo(
        **{
            "activity_id": "1",
            "state": STARTED,
            "attempt": 3,
            "scheduled_time": at(100),
            "last_started_time": at(110),
            "last_heartbeat_time": at(150),
            "heartbeat_details": Payloads(payloads=[payload('{"page": 7}')]),
            "last_worker_identity": "worker-3",
            "last_failure": failure("slow down", stored_ledger=ledger(2, 20, 30)),
            **fields,
        }
    )


def test_the_step_shows_how_it_stands_and_a_failed_attempt_with_a_ledger_is_a_span() -> None:
    spans = spans_of(waiting(), third_try(), content=True)
    assert render(spans, hide=HIDDEN) == tree(f"""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      input.value: 'null'
      output.value: 'null'
      temporal.attempt: 1
      temporal.event_ids: '1-4'
      temporal.history_length: 3
      temporal.run.status: 'running'
      temporal.worker.identity: 'worker-1'
      StartActivity:call_llm CLIENT 2.. ms
        durable.unclosed: True
        input.value: 'null'
        output.value: 'null'
        temporal.activity.type: 'call_llm'
        temporal.attempts: 3
        temporal.event_ids: '5'
        temporal.last_failure.message: 'slow down'
        temporal.last_failure.type: 'RateLimit'
        temporal.pending.attempt: 3
        temporal.pending.heartbeat_details: '{{"page": 7}}'
        temporal.pending.heartbeat_time: {START_US + 150_000}
        temporal.pending.scheduled_time: {START_US + 100_000}
        temporal.pending.started_time: {START_US + 110_000}
        temporal.pending.state: 'started'
        temporal.worker.identity: 'worker-3'
        temporalActivityID: '1'
        RunActivity:call_llm SERVER ERROR 'slow down' 20..50 ms
          durable.llm.calls: 1
          durable.llm.input_tokens: 102
          durable.llm.output_tokens: 12
          error.type: 'RateLimit'
          temporal.activity.type: 'call_llm'
          temporal.attempt: 2
          temporal.worker.identity: 'worker-2'
          temporalActivityID: '1'
          * exception 50 ms
            exception.message: 'slow down'
            exception.stacktrace: 'at line 7'
            exception.type: 'RateLimit'
          chat gpt-4o CLIENT 21..22 ms
            gen_ai.operation.name: 'chat'
            gen_ai.request.model: 'gpt-4o'
            gen_ai.usage.input_tokens: 102
            gen_ai.usage.output_tokens: 12
            temporalActivityID: '1'
    """)


def test_what_it_failed_with_and_what_it_said_is_content() -> None:
    step = spans_of(waiting(), third_try())[1]
    content = {c.LAST_FAILURE_MESSAGE, c.PENDING_HEARTBEAT}
    assert not content & step.attributes.keys()
    assert step.attributes[c.LAST_FAILURE] == "RateLimit"

    def redact(key: str, value: str) -> str:
        return "***" if key in content else value

    history = replace(waiting().read(), pending=pending_from_proto([third_try()]))
    step = to_spans(history, TracingConfig(capture_content=True, redact=redact))[1]
    assert {key: step.attributes[key] for key in content} == dict.fromkeys(content, "***")


def test_what_was_spent_so_far_counts_and_what_nobody_knows_is_said() -> None:
    assert written(account(spans_of(waiting(), third_try()))) == (
        "activity:1 call_llm: #2 RateLimit [gpt-4o] missing missing, 1 calls, 102+12 tokens, ≥ 0.25 USD, "
        "waste ≥ 0.25 USD (open)\n"
        "= 1 calls, 102+12 tokens, ≥ 0.25 USD, waste ≥ 0.25 USD, 2 unknown attempts"
    )


def test_an_attempt_that_waits_for_its_turn_has_not_begun() -> None:
    waits = third_try(state=SCHEDULED, scheduled_time=at(300), next_attempt_schedule_time=at(300))
    step = spans_of(waiting(), waits)[1]
    assert (step.attributes[c.ATTEMPTS], step.attributes[c.PENDING_ATTEMPT]) == (2, 3)
    assert (step.attributes[c.PENDING_STATE], step.attributes[c.PENDING_NEXT_TIME]) == (
        "scheduled",
        START_US + 300_000,
    )


@pytest.mark.parametrize(
    ("state", "scheduled", "started", "begun"),
    [
        ("SCHEDULED", 5, 0, 0),
        ("STARTED", 5, 5, 1),
        ("CANCEL_REQUESTED", 5, 6, 1),
        ("CANCEL_REQUESTED", 5, 0, 0),
        ("PAUSED", 5, 6, 0),
        ("PAUSE_REQUESTED", 5, 6, 1),
    ],
)
def test_how_many_attempts_have_begun(state: str, scheduled: int, started: int, begun: int) -> None:
    pending = PendingActivity(activity_id="1", state=state, scheduled_time=scheduled, last_started_time=started)
    assert pending.begun == begun


def test_the_first_attempt_that_nobody_has_taken_shows_what_is_known() -> None:
    step = spans_of(waiting(), PendingActivityInfo(activity_id="1", state=SCHEDULED, attempt=1))[1]
    known = {key: value for key, value in step.attributes.items() if "pending" in key or key == c.ATTEMPTS}
    assert known == {c.PENDING_STATE: "scheduled", c.PENDING_ATTEMPT: 1}


def test_it_belongs_to_the_step_that_is_open() -> None:
    recording = waiting("same")
    recording.attempt(5, ms=6)
    recording.complete_activity(5)
    recording.activity(recording.task(), "same")
    pending = third_try(activity_id="same", last_failure=None), third_try(activity_id="over")
    _, first, _, second = spans_of(recording, *pending)
    assert (c.PENDING_STATE in first.attributes, c.PENDING_STATE in second.attributes) == (False, True)


def test_a_ledger_of_the_attempt_that_runs_or_of_another_run_is_none_of_it() -> None:
    for data in (ledger(3, 20, 30), ledger(2, 20, 30, run_id="another")):
        assert len(spans_of(waiting(), third_try(last_failure=failure("no", stored_ledger=data)))) == 2

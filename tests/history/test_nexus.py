"""The Nexus operations that a run calls: whole traces from histories written by hand."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure as FailureProto

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, failure, payload, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.headers import SpanReference
from tracing.identity import run_trace_id, step_span_id
from tracing.spans.model import Link

TOLD = {c.EVENT_IDS, c.ERROR_TYPE, c.TIMEOUT_TYPE, c.UNCLOSED, c.REUSED}
KEY = "archive/Archive/find"


def scheduled(recording: Recording, task: int, **more: Any) -> int:
    """The workflow calls an operation."""
    return recording.add(
        "nexus_operation_scheduled",
        **{
            "endpoint": "archive",
            "service": "Archive",
            "operation": "find",
            "input": payload('"cats"'),
            "workflow_task_completed_event_id": task,
            **more,
        },
    )


def wrapped(cause: dict[str, Any]) -> dict[str, Any]:
    """What the server wraps a failure of an operation in."""
    info = {"endpoint": "archive", "service": "Archive", "operation": "find"}
    return {"message": "unsuccessful", "nexus_operation_execution_failure_info": info, "cause": cause}


def test_one_that_answers_at_once_and_one_that_takes_its_time() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    at_once, slow = scheduled(recording, task, summary="Ask the archive"), scheduled(recording, task)
    recording.add("nexus_operation_completed", ms=6, scheduled_event_id=at_once, result=payload('"found"'))
    recording.add("nexus_operation_started", ms=7, scheduled_event_id=slow, operation_token="t")
    recording.add("nexus_operation_completed", ms=90, scheduled_event_id=slow, result=payload('"found"'))
    _, one, two = recording.spans(content=True)

    assert render([one]) == tree(f"""
    StartNexusOperation:Archive/find CLIENT 0..4 ms (parent {one.parent_id:016x})
      input.mime_type: 'text/plain'
      input.value: 'cats'
      output.mime_type: 'text/plain'
      output.value: 'found'
      temporal.event_ids: '5,7'
      temporal.nexus.endpoint: 'archive'
      temporal.nexus.operation: 'find'
      temporal.nexus.service: 'Archive'
      temporal.summary: 'Ask the archive'
    """)
    assert render([two], only=TOLD) == tree(f"""
    StartNexusOperation:Archive/find CLIENT 0..88 ms (parent {one.parent_id:016x})
      temporal.event_ids: '6,8-9'
    """)
    assert [one.span_id, two.span_id] == [step_span_id(RUN_ID, "nexus_operation", KEY, nth) for nth in (1, 2)]


@pytest.mark.parametrize(
    ("event", "cause", "told"),
    [
        (
            "nexus_operation_failed",
            failure("no credit"),
            """
            RunWorkflow:Research SERVER 0.. ms
              durable.unclosed: True
              temporal.event_ids: '1-4'
              StartNexusOperation:Archive/find CLIENT ERROR 'no credit' 2..9 ms
                error.type: 'RateLimit'
                temporal.event_ids: '5-6'
                * exception 9 ms
            """,
        ),
        (
            "nexus_operation_timed_out",
            {"message": "late", "timeout_failure_info": {"timeout_type": "TIMEOUT_TYPE_SCHEDULE_TO_CLOSE"}},
            """
            RunWorkflow:Research SERVER 0.. ms
              durable.unclosed: True
              temporal.event_ids: '1-4'
              StartNexusOperation:Archive/find CLIENT ERROR 'late' 2..9 ms
                error.type: 'TimeoutError'
                temporal.event_ids: '5-6'
                temporal.timeout_type: 'SCHEDULE_TO_CLOSE'
                * exception 9 ms
            """,
        ),
        (
            "nexus_operation_canceled",
            {"message": "gone", "canceled_failure_info": {}},
            """
            RunWorkflow:Research SERVER 0.. ms
              durable.unclosed: True
              temporal.event_ids: '1-4'
              StartNexusOperation:Archive/find CLIENT 2..9 ms
                error.type: 'CanceledError'
                temporal.event_ids: '5-6'
            """,
        ),
    ],
)
def test_how_it_ends_badly(event: str, cause: dict[str, Any], told: str) -> None:
    recording = Recording()
    operation = scheduled(recording, recording.task(ms=2))
    recording.add(event, ms=9, scheduled_event_id=operation, failure=FailureProto(**wrapped(cause)))

    assert render(recording.spans(content=True), only=TOLD) == tree(told)


def test_one_that_is_cancelled_ends_with_its_handler() -> None:
    recording = Recording()
    operation = scheduled(recording, recording.task(ms=2))
    recording.add("nexus_operation_started", ms=6, scheduled_event_id=operation)
    task = recording.task(ms=9)
    recording.add(
        "nexus_operation_cancel_requested",
        scheduled_event_id=operation,
        workflow_task_completed_event_id=task,
    )
    recording.add("nexus_operation_cancel_request_completed", scheduled_event_id=operation, requested_event_id=10)
    recording.add("nexus_operation_canceled", ms=30, scheduled_event_id=operation)

    assert render(recording.spans(), only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.event_ids: '1-4,7-9,11'
      * NexusOperationCancelRequestCompleted 12 ms
        temporal.event_ids: '11'
      StartNexusOperation:Archive/find CLIENT 2..30 ms
        error.type: 'CanceledError'
        temporal.event_ids: '5-6,10,12'
    """)


def test_one_that_the_run_did_not_wait_for_ends_with_it() -> None:
    recording = Recording()
    scheduled(recording, recording.task(ms=2))
    recording.complete(ms=9)
    _, span = recording.spans()

    assert ((span.end or 0) - span.start, span.attributes[c.UNCLOSED]) == (7_000_000, True)


def test_the_header_that_its_handler_got_names_it() -> None:
    recording = Recording()
    reference = SpanReference(run_trace_id(RUN_ID), 0xABC)
    scheduled(recording, recording.task(ms=2), nexus_header={"durable-trace": str(reference)})
    _, span = recording.spans()

    assert span.span_id == 0xABC


@pytest.mark.parametrize("header", ["", "broken", "00-" + "1" * 32 + "-0000000000000abc-01"])
def test_a_header_that_is_broken_or_of_another_trace_does_not(header: str) -> None:
    recording = Recording()
    scheduled(recording, recording.task(ms=2), nexus_header={"durable-trace": header})
    _, span = recording.spans()

    assert span.span_id == step_span_id(RUN_ID, "nexus_operation", KEY)


def test_a_reset_takes_over_what_had_closed() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID, first_execution_run_id=BASE_RUN_ID)
    base_trace = run_trace_id(BASE_RUN_ID)
    header = str(SpanReference(base_trace, step_span_id(BASE_RUN_ID, "nexus_operation", KEY)))
    operation = scheduled(recording, recording.task(ms=2), nexus_header={"durable-trace": header})
    recording.add("nexus_operation_completed", scheduled_event_id=operation)
    recording.reset()
    _, span = recording.spans()

    assert (span.span_id, span.attributes[c.REUSED]) == (step_span_id(RUN_ID, "nexus_operation", KEY), True)
    base = step_span_id(BASE_RUN_ID, "nexus_operation", KEY)
    assert span.links == (Link(base_trace, base, {c.RUN_ID: BASE_RUN_ID}),)

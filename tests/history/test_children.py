"""The children of a run: whole traces from histories written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, failure, payload, step_header, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.identity import run_trace_id, step_span_id
from tracing.spans.model import Link

TOLD = {
    c.EVENT_IDS,
    c.TARGET_WORKFLOW_ID,
    c.TARGET_WORKFLOW_TYPE,
    c.TARGET_RUN_ID,
    c.ERROR_TYPE,
    c.RETRY_STATE,
    c.TIMEOUT_TYPE,
    c.UNCLOSED,
    c.REUSED,
}
TYPE: dict[str, Any] = {"workflow_type": {"name": "Search"}}
CHILD: dict[str, Any] = {"workflow_execution": {"workflow_id": "child", "run_id": "child-run"}, **TYPE}


def initiated(recording: Recording, task: int, workflow_id: str = "child", **more: Any) -> int:
    """The workflow asks for a child."""
    return recording.add(
        "start_child_workflow_execution_initiated",
        **{
            "workflow_id": workflow_id,
            "task_queue": {"name": "searches"},
            "input": {"payloads": [payload('"cats"')]},
            "workflow_task_completed_event_id": task,
            **TYPE,
            **more,
        },
    )


def started(recording: Recording, child: int, ms: float) -> int:
    """The child is started."""
    return recording.add("child_workflow_execution_started", ms=ms, initiated_event_id=child, **CHILD)


def test_one_that_completed() -> None:
    recording = Recording()
    child = initiated(recording, recording.task(ms=2), summary="Look for cats")
    started(recording, child, ms=6)
    result = {"payloads": [payload('"found"')]}
    recording.add("child_workflow_execution_completed", ms=20, initiated_event_id=child, result=result, **CHILD)
    _, span = recording.spans(content=True)

    assert render([span]) == tree(f"""
    StartChildWorkflow:Search CLIENT 0..18 ms (parent {span.parent_id:016x})
      input.mime_type: 'text/plain'
      input.value: 'cats'
      output.mime_type: 'text/plain'
      output.value: 'found'
      temporal.event_ids: '5-7'
      temporal.summary: 'Look for cats'
      temporal.target.run_id: 'child-run'
      temporal.target.workflow_id: 'child'
      temporal.target.workflow_type: 'Search'
      temporal.task_queue: 'searches'
    """)
    assert span.span_id == step_span_id(RUN_ID, "child_workflow", "child")
    assert render(recording.spans(), only={c.INPUT_VALUE, c.SUMMARY}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      StartChildWorkflow:Search CLIENT 2..20 ms
    """)


@pytest.mark.parametrize(
    ("event", "says", "told"),
    [
        (
            "child_workflow_execution_failed",
            {"failure": failure("no credit"), "retry_state": "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED"},
            """
            RunWorkflow:Research SERVER 0.. ms
              StartChildWorkflow:Search CLIENT ERROR 'no credit' 2..9 ms
                error.type: 'RateLimit'
                temporal.retry_state: 'MAXIMUM_ATTEMPTS_REACHED'
                * exception 9 ms
            """,
        ),
        (
            "child_workflow_execution_timed_out",
            {"retry_state": "RETRY_STATE_TIMEOUT"},
            """
            RunWorkflow:Research SERVER 0.. ms
              StartChildWorkflow:Search CLIENT ERROR 'Timed out' 2..9 ms
                error.type: 'TimeoutError'
                temporal.retry_state: 'TIMEOUT'
                temporal.timeout_type: 'START_TO_CLOSE'
                * exception 9 ms
            """,
        ),
        (
            "child_workflow_execution_terminated",
            {},
            """
            RunWorkflow:Research SERVER 0.. ms
              StartChildWorkflow:Search CLIENT ERROR 'Terminated' 2..9 ms
                error.type: 'TerminatedError'
                temporal.retry_state: 'NON_RETRYABLE_FAILURE'
                * exception 9 ms
            """,
        ),
        (
            "child_workflow_execution_canceled",
            {},
            """
            RunWorkflow:Research SERVER 0.. ms
              StartChildWorkflow:Search CLIENT 2..9 ms
                error.type: 'CanceledError'
                temporal.retry_state: 'NON_RETRYABLE_FAILURE'
            """,
        ),
    ],
)
def test_how_it_ends_badly(event: str, says: dict[str, Any], told: str) -> None:
    recording = Recording()
    child = initiated(recording, recording.task(ms=2))
    started(recording, child, ms=6)
    recording.add(event, ms=9, initiated_event_id=child, **CHILD, **says)

    assert render(recording.spans(content=True), only={c.ERROR_TYPE, c.RETRY_STATE, c.TIMEOUT_TYPE}) == tree(told)


def test_one_that_could_not_be_started_and_ones_that_the_run_did_not_wait_for() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    refused, detached, _waiting = (initiated(recording, task, key) for key in ("child", "detached", "waiting"))
    recording.add(
        "start_child_workflow_execution_failed",
        ms=8,
        workflow_id="child",
        cause="START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS",
        initiated_event_id=refused,
    )
    started(recording, detached, ms=9)
    recording.task(ms=11)
    recording.complete(ms=13)

    assert render(recording.spans(), only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0..13 ms
      temporal.event_ids: '1-4,10-13'
      StartChildWorkflow:Search CLIENT 2..13 ms
        durable.unclosed: True
        temporal.event_ids: '7'
        temporal.target.workflow_id: 'waiting'
        temporal.target.workflow_type: 'Search'
      StartChildWorkflow:Search CLIENT 2..13 ms
        durable.unclosed: True
        temporal.event_ids: '6,9'
        temporal.target.run_id: 'child-run'
        temporal.target.workflow_id: 'detached'
        temporal.target.workflow_type: 'Search'
      StartChildWorkflow:Search CLIENT ERROR 2..8 ms
        error.type: 'WORKFLOW_ALREADY_EXISTS'
        temporal.event_ids: '5,8'
        temporal.target.workflow_id: 'child'
        temporal.target.workflow_type: 'Search'
        * exception 8 ms
    """)


def test_of_a_run_that_goes_on_they_are_open() -> None:
    recording = Recording()
    initiated(recording, recording.task(ms=2))
    _, span = recording.spans()

    assert (span.end, span.attributes[c.UNCLOSED]) == (None, True)


def canceled(cancellation: str | None, *, told: bool = True) -> Recording:
    """A child that the run cancels at 13 ms, is told so at 15 ms and ends so at 30 ms."""
    recording = Recording()
    header = step_header("child", kind="child_workflow", cancellation=cancellation)
    child = initiated(recording, recording.task(ms=2), header=header)
    started(recording, child, ms=6)
    task = recording.task(ms=11)
    if told:
        cancel = recording.add(
            "request_cancel_external_workflow_execution_initiated",
            workflow_execution=CHILD["workflow_execution"],
            child_workflow_only=True,
            workflow_task_completed_event_id=task,
        )
        recording.add("external_workflow_execution_cancel_requested", ms=15, initiated_event_id=cancel)
    recording.add("child_workflow_execution_canceled", ms=30, initiated_event_id=child, **CHILD)
    return recording


@pytest.mark.parametrize(
    ("cancellation", "told", "end", "events"),
    [(None, True, 30, "5-6,10-12"), ("try", True, 13, "5-6,10-12"), ("abandon", False, 30, "5-6,10")],
    ids=["wait, the default", "try", "abandon"],
)
def test_a_cancelled_one_ends_where_the_workflow_went_on(
    cancellation: str | None, *, told: bool, end: int, events: str
) -> None:
    spans = canceled(cancellation, told=told).spans()

    assert render(spans[1:], only={c.EVENT_IDS, c.ERROR_TYPE}) == tree(f"""
    StartChildWorkflow:Search CLIENT 0..{end - 2} ms (parent {spans[0].span_id:016x})
      error.type: 'CanceledError'
      temporal.event_ids: '{events}'
    """)


def test_one_that_was_cancelled_before_the_workflow_was_told_of_its_start_has_no_run_id() -> None:
    recording = Recording()
    header = step_header("child", kind="child_workflow", cancellation="try")
    child = initiated(recording, recording.task(ms=2), header=header)
    recording.add(
        "request_cancel_external_workflow_execution_initiated",
        workflow_execution={"workflow_id": "child"},
        child_workflow_only=True,
        workflow_task_completed_event_id=recording.task(ms=6),
    )
    started(recording, child, ms=9)
    _, span = recording.spans()

    assert (span.attributes[c.EVENT_IDS], c.TARGET_RUN_ID in span.attributes) == ("5,9-10", False)


def test_the_same_workflow_id_twice_is_two_steps() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    first = initiated(recording, task)
    started(recording, first, ms=5)
    recording.add("child_workflow_execution_completed", ms=6, initiated_event_id=first, **CHILD)
    initiated(recording, recording.task(ms=8))
    _, one, two = recording.spans()

    assert [one.span_id, two.span_id] == [step_span_id(RUN_ID, "child_workflow", "child", nth) for nth in (1, 2)]


def test_a_header_of_ours_names_the_step_and_what_it_counted_live() -> None:
    recording = Recording()
    header = step_header("child", kind="child_workflow", nth=3)
    initiated(recording, recording.task(ms=2), header=header)
    _, span = recording.spans()

    assert span.span_id == step_span_id(RUN_ID, "child_workflow", "child", 3)
    assert span.resource == {"service.name": "agents"}


def test_a_reset_takes_over_what_had_closed() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID, first_execution_run_id=BASE_RUN_ID)
    task = recording.task(ms=2)
    closed = initiated(recording, task, header=step_header("child", BASE_RUN_ID, kind="child_workflow", nth=2))
    running = initiated(recording, task, "other")
    started(recording, closed, ms=6)
    recording.add("child_workflow_execution_completed", ms=7, initiated_event_id=closed, **CHILD)
    recording.reset()
    recording.add("child_workflow_execution_completed", ms=20, initiated_event_id=running, **CHILD)
    run, reused, again = recording.spans()

    # The header is a copy of the base run's: the span is named by this run, with the number of its use.
    assert (reused.trace_id, reused.span_id) == (run.trace_id, step_span_id(RUN_ID, "child_workflow", "child", 2))
    assert reused.attributes[c.REUSED] is True
    base = step_span_id(BASE_RUN_ID, "child_workflow", "child", 2)
    assert reused.links == (Link(run_trace_id(BASE_RUN_ID), base, {c.RUN_ID: BASE_RUN_ID}),)
    assert (c.REUSED in again.attributes, again.links) == (False, ())

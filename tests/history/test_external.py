"""What a run asks of other workflows: whole traces from histories written by hand."""

from __future__ import annotations

from typing import Any

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, payload, step_header, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.identity import run_trace_id, step_span_id
from tracing.spans.model import Link

TOLD = {
    c.EVENT_IDS,
    c.SIGNAL_NAME,
    c.TARGET_WORKFLOW_ID,
    c.TARGET_RUN_ID,
    c.ERROR_TYPE,
    c.UNCLOSED,
    c.INPUT_VALUE,
    c.SUMMARY,
}
OTHER = {"workflow_id": "other", "run_id": "other-run"}


def signal(recording: Recording, task: int, **more: Any) -> int:
    """The workflow asks to signal another."""
    return recording.add(
        "signal_external_workflow_execution_initiated",
        **{
            "workflow_execution": OTHER,
            "signal_name": "hurry",
            "input": {"payloads": [payload('"now"')]},
            "workflow_task_completed_event_id": task,
            **more,
        },
    )


def cancel(recording: Recording, task: int, **more: Any) -> int:
    """The workflow asks to cancel another."""
    return recording.add(
        "request_cancel_external_workflow_execution_initiated",
        **{"workflow_execution": OTHER, "workflow_task_completed_event_id": task, **more},
    )


def test_signals() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    sent = signal(recording, task, summary="Hurry up")
    to_child = signal(recording, task, child_workflow_only=True, workflow_execution={"workflow_id": "child"})
    refused, open_ = signal(recording, task), signal(recording, task)
    recording.add("external_workflow_execution_signaled", ms=9, initiated_event_id=sent, workflow_execution=OTHER)
    recording.add("external_workflow_execution_signaled", ms=10, initiated_event_id=to_child)
    recording.add(
        "signal_external_workflow_execution_failed",
        ms=11,
        initiated_event_id=refused,
        cause="SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND",
    )
    recording.complete(ms=20)
    spans = recording.spans(content=True)

    assert open_ == 8
    assert render(spans, only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0..20 ms
      input.value: 'null'
      temporal.event_ids: '1-4,12'
      SignalChildWorkflow:hurry CLIENT 2..10 ms
        input.value: 'now'
        temporal.event_ids: '6,10'
        temporal.signal.name: 'hurry'
        temporal.target.workflow_id: 'child'
      SignalExternalWorkflow:hurry CLIENT ERROR 2..11 ms
        error.type: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
        input.value: 'now'
        temporal.event_ids: '7,11'
        temporal.signal.name: 'hurry'
        temporal.target.run_id: 'other-run'
        temporal.target.workflow_id: 'other'
        * exception 11 ms
      SignalExternalWorkflow:hurry CLIENT 2..9 ms
        input.value: 'now'
        temporal.event_ids: '5,9'
        temporal.signal.name: 'hurry'
        temporal.summary: 'Hurry up'
        temporal.target.run_id: 'other-run'
        temporal.target.workflow_id: 'other'
      SignalExternalWorkflow:hurry CLIENT 2..20 ms
        durable.unclosed: True
        input.value: 'now'
        temporal.event_ids: '8'
        temporal.signal.name: 'hurry'
        temporal.target.run_id: 'other-run'
        temporal.target.workflow_id: 'other'
    """)
    ids = {span.span_id: span.attributes[c.EVENT_IDS] for span in spans[1:]}
    order = [ids[step_span_id(RUN_ID, "external_signal", str(nth))] for nth in (1, 2, 3, 4)]
    assert order == ["5,9", "6,10", "7,11", "8"]


def test_the_header_of_a_signal_names_it_where_others_were_taken_back_before_they_were_sent() -> None:
    recording = Recording()
    header = step_header("4", kind="external_signal", nth=1)
    signal(recording, recording.task(ms=2), header=header)
    _, span = recording.spans()

    assert span.span_id == step_span_id(RUN_ID, "external_signal", "4")


def test_cancellations() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    asked, refused = cancel(recording, task), cancel(recording, task)
    cancel(recording, task, workflow_execution={"workflow_id": "another"})
    recording.add("external_workflow_execution_cancel_requested", ms=9, initiated_event_id=asked)
    recording.add(
        "request_cancel_external_workflow_execution_failed",
        ms=10,
        initiated_event_id=refused,
        cause="CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND",
    )
    spans = recording.spans()

    assert render(spans, only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.event_ids: '1-4'
      RequestCancelExternalWorkflow CLIENT 2.. ms
        durable.unclosed: True
        temporal.event_ids: '7'
        temporal.target.workflow_id: 'another'
      RequestCancelExternalWorkflow CLIENT 2..9 ms
        temporal.event_ids: '5,8'
        temporal.target.run_id: 'other-run'
        temporal.target.workflow_id: 'other'
      RequestCancelExternalWorkflow CLIENT ERROR 2..10 ms
        error.type: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
        temporal.event_ids: '6,9'
        temporal.target.run_id: 'other-run'
        temporal.target.workflow_id: 'other'
        * exception 10 ms
    """)
    assert [span.span_id for span in spans[1:]] == [
        step_span_id(RUN_ID, "external_cancel", "other"),
        step_span_id(RUN_ID, "external_cancel", "other", 2),
        step_span_id(RUN_ID, "external_cancel", "another"),
    ]


def test_a_reset_takes_over_what_had_been_answered() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID, first_execution_run_id=BASE_RUN_ID)
    task = recording.task(ms=2)
    sent = signal(recording, task, header=step_header("2", BASE_RUN_ID, kind="external_signal", nth=1))
    asked = cancel(recording, task)
    signal(recording, task)
    recording.add("external_workflow_execution_signaled", initiated_event_id=sent, workflow_execution=OTHER)
    recording.add("external_workflow_execution_cancel_requested", initiated_event_id=asked)
    recording.reset()
    _, signaled, canceled, open_ = recording.spans()
    base_trace, base = run_trace_id(BASE_RUN_ID), {c.RUN_ID: BASE_RUN_ID}

    assert signaled.links == (Link(base_trace, step_span_id(BASE_RUN_ID, "external_signal", "2"), base),)
    assert canceled.links == (Link(base_trace, step_span_id(BASE_RUN_ID, "external_cancel", "other"), base),)
    assert [c.REUSED in span.attributes for span in (signaled, canceled, open_)] == [True, True, False]

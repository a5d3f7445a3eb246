"""What has no span of its own is found on the span of the run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.history.recording import Recording, failure, payload, tree
from tests.rendering import render
from tracing import conventions as c


def test_what_has_no_span_of_its_own_becomes_an_event_of_the_run() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    recording.add(
        "marker_recorded",
        marker_name="core_patch",
        details={"patch-data": {"payloads": [payload('{"id":"polite","deprecated":false}')]}},
        workflow_task_completed_event_id=task,
    )
    recording.add("marker_recorded", marker_name="SideEffect", workflow_task_completed_event_id=task)
    recording.add(
        "upsert_workflow_search_attributes", search_attributes={"indexed_fields": {"B": payload(), "A": payload()}}
    )
    recording.add("workflow_properties_modified", upserted_memo={"fields": {"stage": payload()}})
    recording.add("workflow_execution_cancel_requested", cause="free text is content")
    recording.add("workflow_task_timed_out", timeout_type="TIMEOUT_TYPE_START_TO_CLOSE")

    assert render(recording.spans()) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.attempt: 1
      temporal.event_ids: '1-10'
      temporal.history_length: 3
      temporal.run.status: 'running'
      temporal.task_queue: 'queue'
      temporal.worker.identity: 'worker-1'
      * MarkerRecorded 4 ms
        temporal.event_ids: '5'
        temporal.marker.name: 'core_patch'
        temporal.patch.id: 'polite'
      * MarkerRecorded 5 ms
        temporal.event_ids: '6'
        temporal.marker.name: 'SideEffect'
      * UpsertWorkflowSearchAttributes 6 ms
        temporal.changed_keys: ('A', 'B')
        temporal.event_ids: '7'
      * WorkflowPropertiesModified 7 ms
        temporal.changed_keys: ('stage',)
        temporal.event_ids: '8'
      * WorkflowExecutionCancelRequested 8 ms
        temporal.event_ids: '9'
      * WorkflowTaskTimedOut 9 ms
        temporal.event_ids: '10'
        temporal.timeout_type: 'START_TO_CLOSE'
    """)


def test_the_later_events_of_a_step_whose_first_one_is_missing() -> None:
    recording = Recording()
    recording.task(ms=2)
    child: dict[str, Any] = {
        "workflow_execution": {"workflow_id": "child", "run_id": "child-run"},
        "workflow_type": {"name": "Child"},
        "initiated_event_id": 900,
    }
    recording.add("activity_task_started", scheduled_event_id=900, attempt=1)
    recording.add("timer_fired", timer_id="7", started_event_id=900)
    recording.add("child_workflow_execution_started", **child)
    recording.add("child_workflow_execution_failed", failure=failure("no credit"), **child)
    recording.add("signal_external_workflow_execution_failed", initiated_event_id=900, cause=1)
    recording.add("external_workflow_execution_cancel_requested", initiated_event_id=900)
    recording.add("nexus_operation_completed", scheduled_event_id=900)
    recording.add(
        "workflow_execution_update_completed",
        meta={"update_id": "u-1"},
        accepted_event_id=900,
        outcome={"failure": failure("too much", "Limit")},
    )
    recording.add("workflow_execution_update_accepted", protocol_instance_id="says nothing of the update")
    recording.add("workflow_execution_signaled", signal_name="handled by no task")
    shown = {
        c.EVENT_IDS,
        c.ERROR_TYPE,
        c.CAUSE,
        c.TARGET_RUN_ID,
        c.TARGET_WORKFLOW_ID,
        c.TARGET_WORKFLOW_TYPE,
        c.UPDATE_ID,
        c.TIMER_ID,
        c.SIGNAL_NAME,
    }

    assert render(recording.spans(), only=shown) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      temporal.event_ids: '1-14'
      * ActivityTaskStarted 4 ms
        temporal.event_ids: '5'
      * TimerFired 5 ms
        temporal.event_ids: '6'
      * ChildWorkflowExecutionStarted 6 ms
        temporal.event_ids: '7'
        temporal.target.run_id: 'child-run'
        temporal.target.workflow_id: 'child'
        temporal.target.workflow_type: 'Child'
      * ChildWorkflowExecutionFailed 7 ms
        error.type: 'RateLimit'
        temporal.event_ids: '8'
        temporal.target.run_id: 'child-run'
        temporal.target.workflow_id: 'child'
        temporal.target.workflow_type: 'Child'
      * SignalExternalWorkflowExecutionFailed 8 ms
        temporal.cause: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
        temporal.event_ids: '9'
      * ExternalWorkflowExecutionCancelRequested 9 ms
        temporal.event_ids: '10'
      * NexusOperationCompleted 10 ms
        temporal.event_ids: '11'
      * WorkflowExecutionUpdateCompleted 11 ms
        error.type: 'Limit'
        temporal.event_ids: '12'
        temporal.update.id: 'u-1'
      * WorkflowExecutionUpdateAccepted 12 ms
        temporal.event_ids: '13'
      * WorkflowExecutionSignaled 13 ms
        temporal.event_ids: '14'
        temporal.signal.name: 'handled by no task'
    """)


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"id":7}', "[" * 100_000])
def test_a_broken_patch_marker_is_shown_without_the_patch(data: str) -> None:
    recording = Recording()
    details = {"patch-data": {"payloads": [payload(data)]}}
    recording.add("marker_recorded", marker_name="core_patch", details=details)

    assert render(recording.spans(), only={c.MARKER_NAME, c.PATCH_ID}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      * MarkerRecorded 1 ms
        temporal.marker.name: 'core_patch'
    """)

"""What has no span of its own is found on the span of the run."""

from __future__ import annotations

from typing import Any

from tests.history.recording import (
    Recording,
    failure,
    payload,
    tree,
)
from tests.rendering import render


def test_what_has_no_span_of_its_own_becomes_an_event_of_the_run() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    child: dict[str, Any] = {
        "workflow_execution": {"workflow_id": "child", "run_id": "child-run"},
        "workflow_type": {"name": "Child"},
    }
    recording.add("marker_recorded", marker_name="core_patch", workflow_task_completed_event_id=task)
    started = recording.add(
        "start_child_workflow_execution_initiated", workflow_id="child", workflow_type={"name": "Child"}
    )
    recording.add("child_workflow_execution_started", initiated_event_id=started, **child)
    recording.add("child_workflow_execution_failed", initiated_event_id=started, failure=failure("no credit"), **child)
    request = {"meta": {"update_id": "u-1"}, "input": {"name": "add"}}
    accepted = recording.add("workflow_execution_update_accepted", accepted_request=request)
    recording.add(
        "workflow_execution_update_completed",
        meta={"update_id": "u-1"},
        accepted_event_id=accepted,
        outcome={"failure": failure("too much", "Limit")},
    )
    operation = recording.add("nexus_operation_scheduled", endpoint="e", service="s", operation="o")
    recording.add("nexus_operation_completed", scheduled_event_id=operation)
    recording.add(
        "upsert_workflow_search_attributes", search_attributes={"indexed_fields": {"B": payload(), "A": payload()}}
    )
    recording.add("workflow_execution_cancel_requested", cause="free text is content")
    recording.add("workflow_task_timed_out", timeout_type="TIMEOUT_TYPE_START_TO_CLOSE")
    recording.add("activity_task_started", scheduled_event_id=999, attempt=1)

    assert render(recording.spans()) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.attempt: 1
      temporal.event_ids: '1-16'
      temporal.history_length: 3
      temporal.run.status: 'running'
      temporal.task_queue: 'queue'
      temporal.worker.identity: 'worker-1'
      * MarkerRecorded 4 ms
        temporal.event_ids: '5'
        temporal.marker.name: 'core_patch'
      * StartChildWorkflowExecutionInitiated 5 ms
        temporal.event_ids: '6'
        temporal.target.workflow_id: 'child'
        temporal.target.workflow_type: 'Child'
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
      * WorkflowExecutionUpdateAccepted 8 ms
        temporal.event_ids: '9'
        temporal.update.id: 'u-1'
        temporal.update.name: 'add'
      * WorkflowExecutionUpdateCompleted 9 ms
        error.type: 'Limit'
        temporal.event_ids: '10'
        temporal.update.id: 'u-1'
        temporal.update.name: 'add'
      * NexusOperationScheduled 10 ms
        temporal.event_ids: '11'
        temporal.nexus.endpoint: 'e'
        temporal.nexus.operation: 'o'
        temporal.nexus.service: 's'
      * NexusOperationCompleted 11 ms
        temporal.event_ids: '12'
        temporal.nexus.endpoint: 'e'
        temporal.nexus.operation: 'o'
        temporal.nexus.service: 's'
      * UpsertWorkflowSearchAttributes 12 ms
        temporal.changed_keys: ('A', 'B')
        temporal.event_ids: '13'
      * WorkflowExecutionCancelRequested 13 ms
        temporal.event_ids: '14'
      * WorkflowTaskTimedOut 14 ms
        temporal.event_ids: '15'
        temporal.timeout_type: 'START_TO_CLOSE'
      * ActivityTaskStarted 15 ms
        temporal.event_ids: '16'
    """)

"""What a workflow asks for, as its worker hands it to Core: commands, by hand."""

from __future__ import annotations

from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Memo, Payload, RetryPolicy, SearchAttributes
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.bridge.proto.common import NamespacedWorkflowExecution
from temporalio.bridge.proto.workflow_commands import (
    CancelChildWorkflowExecution,
    CancelSignalWorkflow,
    CancelTimer,
    CancelWorkflowExecution,
    CompleteWorkflowExecution,
    ContinueAsNewWorkflowExecution,
    FailWorkflowExecution,
    ModifyWorkflowProperties,
    QueryResult,
    QuerySuccess,
    RequestCancelActivity,
    RequestCancelExternalWorkflowExecution,
    RequestCancelNexusOperation,
    ScheduleActivity,
    ScheduleLocalActivity,
    ScheduleNexusOperation,
    SetPatchMarker,
    SignalExternalWorkflowExecution,
    StartChildWorkflowExecution,
    StartTimer,
    UpdateResponse,
    UpsertWorkflowSearchAttributes,
    WorkflowCommand,
)

from tests.live.workflows.steps.payloads import error, moment, text


def with_summary(command: WorkflowCommand, summary: str) -> WorkflowCommand:
    """The command with the summary that the workflow's code gave."""
    command.user_metadata.CopyFrom(UserMetadata(summary=text(summary)))
    return command


def schedule(seq: int, activity_id: str = "", activity_type: str = "call_llm", **asked: Any) -> WorkflowCommand:
    """Run an activity."""
    return WorkflowCommand(
        schedule_activity=ScheduleActivity(
            seq=seq,
            activity_id=activity_id or str(seq),
            activity_type=activity_type,
            retry_policy=RetryPolicy(maximum_attempts=5),
            **{"arguments": [text("why?")], **asked},
        )
    )


def cancel_activity(seq: int) -> WorkflowCommand:
    """Cancel an activity."""
    return WorkflowCommand(request_cancel_activity=RequestCancelActivity(seq=seq))


def schedule_local(seq: int, activity_id: str = "", scheduled_ns: int = 0, **asked: Any) -> WorkflowCommand:
    """Run a local activity; again, where it backed off from the one that was scheduled at that time."""
    command = ScheduleLocalActivity(
        seq=seq, activity_id=activity_id or str(seq), activity_type="look_up", arguments=[text("why?")], **asked
    )
    if scheduled_ns:
        command.original_schedule_time.CopyFrom(moment(scheduled_ns))
    return WorkflowCommand(schedule_local_activity=command)


def timer(seq: int, seconds: int = 5) -> WorkflowCommand:
    """Set a timer."""
    return WorkflowCommand(start_timer=StartTimer(seq=seq, start_to_fire_timeout=Duration(seconds=seconds)))


def cancel_timer(seq: int) -> WorkflowCommand:
    """Cancel a timer."""
    return WorkflowCommand(cancel_timer=CancelTimer(seq=seq))


WAIT, ABANDON, TRY, REQUESTED = 2, 0, 1, 3
"""coresdk.child_workflow.ChildWorkflowCancellationType; the SDK's default is WAIT."""


def start_child(seq: int, workflow_id: str = "child-1", cancellation: int = WAIT, **asked: Any) -> WorkflowCommand:
    """Start a child."""
    return WorkflowCommand(
        start_child_workflow_execution=StartChildWorkflowExecution(
            seq=seq,
            workflow_id=workflow_id,
            workflow_type="Search",
            input=[text("cats")],
            cancellation_type=cancellation,  # type: ignore[arg-type] # any number of the enum
            **asked,
        )
    )


def cancel_child(seq: int) -> WorkflowCommand:
    """Cancel a child."""
    return WorkflowCommand(cancel_child_workflow_execution=CancelChildWorkflowExecution(child_workflow_seq=seq))


def signal_child(seq: int, workflow_id: str = "child-1") -> WorkflowCommand:
    """Signal a child."""
    return WorkflowCommand(
        signal_external_workflow_execution=SignalExternalWorkflowExecution(
            seq=seq, child_workflow_id=workflow_id, signal_name="hurry", args=[text("now")]
        )
    )


def signal_other(seq: int, workflow_id: str = "other", run_id: str = "") -> WorkflowCommand:
    """Signal another workflow."""
    return WorkflowCommand(
        signal_external_workflow_execution=SignalExternalWorkflowExecution(
            seq=seq,
            workflow_execution=NamespacedWorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            signal_name="hurry",
            args=[text("now")],
        )
    )


def take_signal_back(seq: int) -> WorkflowCommand:
    """Cancel the sending of a signal."""
    return WorkflowCommand(cancel_signal_workflow=CancelSignalWorkflow(seq=seq))


def cancel_other(seq: int, workflow_id: str = "other", run_id: str = "") -> WorkflowCommand:
    """Ask to cancel another workflow."""
    return WorkflowCommand(
        request_cancel_external_workflow_execution=RequestCancelExternalWorkflowExecution(
            seq=seq, workflow_execution=NamespacedWorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
    )


def call_nexus(seq: int, operation: str = "find", **asked: Any) -> WorkflowCommand:
    """Call a Nexus operation."""
    return WorkflowCommand(
        schedule_nexus_operation=ScheduleNexusOperation(
            seq=seq, endpoint="archive", service="Archive", operation=operation, input=text("cats"), **asked
        )
    )


def cancel_nexus(seq: int) -> WorkflowCommand:
    """Cancel a Nexus operation."""
    return WorkflowCommand(request_cancel_nexus_operation=RequestCancelNexusOperation(seq=seq))


def accept(instance: str = "u") -> WorkflowCommand:
    """Accept an update."""
    response = UpdateResponse(protocol_instance_id=instance)
    response.accepted.SetInParent()
    return WorkflowCommand(update_response=response)


def answer_update(instance: str = "u", answer: str = "added") -> WorkflowCommand:
    """Complete an update."""
    return WorkflowCommand(update_response=UpdateResponse(protocol_instance_id=instance, completed=text(answer)))


def reject_update(instance: str = "u") -> WorkflowCommand:
    """Refuse an update (its validator), or fail it (its handler)."""
    return WorkflowCommand(
        update_response=UpdateResponse(protocol_instance_id=instance, rejected=error("TooMuch", "no more"))
    )


def answer_query(query_id: str = "q", answer: str = "half done") -> WorkflowCommand:
    """Answer a query."""
    return WorkflowCommand(
        respond_to_query=QueryResult(query_id=query_id, succeeded=QuerySuccess(response=text(answer)))
    )


def fail_query(query_id: str = "q") -> WorkflowCommand:
    """Fail a query."""
    return WorkflowCommand(respond_to_query=QueryResult(query_id=query_id, failed=error("KeyError", "no such key")))


def patch(patch_id: str) -> WorkflowCommand:
    """Mark a patch."""
    return WorkflowCommand(set_patch_marker=SetPatchMarker(patch_id=patch_id))


def search_attributes(*names: str) -> WorkflowCommand:
    """Set search attributes."""
    fields = {name: text("secret") for name in names}
    return WorkflowCommand(
        upsert_workflow_search_attributes=UpsertWorkflowSearchAttributes(
            search_attributes=SearchAttributes(indexed_fields=fields)
        )
    )


def memo(*names: str) -> WorkflowCommand:
    """Change the memo."""
    fields = {name: text("secret") for name in names}
    return WorkflowCommand(modify_workflow_properties=ModifyWorkflowProperties(upserted_memo=Memo(fields=fields)))


def complete(result: str = "done") -> WorkflowCommand:
    """Return."""
    return WorkflowCommand(complete_workflow_execution=CompleteWorkflowExecution(result=text(result)))


def fail() -> WorkflowCommand:
    """Raise."""
    return WorkflowCommand(fail_workflow_execution=FailWorkflowExecution(failure=error("ValueError", "boom")))


def cancel() -> WorkflowCommand:
    """End as cancelled."""
    return WorkflowCommand(cancel_workflow_execution=CancelWorkflowExecution())


def continue_as_new(*arguments: Payload) -> WorkflowCommand:
    """Go on as another run."""
    following = ContinueAsNewWorkflowExecution(workflow_type="Research", arguments=arguments)
    return WorkflowCommand(continue_as_new_workflow_execution=following)

"""What a worker is told of a run: the jobs of its activations, as Core makes them."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import (
    ActivityFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    Failure,
    NexusOperationFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from temporalio.api.update.v1 import Meta
from temporalio.bridge.proto import activity_result, child_workflow
from temporalio.bridge.proto.nexus import NexusOperationResult
from temporalio.bridge.proto.workflow_activation import (
    CancelWorkflow,
    DoUpdate,
    FireTimer,
    QueryWorkflow,
    ResolveActivity,
    ResolveChildWorkflowExecution,
    ResolveChildWorkflowExecutionStart,
    ResolveChildWorkflowExecutionStartCancelled,
    ResolveChildWorkflowExecutionStartFailure,
    ResolveChildWorkflowExecutionStartSuccess,
    ResolveNexusOperation,
    ResolveNexusOperationStart,
    ResolveRequestCancelExternalWorkflow,
    ResolveSignalExternalWorkflow,
    SignalWorkflow,
    WorkflowActivationJob,
)

from tests.live.workflows.steps.payloads import canceled, error, moment, text


def completed(seq: int, result: Payload | None = None, *, local: bool = False) -> WorkflowActivationJob:
    """An activity returned."""
    resolution = activity_result.ActivityResolution(completed=activity_result.Success(result=result or text("because")))
    return WorkflowActivationJob(resolve_activity=ResolveActivity(seq=seq, result=resolution, is_local=local))


def failed(
    seq: int,
    cause: Failure,
    *,
    local: bool = False,
    retry_state: RetryState.ValueType = RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
) -> WorkflowActivationJob:
    """An activity failed, or was cancelled."""
    failure = Failure(
        message="Activity task failed", activity_failure_info=ActivityFailureInfo(retry_state=retry_state), cause=cause
    )
    resolution = (
        activity_result.ActivityResolution(cancelled=activity_result.Cancellation(failure=failure))
        if cause.HasField("canceled_failure_info")
        else activity_result.ActivityResolution(failed=activity_result.Failure(failure=failure))
    )
    return WorkflowActivationJob(resolve_activity=ResolveActivity(seq=seq, result=resolution, is_local=local))


def canceled_activity(seq: int) -> WorkflowActivationJob:
    """An activity was cancelled, as Core says it."""
    return failed(seq, canceled(), retry_state=RetryState.RETRY_STATE_CANCEL_REQUESTED)


def backed_off(seq: int, scheduled_ns: int, attempt: int = 2) -> WorkflowActivationJob:
    """A local activity failed, and is to be tried again after a timer."""
    backoff = activity_result.DoBackoff(attempt=attempt, original_schedule_time=moment(scheduled_ns))
    resolution = activity_result.ActivityResolution(backoff=backoff)
    return WorkflowActivationJob(resolve_activity=ResolveActivity(seq=seq, result=resolution, is_local=True))


def fired(seq: int) -> WorkflowActivationJob:
    """A timer fired."""
    return WorkflowActivationJob(fire_timer=FireTimer(seq=seq))


def signal(name: str, event_id: int, header: bytes | None = None, *, identity: str = "") -> WorkflowActivationJob:
    """A signal came."""
    headers = {} if header is None else {"durable-trace": Payload(data=header)}
    return WorkflowActivationJob(
        signal_workflow=SignalWorkflow(
            signal_name=name,
            originating_event_id=event_id,
            input=[text("yes")],
            headers=headers,
            identity=identity,
        )
    )


def cancel_requested() -> WorkflowActivationJob:
    """A client asked to cancel the run."""
    return WorkflowActivationJob(cancel_workflow=CancelWorkflow(reason="free text is content"))


def child_started(seq: int, run_id: str = "child-run") -> WorkflowActivationJob:
    """A child was started."""
    start = ResolveChildWorkflowExecutionStart(
        seq=seq, succeeded=ResolveChildWorkflowExecutionStartSuccess(run_id=run_id)
    )
    return WorkflowActivationJob(resolve_child_workflow_execution_start=start)


def child_refused(seq: int, cause: Any) -> WorkflowActivationJob:
    """A child could not be started."""
    start = ResolveChildWorkflowExecutionStart(
        seq=seq, failed=ResolveChildWorkflowExecutionStartFailure(workflow_id="child-1", cause=cause)
    )
    return WorkflowActivationJob(resolve_child_workflow_execution_start=start)


def child_never_sent(seq: int) -> WorkflowActivationJob:
    """A child was cancelled before it was sent to the server."""
    start = ResolveChildWorkflowExecutionStart(
        seq=seq, cancelled=ResolveChildWorkflowExecutionStartCancelled(failure=_child_failure(canceled()))
    )
    return WorkflowActivationJob(resolve_child_workflow_execution_start=start)


def child_completed(seq: int) -> WorkflowActivationJob:
    """A child returned."""
    return _child(seq, child_workflow.ChildWorkflowResult(completed=child_workflow.Success(result=text("found"))))


def child_failed(seq: int) -> WorkflowActivationJob:
    """A child failed."""
    failure = _child_failure(error(), RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED)
    return _child(seq, child_workflow.ChildWorkflowResult(failed=child_workflow.Failure(failure=failure)))


def child_timed_out(seq: int) -> WorkflowActivationJob:
    """A child took too long."""
    start_to_close = TimeoutFailureInfo(timeout_type=TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE)
    cause = Failure(message="Timed out", timeout_failure_info=start_to_close)
    failure = _child_failure(cause, RetryState.RETRY_STATE_TIMEOUT)
    return _child(seq, child_workflow.ChildWorkflowResult(failed=child_workflow.Failure(failure=failure)))


def child_terminated(seq: int) -> WorkflowActivationJob:
    """A child was terminated."""
    cause = Failure(message="Terminated", terminated_failure_info=TerminatedFailureInfo())
    failure = child_workflow.Failure(failure=_child_failure(cause))
    return _child(seq, child_workflow.ChildWorkflowResult(failed=failure))


def child_canceled(seq: int) -> WorkflowActivationJob:
    """A child was cancelled, or the workflow waits for it no longer."""
    cancellation = child_workflow.Cancellation(failure=_child_failure(canceled()))
    return _child(seq, child_workflow.ChildWorkflowResult(cancelled=cancellation))


def _child(seq: int, result: child_workflow.ChildWorkflowResult) -> WorkflowActivationJob:
    job = ResolveChildWorkflowExecution(seq=seq, result=result)
    return WorkflowActivationJob(resolve_child_workflow_execution=job)


def _child_failure(
    cause: Failure, retry_state: RetryState.ValueType = RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
) -> Failure:
    info = ChildWorkflowExecutionFailureInfo(retry_state=retry_state)
    return Failure(message="Child Workflow execution", child_workflow_execution_failure_info=info, cause=cause)


def signal_sent(seq: int) -> WorkflowActivationJob:
    """A signal to another workflow was delivered."""
    return WorkflowActivationJob(resolve_signal_external_workflow=ResolveSignalExternalWorkflow(seq=seq))


def signal_refused(seq: int, cause: Any) -> WorkflowActivationJob:
    """A signal to another workflow could not be delivered."""
    job = ResolveSignalExternalWorkflow(seq=seq, failure=error("", "Unable to signal"), cause=cause)
    return WorkflowActivationJob(resolve_signal_external_workflow=job)


def cancel_sent(seq: int) -> WorkflowActivationJob:
    """Another workflow was asked to cancel."""
    job = ResolveRequestCancelExternalWorkflow(seq=seq)
    return WorkflowActivationJob(resolve_request_cancel_external_workflow=job)


def cancel_refused(seq: int, cause: Any) -> WorkflowActivationJob:
    """Another workflow could not be asked to cancel."""
    job = ResolveRequestCancelExternalWorkflow(seq=seq, failure=error("", "Unable to cancel"), cause=cause)
    return WorkflowActivationJob(resolve_request_cancel_external_workflow=job)


def nexus_started(seq: int) -> WorkflowActivationJob:
    """A Nexus operation runs: it is asynchronous."""
    start = ResolveNexusOperationStart(seq=seq, operation_token="t")
    return WorkflowActivationJob(resolve_nexus_operation_start=start)


def nexus_answered_at_once(seq: int) -> WorkflowActivationJob:
    """A Nexus operation is synchronous: its result comes with the next job."""
    start = ResolveNexusOperationStart(seq=seq, started_sync=True)
    return WorkflowActivationJob(resolve_nexus_operation_start=start)


def nexus_not_started(seq: int, cause: Failure) -> WorkflowActivationJob:
    """A Nexus operation could not be started, or was cancelled before it was sent."""
    start = ResolveNexusOperationStart(seq=seq, failed=nexus_failure(cause))
    return WorkflowActivationJob(resolve_nexus_operation_start=start)


def nexus_completed(seq: int) -> WorkflowActivationJob:
    """A Nexus operation returned."""
    return _nexus(seq, NexusOperationResult(completed=text("found")))


def nexus_failed(seq: int, cause: Failure) -> WorkflowActivationJob:
    """A Nexus operation failed."""
    return _nexus(seq, NexusOperationResult(failed=nexus_failure(cause)))


def nexus_canceled(seq: int) -> WorkflowActivationJob:
    """A Nexus operation was cancelled."""
    return _nexus(seq, NexusOperationResult(cancelled=nexus_failure(canceled())))


def nexus_timed_out(seq: int) -> WorkflowActivationJob:
    """A Nexus operation took too long."""
    return _nexus(seq, NexusOperationResult(timed_out=nexus_failure(nexus_timeout())))


def nexus_timeout() -> Failure:
    """What the server says of it."""
    info = TimeoutFailureInfo(timeout_type=TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE)
    return Failure(message="operation timed out", timeout_failure_info=info)


def nexus_failure(cause: Failure) -> Failure:
    """What the server wraps a failure of an operation in."""
    info = NexusOperationFailureInfo(endpoint="archive", service="Archive", operation="find")
    return Failure(
        message="nexus operation completed unsuccessfully", nexus_operation_execution_failure_info=info, cause=cause
    )


def _nexus(seq: int, result: NexusOperationResult) -> WorkflowActivationJob:
    return WorkflowActivationJob(resolve_nexus_operation=ResolveNexusOperation(seq=seq, result=result))


def update(
    update_id: str = "add-1",
    instance: str = "u",
    header: bytes | None = None,
    *,
    name: str = "add",
    identity: str = "",
) -> WorkflowActivationJob:
    """An update came."""
    headers = {} if header is None else {"durable-trace": Payload(data=header)}
    return WorkflowActivationJob(
        do_update=DoUpdate(
            id=update_id,
            protocol_instance_id=instance,
            name=name,
            input=[text("an item")],
            headers=headers,
            meta=Meta(update_id=update_id, identity=identity),
            run_validator=True,
        )
    )


def query(query_type: str = "progress", query_id: str = "q", header: bytes | None = None) -> WorkflowActivationJob:
    """A query came."""
    headers = {} if header is None else {"durable-trace": Payload(data=header)}
    return WorkflowActivationJob(
        query_workflow=QueryWorkflow(
            query_id=query_id, query_type=query_type, arguments=[text("how far?")], headers=headers
        )
    )

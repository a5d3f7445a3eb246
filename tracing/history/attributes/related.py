"""What do the events of children, other workflows, updates and Nexus operations say?"""

from __future__ import annotations

import msgspec

from tracing.history.attributes.messages import Attributes, Execution, Header, Named
from tracing.history.enums import Enum
from tracing.history.failures import FailureMessage
from tracing.history.values import Payloads, StoredPayload


class StartChildWorkflowExecutionInitiated(Attributes, frozen=True):
    """The workflow asked for a child."""

    workflow_id: str = ""
    workflow_type: Named | None = None
    task_queue: Named | None = None
    input: Payloads | None = None
    header: Header | None = None
    workflow_task_completed_event_id: int = 0


class StartChildWorkflowExecutionFailed(Attributes, frozen=True):
    """A child could not be started."""

    workflow_id: str = ""
    workflow_type: Named | None = None
    cause: Enum = 0
    initiated_event_id: int = 0


class ChildWorkflowExecutionEvent(Attributes, frozen=True):
    """What happened to a child that was asked for."""

    workflow_execution: Execution | None = None
    workflow_type: Named | None = None
    initiated_event_id: int = 0


class ChildWorkflowExecutionStarted(ChildWorkflowExecutionEvent, frozen=True):
    """A child was started."""


class ChildWorkflowExecutionCompleted(ChildWorkflowExecutionEvent, frozen=True):
    """A child returned."""

    result: Payloads | None = None


class ChildWorkflowExecutionFailed(ChildWorkflowExecutionEvent, frozen=True):
    """A child failed."""

    failure: FailureMessage | None = None
    retry_state: Enum = 0


class ChildWorkflowExecutionCanceled(ChildWorkflowExecutionEvent, frozen=True):
    """A child was cancelled."""


class ChildWorkflowExecutionTimedOut(ChildWorkflowExecutionEvent, frozen=True):
    """A child took too long."""

    retry_state: Enum = 0


class ChildWorkflowExecutionTerminated(ChildWorkflowExecutionEvent, frozen=True):
    """A child was terminated."""


class SignalExternalWorkflowExecutionInitiated(Attributes, frozen=True):
    """The workflow asked to signal another."""

    workflow_execution: Execution | None = None
    signal_name: str = ""
    input: Payloads | None = None
    header: Header | None = None
    child_workflow_only: bool = False
    workflow_task_completed_event_id: int = 0


class SignalExternalWorkflowExecutionFailed(Attributes, frozen=True):
    """Another workflow could not be signalled."""

    workflow_execution: Execution | None = None
    cause: Enum = 0
    initiated_event_id: int = 0


class ExternalWorkflowExecutionSignaled(Attributes, frozen=True):
    """Another workflow was signalled."""

    workflow_execution: Execution | None = None
    initiated_event_id: int = 0


class RequestCancelExternalWorkflowExecutionInitiated(Attributes, frozen=True):
    """The workflow asked to cancel another."""

    workflow_execution: Execution | None = None
    child_workflow_only: bool = False
    workflow_task_completed_event_id: int = 0


class RequestCancelExternalWorkflowExecutionFailed(Attributes, frozen=True):
    """Another workflow could not be cancelled."""

    workflow_execution: Execution | None = None
    cause: Enum = 0
    initiated_event_id: int = 0


class ExternalWorkflowExecutionCancelRequested(Attributes, frozen=True):
    """Another workflow was asked to cancel."""

    workflow_execution: Execution | None = None
    initiated_event_id: int = 0


class UpdateMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Which update."""

    update_id: str = ""
    identity: str = ""


class UpdateInput(msgspec.Struct, frozen=True):
    """Name and arguments of an update."""

    name: str = ""
    args: Payloads | None = None
    header: Header | None = None


class UpdateRequest(msgspec.Struct, frozen=True):
    """What a client asked for."""

    meta: UpdateMeta | None = None
    input: UpdateInput | None = None


class UpdateOutcome(msgspec.Struct, frozen=True):
    """How it went."""

    success: Payloads | None = None
    failure: FailureMessage | None = None


class WorkflowExecutionUpdateAdmitted(Attributes, frozen=True):
    """An update was taken in."""

    request: UpdateRequest | None = None


class WorkflowExecutionUpdateAccepted(Attributes, frozen=True):
    """An update passed its validator."""

    protocol_instance_id: str = ""
    accepted_request: UpdateRequest | None = None


class WorkflowExecutionUpdateRejected(Attributes, frozen=True):
    """An update was refused."""

    rejected_request: UpdateRequest | None = None
    failure: FailureMessage | None = None


class WorkflowExecutionUpdateCompleted(Attributes, frozen=True):
    """An update returned or failed."""

    meta: UpdateMeta | None = None
    accepted_event_id: int = 0
    outcome: UpdateOutcome | None = None


class NexusOperationScheduled(Attributes, frozen=True):
    """The workflow asked for a Nexus operation."""

    endpoint: str = ""
    service: str = ""
    operation: str = ""
    input: StoredPayload | None = None
    nexus_header: dict[str, str] = msgspec.field(default_factory=dict)
    workflow_task_completed_event_id: int = 0


class NexusOperationEvent(Attributes, frozen=True):
    """What happened to an operation that was asked for."""

    scheduled_event_id: int = 0


class NexusOperationStarted(NexusOperationEvent, frozen=True):
    """It was started."""


class NexusOperationCompleted(NexusOperationEvent, frozen=True):
    """It returned."""

    result: StoredPayload | None = None


class NexusOperationFailed(NexusOperationEvent, frozen=True):
    """It failed."""

    failure: FailureMessage | None = None


class NexusOperationCanceled(NexusOperationEvent, frozen=True):
    """It was cancelled."""

    failure: FailureMessage | None = None


class NexusOperationTimedOut(NexusOperationEvent, frozen=True):
    """It took too long."""

    failure: FailureMessage | None = None


class NexusOperationCancelRequested(NexusOperationEvent, frozen=True):
    """The workflow asked to cancel it."""

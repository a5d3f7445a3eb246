"""What do the events of children, other workflows, updates and Nexus operations say?"""

from __future__ import annotations

import msgspec

from tracing.history.attributes.messages import Attributes, Execution, Named
from tracing.history.enums import Enum
from tracing.history.failures import FailureMessage


class StartChildWorkflowExecutionInitiated(Attributes, frozen=True):
    """The workflow asked for a child."""

    workflow_id: str = ""
    workflow_type: Named | None = None


class StartChildWorkflowExecutionFailed(Attributes, frozen=True):
    """A child could not be started."""

    workflow_id: str = ""
    workflow_type: Named | None = None
    cause: Enum = 0


class _ChildEvent(Attributes, frozen=True):
    workflow_execution: Execution | None = None
    workflow_type: Named | None = None


class ChildWorkflowExecutionStarted(_ChildEvent, frozen=True):
    """A child was started."""


class ChildWorkflowExecutionCompleted(_ChildEvent, frozen=True):
    """A child returned."""


class ChildWorkflowExecutionFailed(_ChildEvent, frozen=True):
    """A child failed."""

    failure: FailureMessage | None = None


class ChildWorkflowExecutionCanceled(_ChildEvent, frozen=True):
    """A child was cancelled."""


class ChildWorkflowExecutionTimedOut(_ChildEvent, frozen=True):
    """A child took too long."""


class ChildWorkflowExecutionTerminated(_ChildEvent, frozen=True):
    """A child was terminated."""


class SignalExternalWorkflowExecutionInitiated(Attributes, frozen=True):
    """The workflow asked to signal another."""

    workflow_execution: Execution | None = None
    signal_name: str = ""


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


class RequestCancelExternalWorkflowExecutionFailed(Attributes, frozen=True):
    """Another workflow could not be cancelled."""

    workflow_execution: Execution | None = None
    cause: Enum = 0


class ExternalWorkflowExecutionCancelRequested(Attributes, frozen=True):
    """Another workflow was asked to cancel."""

    workflow_execution: Execution | None = None


class UpdateMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Which update."""

    update_id: str = ""


class UpdateRequest(msgspec.Struct, frozen=True):
    """What a client asked for."""

    meta: UpdateMeta | None = None
    input: Named | None = None


class UpdateOutcome(msgspec.Struct, frozen=True):
    """How it went."""

    failure: FailureMessage | None = None


class WorkflowExecutionUpdateAdmitted(Attributes, frozen=True):
    """An update was taken in."""

    request: UpdateRequest | None = None


class WorkflowExecutionUpdateAccepted(Attributes, frozen=True):
    """An update passed its validator."""

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


class _NexusEvent(Attributes, frozen=True):
    scheduled_event_id: int = 0


class NexusOperationStarted(_NexusEvent, frozen=True):
    """It was started."""


class NexusOperationCompleted(_NexusEvent, frozen=True):
    """It returned."""


class NexusOperationFailed(_NexusEvent, frozen=True):
    """It failed."""

    failure: FailureMessage | None = None


class NexusOperationCanceled(_NexusEvent, frozen=True):
    """It was cancelled."""

    failure: FailureMessage | None = None


class NexusOperationTimedOut(_NexusEvent, frozen=True):
    """It took too long."""

    failure: FailureMessage | None = None


class NexusOperationCancelRequested(_NexusEvent, frozen=True):
    """The workflow asked to cancel it."""

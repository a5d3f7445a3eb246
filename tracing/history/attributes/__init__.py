"""What do the events of a history say? One type per event type that is read, with the fields that are read.

Fields are those of ``temporal.api.history.v1`` in snake case; other fields are skipped while decoding. Each class is
named as its event type.
"""

from __future__ import annotations

from typing import Final

from tracing.history.attributes import related, steps, workflow
from tracing.history.attributes.messages import Attributes

_CLASSES: Final[tuple[type[Attributes], ...]] = (
    workflow.WorkflowExecutionStarted,
    workflow.WorkflowExecutionCompleted,
    workflow.WorkflowExecutionFailed,
    workflow.WorkflowExecutionTimedOut,
    workflow.WorkflowExecutionCanceled,
    workflow.WorkflowExecutionTerminated,
    workflow.WorkflowExecutionContinuedAsNew,
    workflow.WorkflowExecutionSignaled,
    workflow.UpsertWorkflowSearchAttributes,
    workflow.WorkflowPropertiesModified,
    workflow.MarkerRecorded,
    workflow.WorkflowTaskCompleted,
    workflow.WorkflowTaskFailed,
    workflow.WorkflowTaskTimedOut,
    steps.ActivityTaskScheduled,
    steps.ActivityTaskStarted,
    steps.ActivityTaskCompleted,
    steps.ActivityTaskFailed,
    steps.ActivityTaskTimedOut,
    steps.ActivityTaskCancelRequested,
    steps.ActivityTaskCanceled,
    steps.TimerStarted,
    steps.TimerFired,
    steps.TimerCanceled,
    related.StartChildWorkflowExecutionInitiated,
    related.StartChildWorkflowExecutionFailed,
    related.ChildWorkflowExecutionStarted,
    related.ChildWorkflowExecutionCompleted,
    related.ChildWorkflowExecutionFailed,
    related.ChildWorkflowExecutionCanceled,
    related.ChildWorkflowExecutionTimedOut,
    related.ChildWorkflowExecutionTerminated,
    related.SignalExternalWorkflowExecutionInitiated,
    related.SignalExternalWorkflowExecutionFailed,
    related.ExternalWorkflowExecutionSignaled,
    related.RequestCancelExternalWorkflowExecutionInitiated,
    related.RequestCancelExternalWorkflowExecutionFailed,
    related.ExternalWorkflowExecutionCancelRequested,
    related.WorkflowExecutionUpdateAdmitted,
    related.WorkflowExecutionUpdateAccepted,
    related.WorkflowExecutionUpdateRejected,
    related.WorkflowExecutionUpdateCompleted,
    related.NexusOperationScheduled,
    related.NexusOperationStarted,
    related.NexusOperationCompleted,
    related.NexusOperationFailed,
    related.NexusOperationCanceled,
    related.NexusOperationTimedOut,
    related.NexusOperationCancelRequested,
)

ATTRIBUTES: Final = {class_.__name__: class_ for class_ in _CLASSES}
"""The attributes' class of each event type that is read."""

"""Why did a run fail?"""

from __future__ import annotations

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ChildWorkflowError


def root_cause(error: WorkflowFailureError) -> str:
    """Return the message of the failure that says why; the ones above it only say where."""
    cause: BaseException = error
    while isinstance(cause, (WorkflowFailureError, ActivityError, ChildWorkflowError)) and cause.cause:
        cause = cause.cause
    return str(cause)

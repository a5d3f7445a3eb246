"""Was this run made by a reset of another, and where?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracing.history.attributes.workflow import WorkflowTaskFailed
from tracing.history.enums import WORKFLOW_TASK_FAILED_CAUSES
from tracing.history.events import Event


@dataclass(frozen=True, slots=True)
class Reset:
    """The last reset that a history shows.

    Attributes:
        event_id: ID of the WORKFLOW_TASK_FAILED event that marks it. Events before it are the base run's, copied with
            their times; a step that closed before it is reused.
        base_run_id: Run ID of the base run.
        new_run_id: Real run ID of this run. (WORKFLOW_EXECUTION_STARTED is a copy too and names the base run.)
    """

    event_id: int
    base_run_id: str
    new_run_id: str


def last_reset(events: Sequence[Event]) -> Reset | None:
    """The last reset, or None."""
    for event in reversed(events):
        if event.type != "WorkflowTaskFailed":
            continue
        attributes = event.attributes
        if (
            isinstance(attributes, WorkflowTaskFailed)
            and WORKFLOW_TASK_FAILED_CAUSES.name(attributes.cause) == "RESET_WORKFLOW"
        ):
            return Reset(event.id, attributes.base_run_id, attributes.new_run_id)
    return None

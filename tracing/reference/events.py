"""Which events does the span of a run have, and who can know of them?

They are named as the events of the history that they are: what happened to the run and has no span of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tracing import conventions as c

_NOT_TOLD: Final = "Workers are not told of it."
_SERVER: Final = "The server writes it; workers are not told of it."


@dataclass(frozen=True, slots=True)
class EventName:
    """One line of the event reference.

    Attributes:
        name: The event's name.
        meaning: What happened.
        reader: "both" where the live reader and the history reader show it alike; else the one that can know of it.
        reason: Why only one reader can.
    """

    name: str
    meaning: str
    reader: Literal["both", "live", "history"] = "both"
    reason: str = ""


EVENTS: Final = (
    EventName(c.EXCEPTION_EVENT, "An error, and each of its causes; also on the spans of steps and attempts."),
    EventName("MarkerRecorded", "The workflow's code asked for a patch; a version or side effect of Go's or Java's."),
    EventName("UpsertWorkflowSearchAttributes", "The workflow set search attributes."),
    EventName("WorkflowPropertiesModified", "The workflow changed its memo."),
    EventName("WorkflowExecutionCancelRequested", "A client asked to cancel the run."),
    EventName("WorkflowTaskFailed", "A workflow task failed, or the run was reset here.", "history", _NOT_TOLD),
    EventName("WorkflowTaskTimedOut", "A workflow task took too long, or its worker died.", "history", _NOT_TOLD),
    EventName("WorkflowExecutionPaused", "The run was paused.", "history", _NOT_TOLD),
    EventName("WorkflowExecutionUnpaused", "The run was let go on.", "history", _NOT_TOLD),
    EventName("WorkflowExecutionOptionsUpdated", "The run's options were changed.", "history", _NOT_TOLD),
    EventName("WorkflowExecutionTimeSkippingTransitioned", "Time skipping was switched.", "history", _NOT_TOLD),
    EventName("WorkflowPropertiesModifiedExternally", "A client changed the run's properties.", "history", _NOT_TOLD),
    EventName("ActivityPropertiesModifiedExternally", "A client changed an activity's.", "history", _NOT_TOLD),
    EventName("WorkflowExecutionUpdateAdmitted", "An update was taken in, before a worker saw it.", "history", _SERVER),
    EventName("WorkflowExecutionUpdateRejected", "An update was refused, by servers that note it.", "history", _SERVER),
    EventName("NexusOperationCancelRequestCompleted", "A cancellation reached its handler.", "history", _SERVER),
    EventName("NexusOperationCancelRequestFailed", "A cancellation did not reach its handler.", "history", _SERVER),
    EventName(
        "{any other event type}",
        "A type that this version does not read, an event whose step is missing, a damaged event, a signal that no "
        "task was handed: each keeps the name of its type.",
        "history",
        "Only histories are damaged, cut, or newer than their reader.",
    ),
)
"""All events of the spans of runs, in the order of the page."""

"""What becomes of each event type: the whole of Temporal's enum, against a table."""

from __future__ import annotations

from typing import Final

import pytest
from temporalio.api.enums.v1 import EventType

from tests.history.every_type import EveryType
from tests.history.recording import Recording
from tests.history.spans_of_events import event_ids
from tracing import conventions as c
from tracing.history.enums import pascal_case
from tracing.history.events import Event
from tracing.spans.model import Span

START: Final = "start of the run's span"
END: Final = "end of the run's span"
TASK: Final = "workflow task"
RUN_EVENT: Final = "event of the run's span"
TASKS: Final = {"WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"}

BECOMES: Final[dict[str, str]] = {
    "WorkflowExecutionStarted": START,
    "WorkflowExecutionCompleted": END,
    "WorkflowExecutionFailed": END,
    "WorkflowExecutionTimedOut": END,
    "WorkflowExecutionCanceled": END,
    "WorkflowExecutionTerminated": END,
    "WorkflowExecutionContinuedAsNew": END,
    "WorkflowTaskScheduled": TASK,
    "WorkflowTaskStarted": TASK,
    "WorkflowTaskCompleted": TASK,
    "WorkflowTaskTimedOut": RUN_EVENT,
    "WorkflowTaskFailed": RUN_EVENT,
    "ActivityTaskScheduled": "StartActivity",
    "ActivityTaskStarted": "StartActivity, RunActivity",
    "ActivityTaskCompleted": "StartActivity, RunActivity",
    "ActivityTaskFailed": "StartActivity, RunActivity",
    "ActivityTaskTimedOut": "StartActivity, RunActivity",
    "ActivityTaskCancelRequested": "StartActivity",
    "ActivityTaskCanceled": "StartActivity, RunActivity",
    "TimerStarted": "Timer",
    "TimerFired": "Timer",
    "TimerCanceled": "Timer",
    "WorkflowExecutionSignaled": "HandleSignal",
    "MarkerRecorded": "StartActivity",
    "StartChildWorkflowExecutionInitiated": "StartChildWorkflow",
    "StartChildWorkflowExecutionFailed": "StartChildWorkflow",
    "ChildWorkflowExecutionStarted": "StartChildWorkflow",
    "ChildWorkflowExecutionCompleted": "StartChildWorkflow",
    "ChildWorkflowExecutionFailed": "StartChildWorkflow",
    "ChildWorkflowExecutionCanceled": "StartChildWorkflow",
    "ChildWorkflowExecutionTimedOut": "StartChildWorkflow",
    "ChildWorkflowExecutionTerminated": "StartChildWorkflow",
    "SignalExternalWorkflowExecutionInitiated": "SignalExternalWorkflow",
    "SignalExternalWorkflowExecutionFailed": "SignalExternalWorkflow",
    "ExternalWorkflowExecutionSignaled": "SignalExternalWorkflow",
    "RequestCancelExternalWorkflowExecutionInitiated": "RequestCancelExternalWorkflow",
    "RequestCancelExternalWorkflowExecutionFailed": "RequestCancelExternalWorkflow",
    "ExternalWorkflowExecutionCancelRequested": "RequestCancelExternalWorkflow",
    "WorkflowExecutionUpdateAccepted": "HandleUpdate",
    "WorkflowExecutionUpdateCompleted": "HandleUpdate",
    "NexusOperationScheduled": "StartNexusOperation",
    "NexusOperationStarted": "StartNexusOperation",
    "NexusOperationCompleted": "StartNexusOperation",
    "NexusOperationFailed": "StartNexusOperation",
    "NexusOperationCanceled": "StartNexusOperation",
    "NexusOperationTimedOut": "StartNexusOperation",
    "NexusOperationCancelRequested": "StartNexusOperation",
    "NexusOperationCancelRequestCompleted": RUN_EVENT,
    "NexusOperationCancelRequestFailed": RUN_EVENT,
    "WorkflowExecutionUpdateAdmitted": RUN_EVENT,
    "WorkflowExecutionUpdateRejected": RUN_EVENT,
    "WorkflowExecutionCancelRequested": RUN_EVENT,
    "WorkflowExecutionOptionsUpdated": RUN_EVENT,
    "WorkflowExecutionPaused": RUN_EVENT,
    "WorkflowExecutionUnpaused": RUN_EVENT,
    "WorkflowExecutionTimeSkippingTransitioned": RUN_EVENT,
    "UpsertWorkflowSearchAttributes": RUN_EVENT,
    "WorkflowPropertiesModified": RUN_EVENT,
    "WorkflowPropertiesModifiedExternally": RUN_EVENT,
    "ActivityPropertiesModifiedExternally": RUN_EVENT,
}
"""What an event is, by its type: the spans that name its ID, or its part in the run's own."""

TYPES: Final = sorted(pascal_case(name.removeprefix("EVENT_TYPE_")) for name, number in EventType.items() if number)


def became(recording: Recording) -> dict[str, set[str]]:
    """What the events of a history became, by type."""
    run, *steps = recording.spans()
    shown = {number for event in run.events for number in event_ids(event)}
    found: dict[str, set[str]] = {}
    for event in recording.read().events:
        names = [span.name.partition(":")[0] for span in steps if event.id in event_ids(span)]
        if event.id in event_ids(run):
            names.append(part_in(run, event, shown=event.id in shown))
        found.setdefault(event.type, set()).add(", ".join(names))
    return found


def part_in(run: Span, event: Event, *, shown: bool) -> str:
    """What an event is for the run's span."""
    if shown:
        return RUN_EVENT
    if event.type in TASKS:
        return TASK
    return {run.start: START, run.end: END}[event.time]


def test_the_table_is_of_all_types_that_the_api_has() -> None:
    assert sorted(BECOMES) == TYPES


ENDS = [type_ for type_, what in BECOMES.items() if what == END]


@pytest.mark.parametrize("end", ENDS)
def test_a_history_of_every_type_and_what_each_becomes(end: str) -> None:
    recording = EveryType()
    recording.write()
    recording.add("".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in end)[1:])

    assert became(recording) == {type_: {what} for type_, what in BECOMES.items() if what != END or type_ == end}
    assert all(c.EVENT_IDS in event.attributes for event in recording.spans()[0].events if event.name in BECOMES)

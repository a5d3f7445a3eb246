"""How does a run stand at the end of its history?"""

from __future__ import annotations

from dataclasses import dataclass

from tracing.failures import Failure, error_type
from tracing.history.attributes.workflow import (
    WorkflowExecutionCanceled,
    WorkflowExecutionCompleted,
    WorkflowExecutionContinuedAsNew,
    WorkflowExecutionFailed,
    WorkflowExecutionTerminated,
    WorkflowExecutionTimedOut,
)
from tracing.history.by_kind import EventsByKind
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.values import Payloads
from tracing.spans.run import RunStatus

_DECIDED: frozenset[RunStatus] = frozenset({"completed", "failed", "canceled", "continued_as_new"})


@dataclass(frozen=True, slots=True)
class Closing:
    """How a run stands.

    Attributes:
        status: Its status.
        end: When it closed, in ns since the epoch; None while it runs.
        event_id: ID of the event that closed it; 0 while it runs.
        result: Its result, or what it passes on to the run that continues it.
        failure: Why it failed.
    """

    status: RunStatus = "running"
    end: int | None = None
    event_id: int = 0
    result: Payloads | None = None
    failure: Failure | None = None

    @property
    def decided(self) -> bool:
        """Whether the run's own code ended it."""
        return self.status in _DECIDED


def closing_of(events: EventsByKind) -> Closing:
    """Find how a run stands."""
    found = events.of(
        WorkflowExecutionCompleted,
        WorkflowExecutionFailed,
        WorkflowExecutionCanceled,
        WorkflowExecutionContinuedAsNew,
        WorkflowExecutionTerminated,
        WorkflowExecutionTimedOut,
    )
    return _closing(found[-1]) if found else Closing()


def _closing(event: Event) -> Closing:
    attributes, end, event_id = event.attributes, event.time, event.id
    closing = Closing()
    match attributes:
        case WorkflowExecutionCompleted():
            closing = Closing("completed", end, event_id, result=attributes.result)
        case WorkflowExecutionFailed():
            closing = Closing("failed", end, event_id, failure=failure_of(attributes.failure))
        case WorkflowExecutionCanceled():
            closing = Closing("canceled", end, event_id)
        case WorkflowExecutionContinuedAsNew():
            closing = Closing("continued_as_new", end, event_id, result=attributes.input)
        case WorkflowExecutionTerminated():
            terminated = Failure("terminated", error_type("terminated", ""), message=attributes.reason)
            closing = Closing("terminated", end, event_id, failure=terminated)
        case WorkflowExecutionTimedOut():
            closing = Closing("timed_out", end, event_id, failure=Failure("timeout", error_type("timeout", "")))
    return closing

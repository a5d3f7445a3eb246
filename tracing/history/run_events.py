"""What happened to a run that has no span of its own?

Markers, resets, failed workflow tasks and the like become events of the run's span, and so do the later events of a
step whose first one is missing. Each is named as its event type and carries its ID and the few attributes that tell it
from others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history.attributes.messages import Attributes as EventAttributes
from tracing.history.attributes.related import (
    NexusOperationScheduled,
    RequestCancelExternalWorkflowExecutionFailed,
    SignalExternalWorkflowExecutionFailed,
    SignalExternalWorkflowExecutionInitiated,
    StartChildWorkflowExecutionFailed,
    UpdateRequest,
    WorkflowExecutionUpdateAccepted,
)
from tracing.history.attributes.workflow import MarkerRecorded, WorkflowTaskFailed
from tracing.history.enums import (
    CANCEL_FAILED_CAUSES,
    CHILD_FAILED_CAUSES,
    SIGNAL_FAILED_CAUSES,
    TIMEOUT_TYPES,
    WORKFLOW_TASK_FAILED_CAUSES,
    EnumNames,
)
from tracing.history.event_ids import format_event_ids
from tracing.history.events import Event
from tracing.history.failures import FailureMessage, failure_of
from tracing.history.markers import marker_attributes
from tracing.runs import Attributes
from tracing.spans.model import Event as SpanEvent

_SILENT: Final = frozenset({"WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"})
"""Types that tell nothing beside the run's span itself, as do its start and its end."""

_CAUSES: Final[Mapping[str, EnumNames]] = {
    WorkflowTaskFailed.__name__: WORKFLOW_TASK_FAILED_CAUSES,
    StartChildWorkflowExecutionFailed.__name__: CHILD_FAILED_CAUSES,
    SignalExternalWorkflowExecutionFailed.__name__: SIGNAL_FAILED_CAUSES,
    RequestCancelExternalWorkflowExecutionFailed.__name__: CANCEL_FAILED_CAUSES,
}
"""What the cause is one of, by event type."""

_TEXTS: Final = {
    "marker_name": c.MARKER_NAME,
    "signal_name": c.SIGNAL_NAME,
    "workflow_id": c.TARGET_WORKFLOW_ID,
    "activity_id": c.ACTIVITY_ID,
    "timer_id": c.TIMER_ID,
    "endpoint": c.NEXUS_ENDPOINT,
    "service": c.NEXUS_SERVICE,
    "operation": c.NEXUS_OPERATION,
    "base_run_id": c.RESET_BASE_RUN_ID,
}
"""Fields that are shown as they are, by name, wherever an event type has them."""

_ORIGINS: Final = ("scheduled_event_id", "initiated_event_id", "accepted_event_id")
"""Fields that name the event which opened what this one goes on with, and says what it is."""
_OPENING: Final = (NexusOperationScheduled, SignalExternalWorkflowExecutionInitiated, WorkflowExecutionUpdateAccepted)


def run_events(config: TracingConfig, events: Sequence[Event], claimed: set[int]) -> tuple[SpanEvent, ...]:
    """Events of the run's span, in the order of their IDs.

    Args:
        config: Settings.
        events: All events of the history.
        claimed: IDs of the events that a span was built from.
    """
    told = [event for event in events if event.id not in claimed and (event.type not in _SILENT or event.defect)]
    by_id = {event.id: event for event in events} if told else {}
    shown = []
    for event in told:
        attributes: Attributes = {c.EVENT_IDS: format_event_ids([event.id])}
        if event.defect:
            attributes[c.DEFECT] = event.defect
        if event.unread and config.capture_content:
            attributes[c.EVENT_ATTRIBUTES] = config.content(c.EVENT_ATTRIBUTES, event.unread, json=True)
        if event.attributes is not None:
            attributes |= _origin(event, by_id) | _telling(config, event.type, event.attributes)
        shown.append(SpanEvent(event.type, event.time, attributes))
    return tuple(shown)


def _origin(event: Event, by_id: Mapping[int, Event]) -> Attributes:
    """What the event that opened it says: names, where this one has numbers only."""
    for name in _ORIGINS:
        origin = by_id.get(getattr(event.attributes, name, 0))
        if origin is not None and origin.id < event.id and isinstance(origin.attributes, _OPENING):
            return _names(origin.attributes)
    return {}


def _telling(config: TracingConfig, type_: str, attributes: EventAttributes) -> Attributes:
    told = _names(attributes)
    if isinstance(attributes, MarkerRecorded):
        told |= marker_attributes(attributes)
    names = _CAUSES.get(type_)
    cause = names.name(getattr(attributes, "cause", 0)) if names is not None else ""
    if cause:
        told[c.CAUSE] = cause
    timeout = TIMEOUT_TYPES.name(getattr(attributes, "timeout_type", 0))
    if timeout:
        told[c.TIMEOUT_TYPE] = timeout
    failure = getattr(attributes, "failure", None) or getattr(getattr(attributes, "outcome", None), "failure", None)
    if isinstance(failure, FailureMessage):
        told |= _failure(config, failure)
    return told


def _names(attributes: EventAttributes) -> Attributes:
    found: Attributes = {}
    for field in attributes.__struct_fields__:
        value: Any = getattr(attributes, field)
        if not value:
            continue
        if field in _TEXTS:
            found[_TEXTS[field]] = value
        elif field == "workflow_type":
            found[c.TARGET_WORKFLOW_TYPE] = value.name
        elif field == "workflow_execution":
            found[c.TARGET_WORKFLOW_ID] = value.workflow_id
            found |= {c.TARGET_RUN_ID: value.run_id} if value.run_id else {}
        elif field == "meta":
            found[c.UPDATE_ID] = value.update_id
        elif isinstance(value, UpdateRequest):
            found |= {c.UPDATE_ID: value.meta.update_id} if value.meta is not None else {}
            found |= {c.UPDATE_NAME: value.input.name} if value.input is not None else {}
        elif field == "search_attributes":
            found[c.CHANGED_KEYS] = tuple(sorted(value.indexed_fields))
        elif field == "upserted_memo":
            found[c.CHANGED_KEYS] = tuple(sorted(value.fields))
    return found


def _failure(config: TracingConfig, message: FailureMessage) -> Attributes:
    failure = failure_of(message).root
    told: Attributes = {c.ERROR_TYPE: failure.type}
    if config.capture_content and failure.message:
        told[c.EXCEPTION_MESSAGE] = config.content(c.EXCEPTION_MESSAGE, failure.message)
    return told

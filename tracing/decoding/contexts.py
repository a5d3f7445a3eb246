"""Which workflow, activity or Nexus operation does a payload belong to?

Codecs may want to know (``WithSerializationContext``): they get what the SDK gave them when the payload was encoded.
"""

from __future__ import annotations

from temporalio.converter import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)

from tracing.history import History
from tracing.history.attributes.messages import Named
from tracing.history.attributes.related import (
    ChildWorkflowExecutionEvent,
    NexusOperationEvent,
    NexusOperationScheduled,
    SignalExternalWorkflowExecutionInitiated,
    StartChildWorkflowExecutionInitiated,
)
from tracing.history.attributes.steps import ActivityTaskEvent, ActivityTaskScheduled
from tracing.history.by_kind import EventsByKind
from tracing.history.events import Event
from tracing.history.local_activities import local_activities_of


class Contexts:
    """The contexts of a history's payloads."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.workflow: SerializationContext = self._workflow(history.workflow_id)
        self._steps: dict[int, SerializationContext] = {}
        self._activities: dict[str, int] = {}
        for event in history.events:
            context = self._asked(event)
            if context is not None:
                self._steps[event.id] = context
            if isinstance(event.attributes, ActivityTaskScheduled):
                self._activities[event.attributes.activity_id] = event.id
        own_queue = _name(history.started.task_queue)
        for local in local_activities_of(EventsByKind(history.events)):
            for each in local.tries:
                context = self._activity(each.activity_id, local.activity_type, own_queue, is_local=True)
                self._steps[each.event.id] = context

    def of(self, event: Event) -> SerializationContext:
        """The context of what an event says."""
        attributes = event.attributes
        asked = event.id
        if isinstance(attributes, (ActivityTaskEvent, NexusOperationEvent)):
            asked = attributes.scheduled_event_id
        elif isinstance(attributes, ChildWorkflowExecutionEvent):
            asked = attributes.initiated_event_id
        return self._steps.get(asked, self.workflow)

    def of_summary(self, event: Event) -> SerializationContext:
        """The context of an event's summary: the workflow, but for Nexus operations, as the SDK has it."""
        return self.of(event) if isinstance(event.attributes, NexusOperationScheduled) else self.workflow

    def of_pending(self, activity_id: str) -> tuple[int, SerializationContext]:
        """The event that asked for a pending activity, and its context; 0 where the history does not hold it yet."""
        event_id = self._activities.get(activity_id, 0)
        return event_id, self._steps.get(event_id, self.workflow)

    def _asked(self, event: Event) -> SerializationContext | None:
        match event.attributes:
            case ActivityTaskScheduled() as activity:
                queue = _name(activity.task_queue)
                return self._activity(activity.activity_id, _name(activity.activity_type), queue, is_local=False)
            case StartChildWorkflowExecutionInitiated() as child:
                return self._workflow(child.workflow_id)
            case SignalExternalWorkflowExecutionInitiated(workflow_execution=target) if target is not None:
                return self._workflow(target.workflow_id)
            case NexusOperationScheduled() as nexus:
                return NexusSerializationContext(nexus.endpoint, nexus.service, nexus.operation)
        return None

    def _workflow(self, workflow_id: str) -> SerializationContext:
        return WorkflowSerializationContext(namespace=self._history.namespace, workflow_id=workflow_id)

    def _activity(self, activity_id: str, activity_type: str, queue: str, *, is_local: bool) -> SerializationContext:
        return ActivitySerializationContext(
            namespace=self._history.namespace,
            activity_id=activity_id,
            activity_type=activity_type,
            activity_task_queue=queue,
            workflow_id=self._history.workflow_id,
            workflow_type=_name(self._history.started.workflow_type),
            is_local=is_local,
        )


def _name(named: Named | None) -> str:
    return named.name if named is not None else ""

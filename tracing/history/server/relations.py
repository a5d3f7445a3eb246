"""Which other runs does the history of a run name: those of its chain, and its children?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from tracing.history.server.fetched import CLOSING, ServerRun

_RESET: Final = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW


@dataclass(slots=True)
class Relations:
    """The runs that a history names.

    Attributes:
        first: The first run of its chain: of all that was continued as new, retried, started by one cron or reset.
        chain: Other runs of its chain: the first, the one before, the one after, those it was reset from.
        children: The first runs of its children.
    """

    first: ServerRun
    chain: list[ServerRun] = field(default_factory=list)
    children: list[ServerRun] = field(default_factory=list)


def relations(run: ServerRun, events: Iterable[HistoryEvent]) -> Relations:
    """Find the runs that a history names, each once.

    Args:
        run: The run, with its real run ID.
        events: Its events.
    """
    found = Relations(run)
    chain: dict[ServerRun, None] = {}
    children: dict[ServerRun, None] = {}
    namespaces: dict[int, str] = {}
    for event in events:
        kind = event.event_type
        if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            # Of a reset run, this event is a copy: it names the base run as the original one.
            first = started.first_execution_run_id or started.original_execution_run_id or run.run_id
            found.first = ServerRun(run.namespace, run.workflow_id, first)
            chain.update(_runs(run, first, started.continued_execution_run_id, started.original_execution_run_id))
        elif kind == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            if failed.cause == _RESET:
                chain.update(_runs(run, failed.base_run_id, failed.new_run_id))
        elif kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            initiated = event.start_child_workflow_execution_initiated_event_attributes
            namespaces[event.event_id] = initiated.namespace
        elif kind == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            child = event.child_workflow_execution_started_event_attributes
            namespace = child.namespace or namespaces.get(child.initiated_event_id) or run.namespace
            children[ServerRun(namespace, child.workflow_execution.workflow_id, child.workflow_execution.run_id)] = None
        elif kind in CLOSING:
            chain.update(_runs(run, *_next(event)))
    chain.pop(run, None)
    found.chain, found.children = list(chain), list(children)
    return found


def _runs(run: ServerRun, *run_ids: str) -> Iterator[tuple[ServerRun, None]]:
    return ((ServerRun(run.namespace, run.workflow_id, run_id), None) for run_id in run_ids if run_id)


def _next(event: HistoryEvent) -> Iterator[str]:
    """The run that goes on with a run that has ended."""
    name = event.WhichOneof("attributes")
    attributes: Any = getattr(event, name) if name else None
    if attributes is not None and "new_execution_run_id" in attributes.DESCRIPTOR.fields_by_name:
        yield attributes.new_execution_run_id

"""How does a story know how far its runs are, and wait for what comes next?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from agent.demo.story import Step
from tracing.history import Fetched, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.client import Client, WorkflowHandle

    from agent.servers.progress import Tick

T = TypeVar("T")


@dataclass(frozen=True)
class WorkflowRun:
    """A run, as far as it is.

    Attributes:
        workflow_type: Its workflow type.
        completed: Its steps that are completed.
    """

    workflow_type: str
    completed: frozenset[Step]


async def watched(tick: Tick, waiting: Coroutine[Any, Any, T]) -> T:
    """Wait, and keep the time on the terminal moving."""
    task = asyncio.ensure_future(waiting)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=0.5)
            tick()
        return task.result()
    finally:
        task.cancel()


async def completed_once(handle: WorkflowHandle[Any, Any], activity: Callable[..., Any], times: int) -> frozenset[Step]:
    """Follow a run's history until an activity has completed so many times; all steps completed by then."""
    run_id = handle.first_execution_run_id or ""
    completed: list[str] = []
    activities = _Completions()
    async for event in handle.fetch_history_events(wait_new_event=True):
        activity_id = activities.take(event)
        if activity_id is not None:
            completed.append(activity_id)
            if sum(activities.names[each] == activity.__name__ for each in completed) == times:
                break
    return frozenset(Step(run_id, each) for each in completed)


async def child_completed(handle: WorkflowHandle[Any, Any]) -> None:
    """Follow a run's history until a child of it has completed."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("child_workflow_execution_completed_event_attributes"):
            return


async def completed_by_now(client: Client, workflow_id: str, run_id: str | None) -> frozenset[Step]:
    """All steps that are completed in a run, in the runs continued from it, and in their children."""
    runs = await runs_by_now(client, workflow_id, run_id)
    return frozenset(step for run in runs for step in run.completed)


async def runs_by_now(client: Client, workflow_id: str, run_id: str | None) -> list[WorkflowRun]:
    """A run, the runs continued from it, and their children, as far as they are."""
    found = []
    async for fetched in Server(client).chain(workflow_id, run_id, children=True):
        assert isinstance(fetched, Fetched)  # histories of our own server are whole
        events = fetched.sdk().events
        workflow_type = events[0].workflow_execution_started_event_attributes.workflow_type.name
        completed = frozenset(Step(fetched.run.run_id, each) for each in completed_activities(events))
        found.append(WorkflowRun(workflow_type, completed))
    return found


def completed_activities(events: Iterable[HistoryEvent]) -> list[str]:
    """IDs of the activities whose completion is in a history, in its order."""
    activities = _Completions()
    return [activity_id for event in events if (activity_id := activities.take(event)) is not None]


class _Completions:
    """The activities of a run, as its events come."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._scheduled: dict[int, str] = {}

    def take(self, event: HistoryEvent) -> str | None:
        """Take the next event; the ID of the activity whose completion it is."""
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            self._scheduled[event.event_id] = scheduled.activity_id
            self.names[scheduled.activity_id] = scheduled.activity_type.name
        elif event.HasField("activity_task_completed_event_attributes"):
            return self._scheduled[event.activity_task_completed_event_attributes.scheduled_event_id]
        return None

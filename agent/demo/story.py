"""What happens in the demo: a run, a killed worker, another worker, the end."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from temporalio.client import Client

from agent.local.faults import Fault
from agent.research.activities import call_llm
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from tracing import TracingConfig, TracingPlugin, session

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from temporalio.client import WorkflowHandle

    from agent.demo.stage import Stage
    from agent.local.journal import RequestRecord
    from agent.servers.progress import Tick

T = TypeVar("T")

QUESTION: Final = "What does durable execution cost an AI agent?"
KILL_AFTER_LLM_CALLS: Final = 2
_ANSWER_SECONDS: Final = 0.4


@dataclass(frozen=True)
class Story:
    """What happened.

    Attributes:
        workflow_id: Workflow ID of the run.
        run_id: Its run ID.
        report: What the agent wrote.
        completed_before_kill: IDs of the activities whose completion was in the history when the worker was killed.
        requests: Requests that the model server received, oldest first.
    """

    workflow_id: str
    run_id: str
    report: str
    completed_before_kill: frozenset[str]
    requests: tuple[RequestRecord, ...]

    def requests_of(self) -> Counter[str]:
        """Number of model requests for each activity ID, by the model server's own count."""
        return Counter(_activity_id(request) for request in self.requests)

    def steps_asked(self) -> dict[str, str]:
        """What each activity asked the model for, by activity ID."""
        return {_activity_id(request): request.asked.step for request in self.requests}


def _activity_id(request: RequestRecord) -> str:
    # The agent sends RUN/ACTIVITY/ATTEMPT as its request ID.
    return request.asked.client_request_id.split("/")[1]


async def tell(stage: Stage) -> Story:
    """Run the agent, kill its worker once the second model call is in the history, and let another worker finish."""
    progress, control = stage.progress, stage.control()
    await control.arm(Fault(kind="slow", delay=_ANSWER_SECONDS, times=1_000))
    client = await Client.connect(stage.temporal.address, plugins=[TracingPlugin(TracingConfig(capture_content=True))])
    with progress.step("Starting worker-1"):
        worker = stage.start_worker("worker-1")
    with session(id="demo", tags=["demo"]):
        handle = await client.start_workflow(
            ResearchAgentWorkflow.run, QUESTION, id=f"research-{uuid.uuid4().hex[:8]}", task_queue=TASK_QUEUE
        )
    with progress.step(f"Waiting until {KILL_AFTER_LLM_CALLS} model calls are in the history of {handle.id}") as tick:
        completed = await _watched(tick, _completed_by_then(handle))
    worker.kill()
    progress.say("worker-1 is killed (SIGKILL)")
    with progress.step("Starting worker-2"):
        worker = stage.start_worker("worker-2")
    with progress.step(
        "Waiting for the run to finish (Temporal notices a lost attempt by its missing heartbeats)"
    ) as tick:
        report = await _watched(tick, handle.result())
    with progress.step("Stopping worker-2, which sends its last spans"):
        worker.stop()
    run_id = handle.first_execution_run_id
    assert run_id is not None  # this client started the run
    return Story(handle.id, run_id, report, completed, tuple(await control.requests()))


async def _completed_by_then(handle: WorkflowHandle[Any, Any]) -> frozenset[str]:
    """Follow the history until enough model calls are completed; the IDs of all activities completed by then."""
    scheduled: dict[int, tuple[str, str]] = {}
    completed: set[str] = set()
    model_calls = 0
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("activity_task_scheduled_event_attributes"):
            activity = event.activity_task_scheduled_event_attributes
            scheduled[event.event_id] = (activity.activity_id, activity.activity_type.name)
        elif event.HasField("activity_task_completed_event_attributes"):
            activity_id, kind = scheduled[event.activity_task_completed_event_attributes.scheduled_event_id]
            completed.add(activity_id)
            model_calls += kind == call_llm.__name__
            if model_calls == KILL_AFTER_LLM_CALLS:
                break
    return frozenset(completed)


async def _watched(tick: Tick, waiting: Coroutine[Any, Any, T]) -> T:
    """Wait, and keep the time on the terminal moving."""
    task = asyncio.ensure_future(waiting)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=0.5)
            tick()
        return task.result()
    finally:
        task.cancel()

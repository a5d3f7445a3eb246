"""The research agent: a run, a killed worker, another worker, the end."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from temporalio.client import Client

from agent.demo.story import Story, Told
from agent.demo.temporal_runs import TemporalRuns
from agent.demo.watching import completed_once, watched
from agent.local.faults import Fault
from agent.research.activities import call_llm
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from tracing import TracingConfig, TracingPlugin, session

if TYPE_CHECKING:
    from agent.demo.stage import Stage

QUESTION: Final = "What does durable execution cost an AI agent?"
KILL_AFTER_LLM_CALLS: Final = 2
_ANSWER_SECONDS: Final = 0.4


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
        completed = await watched(tick, completed_once(handle, call_llm, KILL_AFTER_LLM_CALLS))
    worker.kill()
    progress.say("worker-1 is killed (SIGKILL)")
    with progress.step("Starting worker-2"):
        worker = stage.start_worker("worker-2")
    with progress.step(
        "Waiting for the run to finish (Temporal notices a lost attempt by its missing heartbeats)"
    ) as tick:
        await watched(tick, handle.result())
    with progress.step("Stopping worker-2, which sends its last spans"):
        worker.stop()
    run_id = handle.first_execution_run_id
    assert run_id is not None  # this client started the run
    runs = TemporalRuns(stage.temporal.address, handle.id, run_id, (ResearchAgentWorkflow,))
    return Story(
        title=f"Demo: {handle.id}",
        told=[Told("first run", runs)],
        completed=completed,
        requests=await control.requests(),
    )

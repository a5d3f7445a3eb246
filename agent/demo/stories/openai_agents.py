"""A team of OpenAI Agents: a handoff, a worker killed while a tool runs, another worker, the end."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from temporalio.client import Client

from agent.demo.story import Story, Told
from agent.demo.temporal_runs import TemporalRuns
from agent.demo.watching import completed_by_now, watched
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.openai_agents.model import agents_plugin
from agent.openai_agents.workflow import TASK_QUEUE, AgentTeamWorkflow
from tracing import TracingConfig, TracingPlugin, session

if TYPE_CHECKING:
    from agent.demo.stage import Stage

QUESTION: Final = "What does durable execution cost an AI agent?"
WORKER: Final = "agent.openai_agents.worker"
SERVICE: Final = "agent-team"
EXPORT_SOON: Final = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
"""What the agents did before the kill is to be seen: no history has it."""


async def tell(stage: Stage) -> Story:
    """Ask the team, kill its worker while the agent that was handed over to searches, and let another worker finish."""
    progress, control, search = stage.progress, stage.control(), ControlClient(stage.search.control)
    await search.arm(Fault(kind="hold"))
    client = await Client.connect(stage.temporal.address, plugins=[TracingPlugin(TracingConfig(capture_content=True))])
    with progress.step("Starting worker-1"):
        worker = stage.start_worker("worker-1", EXPORT_SOON, module=WORKER, service=SERVICE)
    with session(id="demo", tags=["demo"]):
        handle = await client.start_workflow(
            AgentTeamWorkflow.run, QUESTION, id=f"team-{uuid.uuid4().hex[:8]}", task_queue=TASK_QUEUE
        )
    run_id = handle.first_execution_run_id
    assert run_id is not None  # this client started the run
    with progress.step(f"Waiting until an agent of {handle.id} has handed over, and the other one searches") as tick:
        await watched(tick, search.wait(state="received"))
    completed = await completed_by_now(client, handle.id, run_id)
    worker.kill()
    progress.say("worker-1 is killed (SIGKILL)")
    with progress.step("Starting worker-2"):
        worker = stage.start_worker("worker-2", module=WORKER, service=SERVICE)
    with progress.step(
        "Waiting for the run to finish (Temporal notices a lost attempt by its missing heartbeats)"
    ) as tick:
        answer = await watched(tick, handle.result())
    with progress.step("Stopping worker-2, which sends its last spans"):
        worker.stop()
    # Only for the replay, which calls no model.
    plugin = agents_plugin()
    runs = TemporalRuns(stage.temporal.address, handle.id, run_id, (AgentTeamWorkflow,), (plugin,))
    return Story(
        title=f"Demo: {handle.id}",
        told=[Told("first run", runs)],
        completed=completed,
        requests=await control.requests(),
        checks={"the agent that was handed over to gave the answer": answer.agent == "Research"},
    )

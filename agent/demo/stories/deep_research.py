"""The deep research: a worker is killed while children work, another one finishes the chain of runs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from temporalio.client import Client

from agent.deep_research.payloads import Research
from agent.deep_research.sub_question import SubQuestionWorkflow
from agent.deep_research.workflow import PLANNED, TASK_QUEUE, DeepResearchWorkflow
from agent.demo.story import Story, Told
from agent.demo.temporal_runs import TemporalRuns
from agent.demo.watching import child_completed, completed_by_now, runs_by_now, watched
from agent.local.faults import Fault
from tracing import TracingConfig, TracingPlugin, session

if TYPE_CHECKING:
    from agent.demo.stage import Stage
    from agent.servers.process import SupervisedProcess

QUESTION: Final = "What does durable execution cost an AI agent?"
HELD: Final = (f"Sub-question 1 of {PLANNED}", f"Sub-question 2 of {PLANNED}")
"""The steps whose second model call is under way when the worker is killed; the third sub-question is answered."""


async def tell(stage: Stage) -> Story:
    """Research a question, kill the worker while two children wait for the model, and let another worker finish."""
    progress, control = stage.progress, stage.control()
    for step in HELD:
        await control.arm(Fault(kind="hold", contains=f"# {step}", occurrence=2))
    client = await Client.connect(stage.temporal.address, plugins=[TracingPlugin(TracingConfig(capture_content=True))])
    with progress.step("Starting worker-1"):
        worker = _start_worker(stage, "worker-1")
    with session(id="demo-deep-research", tags=["demo"]):
        handle = await client.start_workflow(
            DeepResearchWorkflow.run,
            Research(QUESTION),
            id=f"deep-research-{uuid.uuid4().hex[:8]}",
            task_queue=TASK_QUEUE,
        )
    with progress.step(f"Waiting until a child of {handle.id} is done and two wait for the model") as tick:
        for step in HELD:
            await watched(tick, control.wait(2, step=step))
        await watched(tick, child_completed(handle))
    told = await handle.query(DeepResearchWorkflow.progress)
    completed = await completed_by_now(client, handle.id, handle.first_execution_run_id)
    worker.kill()
    progress.say("worker-1 is killed (SIGKILL)")
    await control.release()
    with progress.step("Starting worker-2"):
        worker = _start_worker(stage, "worker-2")
    with progress.step("Waiting for the research to finish") as tick:
        report = await watched(tick, handle.result())
    with progress.step("Stopping worker-2, which sends its last spans"):
        worker.stop()
    run_id = handle.first_execution_run_id
    assert run_id is not None  # this client started the run
    types = [run.workflow_type for run in await runs_by_now(client, handle.id, run_id)]
    workflows = (DeepResearchWorkflow, SubQuestionWorkflow)
    return Story(
        title=f"Deep research: {handle.id}",
        told=[Told("research", TemporalRuns(stage.temporal.address, handle.id, run_id, workflows))],
        completed=completed,
        requests=await control.requests(),
        checks={
            "a query told, before the kill, what was answered, under way and still to come": (
                len(told.answered),
                len(told.researching),
                len(told.waiting),
            )
            == (1, len(HELD), 1),
            "each sub-question was answered by one child workflow": types.count("SubQuestionWorkflow") == PLANNED,
            "the research went on in a new run, which took over what the first one had found": (
                types.count("DeepResearchWorkflow") == len(["first", "continued"]) and report.count("\n## ") == PLANNED
            ),
        },
        caption="A gap is where the worker was killed.",
    )


def _start_worker(stage: Stage, name: str) -> SupervisedProcess:
    return stage.start_worker(name, module="agent.deep_research.worker", service="deep-research-agent")

"""The approval gate: a draft waits for a person, its worker dies meanwhile, and another one gets the answer."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from temporalio.client import Client

from agent.approval.payloads import GateRequest, Review
from agent.approval.workflow import TASK_QUEUE, ApprovalGateWorkflow
from agent.demo.story import Story, Told
from agent.demo.temporal_runs import TemporalRuns
from agent.demo.watching import completed_by_now, watched
from tracing import TracingConfig, TracingPlugin, session
from tracing.cost import account

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

    from agent.approval.payloads import GateResult
    from agent.demo.stage import Stage
    from tracing.cost import PersonWait

REQUEST: Final = GateRequest("What does durable execution cost an AI agent?", reviewer="ada")
_CONFIG: Final = TracingConfig(capture_content=True)


async def tell(stage: Stage) -> Story:
    """Have a draft made, kill the worker while it waits, approve while there is none, and let another worker finish."""
    progress = stage.progress
    client = await Client.connect(stage.temporal.address, plugins=[TracingPlugin(_CONFIG)])
    with progress.step("Starting worker-1"):
        worker = stage.start_worker("worker-1", module="agent.approval.worker", service="approval-gate")
    with session(id="demo", tags=["demo"]):
        handle = await client.start_workflow(
            ApprovalGateWorkflow.run, REQUEST, id=f"approval-{uuid.uuid4().hex[:8]}", task_queue=TASK_QUEUE
        )
    with progress.step(f"Waiting until {handle.id} waits for ada") as tick:
        await watched(tick, _waits(handle))
    run_id = handle.first_execution_run_id
    assert run_id is not None  # this client started the run
    completed = await completed_by_now(client, handle.id, run_id)
    worker.kill()
    progress.say("worker-1 is killed (SIGKILL) while the run waits")
    with session(user="ada"):
        await handle.signal(ApprovalGateWorkflow.approve, Review("ada", "Well sourced."))
    progress.say("ada approves, and no worker is there: Temporal keeps the answer")
    with progress.step("Starting worker-2"):
        worker = stage.start_worker("worker-2", module="agent.approval.worker", service="approval-gate")
    with progress.step("Waiting for the run to finish") as tick:
        result = await watched(tick, handle.result())
    with progress.step("Stopping worker-2, which sends its last spans"):
        worker.stop()
    runs = TemporalRuns(stage.temporal.address, handle.id, run_id, (ApprovalGateWorkflow,))
    return Story(
        title=f"Demo: {handle.id}",
        told=[Told("first run", runs)],
        completed=completed,
        requests=await stage.control().requests(),
        checks=_checks(result, await _waits_told(runs)),
        caption="The gap is where the run waited for ada, and the worker was killed.",
    )


async def _waits(handle: WorkflowHandle[ApprovalGateWorkflow, GateResult]) -> None:
    """Follow the history until the timer of the wait is set."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("timer_started_event_attributes"):
            return


async def _waits_told(runs: TemporalRuns) -> list[PersonWait]:
    """What the exported trace tells of waits."""
    return [wait for run in await runs.export(_CONFIG) for wait in account(run.spans).waits]


def _checks(result: GateResult, waits: list[PersonWait]) -> dict[str, bool]:
    return {
        "the approval that came while no worker was there was not lost: the report is written": (
            result.outcome == "approved" and result.report is not None
        ),
        "the trace shows one wait for a person, apart from what was computed": len(waits) == 1,
        "it says how the wait ended and who answered: approve, by ada": [
            (wait.outcome, wait.answers, wait.answered_by) for wait in waits
        ]
        == [("answered", ("HandleSignal:approve",), ("ada",))],
    }

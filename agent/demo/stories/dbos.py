"""The research agent on DBOS: killed while the model answers, taken up by another process, and forked."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Final

from agent.demo.dbos_runs import DbosRuns, converted_workflow
from agent.demo.story import Step, Story, Told, step_of
from agent.local.faults import Fault
from agent.servers.process import ProcessError
from tracing import TracingConfig

if TYPE_CHECKING:
    from agent.demo.stage import Stage
    from agent.servers.process import SupervisedProcess

QUESTION: Final = "What does durable execution cost an AI agent?"
KILLED_AT: Final = "Synthesis 2 of 3"
FORKED_FROM: Final = 8
"""Number of the step that the fork does anew: the summary. Before it are the plan, three searches, three syntheses."""
_MODULE: Final = "agent.dbos_agent.run"
_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 0.4


async def tell(stage: Stage) -> Story:
    """Kill the agent while the model answers, run it again, and fork what it did before the summary."""
    progress, control = stage.progress, stage.control()
    database = f"sqlite:///{stage.folder / f'dbos-{uuid.uuid4().hex[:8]}.sqlite'}"
    workflow_id = f"research-{uuid.uuid4().hex[:8]}"
    fork_id = f"{workflow_id}-fork"

    def start(name: str, *arguments: str, **settings: str) -> SupervisedProcess:
        return stage.start_process(name, _MODULE, arguments, {"DBOS_SYSTEM_DATABASE_URL": database, **settings})

    async def fork(base: str, step: int, fork_id: str, **settings: str) -> None:
        arguments = ("--fork-from", base, "--step", str(step), "--id", fork_id)
        await _ended(start(f"agent-{fork_id}", *arguments, **settings))

    async def replay(base: str, step: int, replay_id: str) -> None:
        await fork(base, step, replay_id, OTEL_TRACES_EXPORTER="none")

    asked = (QUESTION, "--id", workflow_id, "--session", "demo", "--tag", "demo")
    for answer in ("Plan", "Synthesis 1 of 3"):
        await control.arm(Fault(kind="slow", contains=f"# {answer}", delay=_ANSWER_SECONDS))
    await control.arm(Fault(kind="hold", contains=f"# {KILLED_AT}"))
    with progress.step(f"Starting the agent, and waiting until it asks for “{KILLED_AT}”"):
        process = start("agent-1", *asked)
        await control.wait(step=KILLED_AT, timeout_s=_SECONDS)
    completed = converted_workflow(database, workflow_id, TracingConfig()).steps
    process.kill()
    progress.say("The agent is killed (SIGKILL)")
    with progress.step("Starting it again: DBOS takes up what it left"):
        await _ended(start("agent-2", *asked))
    with progress.step("Forking the workflow before its summary"):
        await fork(workflow_id, FORKED_FROM, fork_id)
    requests = await control.requests()
    forked = [step_of(request) for request in requests if step_of(request).run_id == fork_id]
    return Story(
        title=f"Demo: {workflow_id}",
        told=[
            Told("killed and recovered", DbosRuns(database, workflow_id, replay)),
            Told("fork", DbosRuns(database, fork_id, replay)),
        ],
        completed=frozenset(Step(workflow_id, str(step.function_id)) for step in completed),
        requests=requests,
        checks={"the fork asked the model for the summary alone": forked == [Step(fork_id, str(FORKED_FROM))]},
        caption="The gap is where the agent was killed.",
    )


async def _ended(process: SupervisedProcess) -> None:
    """Wait for a process that is to end well.

    Raises:
        ProcessError: It did not, or not in time.
    """
    status = await asyncio.to_thread(process.wait, _SECONDS)
    if status != 0:
        raise ProcessError(f"{process.name} ended with status {status}.\n{process.log_tail()}")

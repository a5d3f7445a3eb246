"""How long is an agent away whose process is killed while it waits for a model, and what do its traces tell of it?

The same agent on both engines, asked the same question: one model call is refused once, so that an attempt fails; the
process is killed (SIGKILL) while the model answers another call; a new process is started at once.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client

from agent.demo.dbos_runs import converted_workflow
from agent.demo.stage import Stage
from agent.demo.temporal_runs import TemporalRuns
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from tracing import TracingConfig, TracingPlugin
from tracing.spans.model import Span

QUESTION: Final = "What does durable execution cost an AI agent?"
REFUSED_AT: Final = "Synthesis 1 of 3"
KILLED_AT: Final = "Synthesis 2 of 3"
_RATE_LIMIT: Final = 429
_SECONDS: Final = 60.0
_NOT_YET: Final = {"OTEL_BSP_SCHEDULE_DELAY": "100000000"}
"""The process that is killed has exported nothing: so that it does not depend on the moment what of it was seen."""
_CONFIG: Final = TracingConfig(capture_content=True)


@dataclass(frozen=True)
class Recovery:
    """What was seen of one killed and recovered run.

    Attributes:
        away: Seconds from the kill until the call that was lost is made again.
        finished: Seconds from the kill until the run has ended.
        requests: Requests that the model server received.
        live: Live spans.
        exported: Spans made of what the engine has kept.
    """

    away: float
    finished: float
    requests: int
    live: Sequence[Span]
    exported: Sequence[Span]


async def of_temporal(stage: Stage) -> Recovery:
    """Kill a worker on Temporal; another one takes its place."""
    await _prepare(stage)
    client = await Client.connect(stage.temporal.address, plugins=[TracingPlugin(_CONFIG)])
    first = await asyncio.to_thread(stage.start_worker, "worker-1", _NOT_YET)
    handle = await client.start_workflow(
        ResearchAgentWorkflow.run, QUESTION, id=f"research-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )
    await stage.control().wait(step=KILLED_AT, timeout_s=_SECONDS)

    async def recover() -> None:
        second = await asyncio.to_thread(stage.start_worker, "worker-2")
        await handle.result()
        timed.finished()
        await asyncio.to_thread(second.stop)  # its last spans are sent

    timed = _Timed(stage.control(), first.kill)
    await timed.run(recover)
    runs = TemporalRuns(
        stage.temporal.address, handle.id, handle.first_execution_run_id or "", (ResearchAgentWorkflow,)
    )
    [run] = await runs.export(_CONFIG)
    return await timed.seen(stage, run.spans)


async def of_dbos(stage: Stage, database: str) -> Recovery:
    """Kill the process of an agent on DBOS; another one takes up what it left in the database."""
    await _prepare(stage)
    workflow_id = f"research-{uuid.uuid4()}"
    arguments, settings = (QUESTION, "--id", workflow_id), {"DBOS_SYSTEM_DATABASE_URL": database}
    first = stage.start_process("agent-1", "agent.dbos_agent.run", arguments, settings | _NOT_YET)
    await stage.control().wait(step=KILLED_AT, timeout_s=_SECONDS)

    async def recover() -> None:
        second = stage.start_process("agent-2", "agent.dbos_agent.run", arguments, settings)
        # The process ends soon after the workflow; that its spans are sent is part of the time.
        await asyncio.to_thread(second.wait, _SECONDS)
        timed.finished()

    timed = _Timed(stage.control(), first.kill)
    await timed.run(recover)
    converted = await asyncio.to_thread(converted_workflow, database, workflow_id, _CONFIG)
    return await timed.seen(stage, converted.spans)


async def _prepare(stage: Stage) -> None:
    await stage.prepare()
    await stage.control().arm(Fault(kind="status", status=_RATE_LIMIT, contains=f"# {REFUSED_AT}"))
    await stage.control().arm(Fault(kind="hold", contains=f"# {KILLED_AT}"))


class _Timed:
    """The clock from the kill on."""

    def __init__(self, control: ControlClient, kill: Callable[[], object]) -> None:
        self._control = control
        self._kill = kill
        self._begun = 0.0
        self._away = 0.0
        self._finished = 0.0

    async def run(self, recover: Callable[[], Awaitable[None]]) -> None:
        """Kill, recover, and note when the lost call is made again."""
        self._begun = time.monotonic()
        self._kill()
        await asyncio.gather(recover(), self._asked_again())

    async def _asked_again(self) -> None:
        await self._control.wait(2, step=KILLED_AT, timeout_s=_SECONDS)
        self._away = time.monotonic() - self._begun

    def finished(self) -> None:
        """The run has ended."""
        self._finished = time.monotonic() - self._begun

    async def seen(self, stage: Stage, exported: Sequence[Span]) -> Recovery:
        """What was seen, with the live spans that the Collector has."""
        requests = len(await self._control.requests())
        return Recovery(self._away, self._finished, requests, stage.collected({exported[0].trace_id}), exported)

"""A pod is killed with SIGKILL, when the model has answered and billed, and nobody has the answer yet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from agent.failures.failure import Failure
from agent.failures.moment import IN_FLIGHT, SETTINGS
from agent.local.faults import Fault

if TYPE_CHECKING:
    from agent.failures.durable import DurableRun
    from agent.failures.plain import PlainRun

KEPT_BACK: Final = Fault(kind="hold_end", contains=f"# {IN_FLIGHT}")


async def _to_workflow(run: DurableRun) -> None:
    await run.control.arm(KEPT_BACK)
    worker = await run.start_worker("worker-1")
    await run.begin()
    await run.control.wait(step=IN_FLIGHT, state="answered")
    await run.note_failure()
    await asyncio.to_thread(worker.kill)
    await run.start_worker("worker-2")


async def _to_script(run: PlainRun) -> None:
    await run.control.arm(KEPT_BACK)
    script = await run.start()
    await run.control.wait(step=IN_FLIGHT, state="answered")
    await asyncio.to_thread(script.kill)


POD_KILL: Final = Failure(
    name="pod-kill",
    title="Pod kill (SIGKILL) while an answer is on its way",
    without="all of its memory is gone; it begins again",
    with_it="another worker takes over at the call that was on its way, and makes it again",
    # Until then the worker counts as alive.
    settings=replace(SETTINGS, llm_heartbeat_timeout_s=6.0),
    to_workflow=_to_workflow,
    to_script=_to_script,
)

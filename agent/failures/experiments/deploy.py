"""A new build is deployed while a run goes on: one that has the model check the findings."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

import httpx2

from agent.failures.deployment import make_current
from agent.failures.failure import Failure
from agent.failures.moment import IN_FLIGHT, SETTINGS
from agent.local.faults import Fault
from agent.running.options import BUILD_ID, DEPLOYMENT_NAME

if TYPE_CHECKING:
    from agent.failures.durable import DurableRun
    from agent.failures.plain import PlainRun
    from agent.servers.process import SupervisedProcess

_HELD: Final = Fault(kind="hold", contains=f"# {IN_FLIGHT}")
_POLL_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 60.0
FIRST: Final = "build-1"
NEXT: Final = "build-2"


async def _patched(run: DurableRun) -> None:
    await run.control.arm(_HELD)
    worker = await run.start_worker("worker-1", "--health-port", "0", "--graceful-shutdown-timeout", "60")
    await run.begin()
    await run.control.wait(step=IN_FLIGHT)
    await run.note_failure()
    await run.start_worker("worker-2", build="checking")
    # A stop with SIGTERM waits for the answer that is on its way.
    stopping = asyncio.create_task(asyncio.to_thread(worker.stop))
    await _takes_no_new_work(worker)
    await run.control.release()
    await stopping


async def _takes_no_new_work(worker: SupervisedProcess) -> None:
    """Wait until a worker that was told to stop has begun to."""
    [health] = re.findall(r"Health is told at (\S+)/livez", worker.log.read_text())
    async with httpx2.AsyncClient(trust_env=False, verify=False) as http, asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            probed = await http.get(f"{health}/readyz")
            if probed.text.startswith("stopping"):
                return
            await asyncio.sleep(_POLL_SECONDS)


async def _pinned(run: DurableRun) -> None:
    await _versioned(run)
    await run.control.release()


async def _upgraded(run: DurableRun) -> None:
    await _versioned(run, FAILURES_UPGRADES="1")
    await run.control.release()


async def _versioned(run: DurableRun, **environ: str) -> None:
    """Deploy the next version beside the first, and make it the current one."""
    await run.control.arm(_HELD)
    name, client = run.side.name, await run.client()
    await run.start_worker("worker-1", **{DEPLOYMENT_NAME: name, BUILD_ID: FIRST}, **environ)
    await make_current(client, name, FIRST)
    await run.begin()
    await run.control.wait(step=IN_FLIGHT)
    await run.note_failure()
    await run.start_worker("worker-2", build="checking", **{DEPLOYMENT_NAME: name, BUILD_ID: NEXT}, **environ)
    await make_current(client, name, NEXT)


async def _to_script(run: PlainRun) -> None:
    await run.control.arm(_HELD)
    script = await run.start()
    await run.control.wait(step=IN_FLIGHT)
    await asyncio.to_thread(script.stop)
    await run.start("--check")


_ENDS: Final = "SIGTERM ends it; the new build begins again"

PATCHED: Final = Failure(
    name="deploy-patched",
    title="Deploy mid-run, a step added with `workflow.patched`",
    without=_ENDS,
    with_it="the old worker ends its call; the new build goes on, with its new step",
    settings=SETTINGS,
    to_workflow=_patched,
    to_script=_to_script,
)

PINNED: Final = Failure(
    name="deploy-pinned",
    title="Deploy mid-run, worker versioning, pinned",
    without=_ENDS,
    with_it="the run ends on the build that began it, without the new step",
    settings=SETTINGS,
    to_workflow=_pinned,
    to_script=_to_script,
)

UPGRADED: Final = Failure(
    name="deploy-auto-upgrade",
    title="Deploy mid-run, worker versioning, auto-upgrade",
    without=_ENDS,
    with_it="the run moves to the new build at its next step, with `workflow.patched`",
    settings=SETTINGS,
    to_workflow=_upgraded,
    to_script=_to_script,
)

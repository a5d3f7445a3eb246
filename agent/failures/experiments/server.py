"""The Temporal server dies, and is started again with its database file, while a model call is on its way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.failures.failure import Failure
from agent.failures.moment import IN_FLIGHT, SETTINGS
from agent.local.faults import Fault
from agent.servers.temporal import start_temporal

if TYPE_CHECKING:
    from agent.failures.durable import DurableRun
    from agent.failures.plain import PlainRun


async def _to_workflow(run: DurableRun) -> None:
    side = run.side
    # Not the server of the other experiments.
    server = await asyncio.to_thread(start_temporal, side.folder / "temporal", environ=side.laboratory.environ)
    side.stack.push_async_callback(asyncio.to_thread, server.stop)
    assert server.process is not None  # it has been started here
    run.server = server
    await run.control.arm(Fault(kind="hold", contains=f"# {IN_FLIGHT}"))
    await run.start_worker("worker-1")
    await run.begin()
    await run.control.wait(step=IN_FLIGHT)
    await run.note_failure()
    await asyncio.to_thread(server.process.kill)
    await run.control.release()
    await asyncio.to_thread(server.start)


async def _to_script(run: PlainRun) -> None:
    await run.start()


SERVER: Final = Failure(
    name="temporal-server",
    title="Temporal server killed and started again with its database file",
    without="it has none to lose",
    with_it="the worker keeps the answer until the server is back; nothing is asked again",
    settings=SETTINGS,
    to_workflow=_to_workflow,
    to_script=_to_script,
)

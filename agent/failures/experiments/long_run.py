"""A research of 30 minutes is killed at 29 minutes, at its last synthesis. The minutes between them are skipped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from agent.failures.failure import Failure
from agent.failures.moment import SETTINGS
from agent.local.faults import Fault
from agent.research.prompts import synthesis_step
from agent.servers.time_skipping import start_time_skipping
from tracing import conventions as c

if TYPE_CHECKING:
    from agent.failures.durable import DurableRun
    from agent.failures.plain import PlainRun

SEARCHES: Final = 11
KILLED_AFTER_S: Final = 29 * 60.0
_AT_29_MINUTES: Final = synthesis_step(SEARCHES, SEARCHES)
# The test server never takes a workflow task back that it has given to a worker which died with the run in its cache.
_NOT_STICKY: Final = ("--max-cached-workflows", "0")
_HELD: Final = Fault(kind="hold", contains=f"# {_AT_29_MINUTES}")


async def _to_workflow(run: DurableRun) -> None:
    side = run.side
    server = await asyncio.to_thread(start_time_skipping, side.folder, environ=side.laboratory.environ)
    side.stack.push_async_callback(asyncio.to_thread, server.stop)
    run.server = server
    await run.control.arm(_HELD)
    worker = await run.start_worker("worker-1", *_NOT_STICKY)
    await run.begin()
    await run.control.wait(step=_AT_29_MINUTES, timeout_s=60)
    await run.note_failure()
    await asyncio.to_thread(worker.kill)
    await run.start_worker("worker-2", *_NOT_STICKY)


async def _to_script(run: PlainRun) -> None:
    await run.control.arm(_HELD)
    script = await run.start()
    await run.control.wait(step=_AT_29_MINUTES, timeout_s=60)
    await asyncio.to_thread(script.kill)


LONG_RUN: Final = Failure(
    name="long-run",
    title="30-minute research killed at 29 minutes",
    without="29 minutes of answers are gone; it begins again",
    with_it="another worker replays 29 minutes from history, and goes on",
    settings=replace(SETTINGS, searches=SEARCHES, pause_s=KILLED_AFTER_S / (SEARCHES - 1), llm_heartbeat_timeout_s=6.0),
    to_workflow=_to_workflow,
    to_script=_to_script,
    # The test server tells workers no retry policy, and takes another time for when a task was queued.
    server_differs=frozenset({c.MAX_ATTEMPTS, c.QUEUE_TIME}),
)

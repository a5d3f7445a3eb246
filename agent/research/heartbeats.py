"""How does Temporal notice that the worker of a waiting activity has died?"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from temporalio import activity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEARTBEATS_PER_TIMEOUT = 3


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Heartbeat in the background while the body waits for a service.

    Without heartbeats the server would notice a killed worker only at the start-to-close timeout. An activity without a
    heartbeat timeout sends none.
    """
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield
        return
    beating = asyncio.create_task(_beat(timeout.total_seconds() / HEARTBEATS_PER_TIMEOUT))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _beat(interval_s: float) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(interval_s)

"""When is a process told to stop, and what does it wait for until then?"""

from __future__ import annotations

import asyncio
import signal
from typing import Any


def stop_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set, on the running event loop; they do nothing else from then on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def done_before(stop: asyncio.Event, task: asyncio.Task[Any]) -> bool:
    """Wait for a task or the stop, whichever comes first.

    Args:
        stop: The event that ends the waiting.
        task: The task; it goes on after a stop, and its exception is not raised here.

    Returns:
        Whether the task is done.
    """
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    return task.done()

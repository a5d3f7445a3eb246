"""How are many runs fetched at once, and never more held than that?

Listing and fetching overlap: the next run is looked for as soon as one of the places is free, and a place is free again
when whoever reads has asked for the next result.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def stream(
    items: AsyncIterator[Item],
    get: Callable[[Item], Awaitable[Result]],
    *,
    concurrency: int,
    in_order: bool = False,
) -> AsyncIterator[Result]:
    """Get a result for each item, several at once.

    Args:
        items: The items; asked for the next one only when there is a place for its result.
        get: Gets a result; what it raises ends the stream.
        concurrency: Places: most results at once, those being fetched and the one being worked on included.
        in_order: Whether results come in the order of their items; as they come where not.

    Yields:
        The results. What the items raise is raised after the results of the items before.
    """
    places = asyncio.Semaphore(concurrency)
    ready: asyncio.Queue[asyncio.Task[Result] | None] = asyncio.Queue()
    running: set[asyncio.Task[Result]] = set()
    asked = given = 0

    async def get_all() -> None:
        nonlocal asked
        while True:
            await places.acquire()
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
            task = asyncio.ensure_future(get(item))
            asked += 1
            running.add(task)
            if in_order:
                ready.put_nowait(task)
            else:
                task.add_done_callback(ready.put_nowait)

    getting = asyncio.create_task(get_all())
    getting.add_done_callback(lambda _: ready.put_nowait(None))
    try:
        while given < asked or not getting.done():
            task = await ready.get()
            if task is None:
                continue
            running.discard(task)
            yield await task
            del task  # its result is not held while the next one is waited for
            given += 1
            places.release()
        await getting
    finally:
        for left in (getting, *running):
            left.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await left

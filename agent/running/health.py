"""How does a supervisor learn whether a worker lives and takes work?

`/livez` says whether the worker's event loop responds: where it does not, a restart helps. `/readyz` says whether the
worker polls and Temporal can be reached: where it cannot, a restart does not help. Both answer 200, or 503 with the
reason. They are served on a thread of their own, so that they answer while the worker's event loop is blocked, and a
prober cannot hold it up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from agent.running.listening import bound, origin, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from starlette.requests import Request

LOOP_SECONDS: Final = 3.0
"""How long the worker's event loop may take to respond, before it counts as blocked."""

_MOST_PROBES_AT_ONCE: Final = 8


class WorkerHealth:
    """What probes are told of the worker on the running event loop.

    Args:
        loop_seconds: How long that loop may take to respond.
    """

    def __init__(self, *, loop_seconds: float = LOOP_SECONDS) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop_seconds = loop_seconds
        self._not_ready = "starting: it does not poll yet"
        self._reach: Callable[[], Awaitable[None]] | None = None

    def polls(self, reach: Callable[[], Awaitable[None]]) -> None:
        """The worker polls now.

        Args:
            reach: Asks Temporal for a sign of life, within a few seconds; raises where there is none. Called on the
                worker's event loop.
        """
        self._reach = reach

    def stops(self) -> None:
        """The worker takes no new work any more."""
        self._reach = None
        self._not_ready = "stopping: it takes no new work"

    async def live(self) -> str | None:
        """Why the worker should be started again; None where it lives. For other threads' loops."""
        return await self._asked(_respond())

    async def ready(self) -> str | None:
        """Why the worker takes no work; None where it does. For other threads' loops."""
        reach = self._reach
        return self._not_ready if reach is None else await self._asked(self._reached(reach))

    async def _asked(self, question: Coroutine[Any, Any, str | None]) -> str | None:
        answer = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self._loop))
        try:
            return await asyncio.wait_for(answer, self._loop_seconds)
        except TimeoutError:
            return f"the worker's event loop did not respond within {self._loop_seconds:g} s"

    async def _reached(self, reach: Callable[[], Awaitable[None]]) -> str | None:
        try:
            await reach()
        except Exception as error:  # noqa: BLE001 - whatever it is, there was no sign of life
            return f"Temporal cannot be reached: {error}"
        return None


async def _respond() -> None:
    """Run, which is all that is asked of the loop."""


@asynccontextmanager
async def health_endpoint(health: WorkerHealth, *, host: str, port: int) -> AsyncIterator[str]:
    """Answer probes for the duration of the context.

    Args:
        health: What they are told.
        host: The address of this machine to listen on.
        port: The port; 0 takes a free one.

    Yields:
        What the endpoint's addresses begin with, such as `http://127.0.0.1:8081`.

    Raises:
        OSError: The port is taken, or the address is none of this machine.
    """
    listener = bound(host, port)
    address = origin(listener)
    stopper: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=_serve, args=(health, listener, stopper), name="health", daemon=True)
    thread.start()
    stop = await asyncio.wrap_future(stopper)
    try:
        yield address
    finally:
        stop()
        # Not on the loop, which open probes wait for.
        await asyncio.to_thread(thread.join)


def _serve(health: WorkerHealth, listener: socket.socket, stopper: Future[Callable[[], object]]) -> None:
    async def serve() -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        async with serving(_app(health), listener, most_at_once=_MOST_PROBES_AT_ONCE):
            stopper.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
            await stopped.wait()

    asyncio.run(serve())


def _app(health: WorkerHealth) -> Starlette:
    def probe(path: str, ask: Callable[[], Awaitable[str | None]]) -> Route:
        async def answer(_: Request) -> PlainTextResponse:
            problem = await ask()
            status = HTTPStatus.OK if problem is None else HTTPStatus.SERVICE_UNAVAILABLE
            return PlainTextResponse(f"{problem or 'ok'}\n", status)

        return Route(path, answer)

    return Starlette(routes=[probe("/livez", health.live), probe("/readyz", health.ready)])

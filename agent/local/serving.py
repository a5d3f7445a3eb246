"""How does a local server listen on the loopback interface, say where, and stop?"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from agent.running.listening import LOOPBACK, bound, origin, serving
from agent.running.stopping import stop_signal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from starlette.applications import Starlette


@dataclass(frozen=True)
class LocalServer:
    """Where a running local server listens.

    Attributes:
        url: The base URL for the service's clients.
        control: The base URL of the control endpoints (`agent.local.control`).
    """

    url: str
    control: str


@asynccontextmanager
async def listening(app: Starlette, *, port: int, before_stop: Callable[[], None]) -> AsyncIterator[str]:
    """Serve `app` on the loopback interface for the duration of the context.

    Args:
        app: The application.
        port: The port to listen on; 0 takes a free one.
        before_stop: Called first on the way out; must let go of every request that still waits.

    Yields:
        The server's origin, such as `http://127.0.0.1:41234`.

    Raises:
        OSError: The port is taken.
    """
    listener = bound(LOOPBACK, port)
    async with serving(app, listener):
        try:
            yield origin(listener)
        finally:
            before_stop()


def run(
    serve: Callable[[int], AbstractAsyncContextManager[LocalServer]],
    *,
    description: str,
    argv: Sequence[str] | None = None,
) -> int:
    """Run a local server as a process until SIGTERM or SIGINT.

    Prints one JSON line with the server's `url` and `control` addresses when it is ready.

    Args:
        serve: Starts the server on a port and yields its addresses.
        description: What `--help` says about the server.
        argv: The command's arguments; the process's own by default.

    Returns:
        The exit code: 0 after a stop by signal, 1 where the port is taken.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 (the default) takes a free one")
    port: int = parser.parse_args(argv).port

    async def serve_until_stopped() -> int:
        stop = stop_signal()
        async with AsyncExitStack() as stack:
            try:
                server = await stack.enter_async_context(serve(port))
            except OSError as error:
                sys.stderr.write(
                    f"Cannot listen on {LOOPBACK}:{port}: {error.strerror}. Choose another --port, or 0.\n"
                )
                return 1
            sys.stdout.write(json.dumps(asdict(server)) + "\n")
            sys.stdout.flush()
            await stop.wait()
        return 0

    return asyncio.run(serve_until_stopped())

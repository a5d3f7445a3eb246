"""How does a small HTTP server listen, and leave signals to whoever started it?"""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.applications import Starlette

LOOPBACK = "127.0.0.1"
STOP_TIMEOUT_S = 5


class _Server(uvicorn.Server):
    """A uvicorn server that tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound(host: str, port: int) -> socket.socket:
    """Take an address to listen on.

    Args:
        host: An address of this machine, such as `127.0.0.1` or `::1`.
        port: The port; 0 takes a free one.

    Raises:
        OSError: The port is taken, or the address is none of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def origin(listener: socket.socket) -> str:
    """Return what addresses of a listening server begin with, such as `http://127.0.0.1:41234`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def serving(app: Starlette, listener: socket.socket, *, most_at_once: int | None = None) -> AsyncIterator[None]:
    """Serve an application for the duration of the context, and close the socket then.

    Args:
        app: The application.
        listener: What `bound` returned.
        most_at_once: Requests that are served at the same time; more are answered with 503. All by default.
    """
    with listener:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            limit_concurrency=most_at_once,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.listening.wait()
            yield
        finally:
            server.should_exit = True
            await serving

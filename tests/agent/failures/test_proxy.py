"""A proxy that cuts a connection at a named point, and no other."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from agent.failures.proxy import HOST, Cut, cutting_proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    """A server; at its end, what it serves has ended, too."""
    serving = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        serving.append(task)
        await handler(reader, writer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*(task for task in serving if task), return_exceptions=True)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1024):
        writer.write(b"<" + piece + b">")
        await writer.drain()


async def said(port: int, *pieces: bytes) -> list[bytes]:
    """What a server answers to pieces that a client sends one after the other; b"" where the connection is lost."""
    reader, writer = await asyncio.open_connection(HOST, port)
    answers = []
    try:
        for piece in pieces:
            writer.write(piece)
            answers.append(await reader.read(1024))
    except ConnectionError:
        answers.append(b"")
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return answers


async def test_it_cuts_the_connection_on_which_the_text_comes_for_the_nth_time() -> None:
    cut = Cut(b"SELECT", occurrence=2)
    async with listening(echo) as server, cutting_proxy(server, cut) as port:
        assert await said(port, b"hello", b"SELECT 1") == [b"<hello>", b"<SELECT 1>"]
        assert not cut.made.is_set()
        assert await said(port, b"hello", b"SELECT 2") == [b"<hello>", b""]
        assert cut.made.is_set()
        assert await said(port, b"SELECT 3") == [b"<SELECT 3>"]


async def test_where_the_server_goes_the_client_is_let_go() -> None:
    async def leave(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1024)

    async with listening(leave) as server, cutting_proxy(server, Cut(b"never", occurrence=1)) as port:
        assert await said(port, b"hello") == [b""]

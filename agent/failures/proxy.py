"""How is a connection to a database cut at a named point?"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST: Final = "127.0.0.1"
_PIECE_BYTES: Final = 65_536


@dataclass
class Cut:
    """Which bytes of a client end its connection.

    Attributes:
        contains: The bytes to look for, in what a client sends at once.
        occurrence: The how manieth time they come ends the connection that they come on, counted from 1.
        made: Set when the connection is cut.
    """

    contains: bytes
    occurrence: int
    made: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: int = 0

    def meets(self, piece: bytes) -> bool:
        """Count a piece that a client has sent; tell whether its connection is to be cut."""
        if self.contains not in piece:
            return False
        self._seen += 1
        if self._seen != self.occurrence:
            return False
        self.made.set()
        return True


@asynccontextmanager
async def cutting_proxy(port: int, cut: Cut) -> AsyncIterator[int]:
    """Stand between clients and a server of this machine, and drop a connection as a failing network would.

    What the connection is cut at never reaches the server.

    Args:
        port: The server's port.
        cut: When to drop a connection.

    Yields:
        The port that clients connect to.
    """
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(serve(reader, writer))
        connections.add(connection)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(HOST, port)
        ways = {
            asyncio.create_task(_forward(reader, server_writer, cut)),
            asyncio.create_task(_forward(server_reader, writer, None)),
        }
        try:
            # Where one side has gone, the other goes too.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in (writer, server_writer):
                each.transport.abort()
                with suppress(ConnectionError):
                    await each.wait_closed()

    async with await asyncio.start_server(accept, HOST, 0) as listening:
        taken: int = listening.sockets[0].getsockname()[1]
        yield taken
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: Cut | None) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        if cut is not None and cut.meets(piece):
            return
        writer.write(piece)
        await writer.drain()

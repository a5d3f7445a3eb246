"""How do the parts of an export, which are no coroutines, read from a Temporal server?

Requests are sent when they are begun, and answered while this process does other work: its event loop runs only while
somebody waits for an answer. (A thread of its own would be in the way of the conversion.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

from temporalio.client import Client

from tracing.export.settings import Connect
from tracing.history.server.fetched import Fetched, ServerRun
from tracing.history.server.reader import CONCURRENCY, Server

T = TypeVar("T")

Fetching = asyncio.Task[Fetched]
"""A run that is being fetched."""


class NotConnectedError(Exception):
    """The server cannot be reached; the message says why."""


class ServerConnection:
    """One client and the event loop that it lives in; both are there once they are needed.

    Args:
        connect: Connects to the server.
        concurrency: Most histories that are fetched at once.
        rate: Most requests per second; no limit where None.
    """

    def __init__(self, connect: Connect, *, concurrency: int = CONCURRENCY, rate: float | None = None) -> None:
        self._connect = connect
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(concurrency)
        self._rate = rate
        self._runner = asyncio.Runner()
        self._client: Client | None = None
        self._reader: Server | None = None
        self._connecting: asyncio.Task[Client] | None = None

    @property
    def client(self) -> Client:
        """The client; connects at the first use."""
        return self.run(self._connected())

    @property
    def reader(self) -> Server:
        """What reads from the server; connects at the first use."""
        if self._reader is None:
            client = self._client or self.client
            self._reader = Server(client, concurrency=self._concurrency, rate=self._rate)
        return self._reader

    def fetch(self, run: ServerRun) -> Fetching:
        """Begin to fetch a run."""
        loop = self._runner.get_loop()
        fetching = loop.create_task(self._fetch(run))
        # One turn of the loop sends the request, and takes the answers that came meanwhile.
        loop.call_soon(loop.stop)
        loop.run_forever()
        return fetching

    def fetched(self, fetching: Fetching) -> Fetched:
        """Wait for a run.

        Raises:
            RPCError: The server does not have it, or does not answer.
            NotConnectedError: It cannot be reached.
        """
        return fetching.result() if fetching.done() else self._runner.get_loop().run_until_complete(fetching)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine."""
        return self._runner.get_loop().run_until_complete(coroutine)

    def each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Iterate over what comes asynchronously."""
        while True:
            try:
                yield self.run(_next(items))
            except StopAsyncIteration:
                return

    async def _connected(self) -> Client:
        if self._client is None:
            self._connecting = self._connecting or asyncio.ensure_future(self._connect())
            try:
                self._client = await self._connecting
            finally:
                self._connecting = None
        return self._client

    async def _fetch(self, run: ServerRun) -> Fetched:
        try:
            await self._connected()
        except Exception as error:  # whatever `connect` raises
            raise NotConnectedError(str(error)) from error
        async with self._places:
            return await self.reader.fetch(run)

    def close(self) -> None:
        """End the event loop, and whatever is under way in it."""
        self._runner.close()


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)

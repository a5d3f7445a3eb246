"""How are the histories of a server read: one run, all runs of a query, a chain of runs with its children?"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tracing.history.documents import Unreadable
from tracing.history.server.chains import Found, Search
from tracing.history.server.fetched import Fetched, ServerRun
from tracing.history.server.relations import relations
from tracing.history.server.requests import Requests, refusal
from tracing.history.server.service import Service
from tracing.history.server.stream import stream

CONCURRENCY: Final = 16
"""Histories fetched at once, where nobody says how many."""

MAX_RUNS: Final = 10_000
"""Most runs of a chain with its children."""


class Server:
    """A server whose histories are read.

    Args:
        client: A connected client; its namespace is the runs'.
        concurrency: Most histories that are fetched and held at once.
        rate: Most requests per second; no limit where None.
        requests: How requests are sent; made from the rate where None.

    Raises:
        ValueError: Concurrency is below 1, or the rate is not positive.
    """

    def __init__(
        self,
        client: Client,
        *,
        concurrency: int = CONCURRENCY,
        rate: float | None = None,
        requests: Requests | None = None,
    ) -> None:
        if concurrency < 1:
            raise ValueError("concurrency is a number of histories, at least 1")
        self._service = Service(client, requests or Requests(rate))
        self._namespace = client.namespace
        self._concurrency = concurrency

    def run(self, workflow_id: str, run_id: str | None = None) -> ServerRun:
        """A run in the client's namespace; the latest one where the run ID is None."""
        return ServerRun(self._namespace, workflow_id, run_id or "")

    async def named(self, run: ServerRun) -> ServerRun:
        """The run with its run ID: the server is asked which is the latest where it has none.

        Raises:
            RPCError: The server does not have it, or does not answer.
        """
        return await self._service.named(run)

    async def fetch(self, run: ServerRun) -> Fetched:
        """Fetch a run: its events, and of a run still open how its pending activities stand.

        Raises:
            RPCError: The server does not have it, or does not answer.
        """
        return (await self._service.fetch(run)).fetched

    def find(self, query: str) -> AsyncIterator[ServerRun]:
        """The runs that a visibility query finds, page by page.

        Raises:
            RPCError: The server does not understand the query, or does not answer.
        """
        return self._service.find(query, self._namespace)

    async def runs(
        self, runs: Iterable[ServerRun] | AsyncIterable[ServerRun], *, in_order: bool = False
    ) -> AsyncIterator[Fetched | Unreadable]:
        """Fetch runs, several at once.

        Args:
            runs: The runs; asked for one when there is room for its history.
            in_order: Whether they come in this order; as they come where not.

        Yields:
            A run, or why there is none. No more than ``concurrency`` histories are held, the last one given included.
        """

        async def fetch(run: ServerRun) -> Fetched | Unreadable:
            try:
                return await self.fetch(run)
            except RPCError as error:
                return Unreadable(str(run), refusal(error))

        async for found in stream(_iterate(runs), fetch, concurrency=self._concurrency, in_order=in_order):
            yield found

    async def query(self, query: str, *, in_order: bool = False) -> AsyncIterator[Fetched | Unreadable]:
        """Fetch the runs that a visibility query finds: listing goes on while they are fetched.

        Args:
            query: Visibility query, such as ``WorkflowType='Agent' AND StartTime > '2026-11-01T00:00:00Z'``.
            in_order: Whether they come in the order of the listing; as they come where not.

        Yields:
            A run, or why there is none; where the listing breaks off, why, at the end.

        Raises:
            RPCError: The server does not understand the query (INVALID_ARGUMENT).
        """
        try:
            async for found in self.runs(self.find(query), in_order=in_order):
                yield found
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                raise
            yield Unreadable(query, f"{refusal(error)} Runs may be missing.")

    async def chain(
        self, workflow_id: str, run_id: str | None = None, *, children: bool = False, limit: int = MAX_RUNS
    ) -> AsyncIterator[Fetched | Unreadable]:
        """Fetch all runs of a chain: continued as new, retried, by cron, resets and what they were reset from.

        Args:
            workflow_id: Workflow ID.
            run_id: Any run of the chain; the latest run where None.
            children: Whether the chains of the runs' children are fetched as well, and of theirs.
            limit: Most runs.

        Yields:
            Each run once, or why there is none, as they come; at the end, whether the limit was reached.
        """
        start = self.run(workflow_id, run_id)
        try:
            start = await self._service.named(start)
        except RPCError as error:
            yield Unreadable(str(start), refusal(error))
            return
        search = Search(start, limit)

        async def look(found: Found) -> list[Fetched | Unreadable]:
            try:
                return await self._look(search, found, children=children)
            finally:
                await search.done()

        async for results in stream(search.runs(), look, concurrency=self._concurrency):
            while results:
                yield results.pop()
        complaint = search.complaint()
        if complaint is not None:
            yield complaint

    async def _look(self, search: Search, found: Found, *, children: bool) -> list[Fetched | Unreadable]:
        """Fetch a run of a chain, and add the runs that it leads to."""
        run = found.run
        results: list[Fetched | Unreadable] = []
        try:
            if found.chain is not None and (await self._service.first_of(run) != found.chain or not search.claim(run)):
                return []
            if not search.take():
                return []
            answer = await self._service.fetch(run)
            results.append(answer.fetched)
            related = relations(run, answer.events)
            search.add(related.chain)
            if children:
                search.add(related.children)
            search.add(await self._service.resets_of(run, answer.described))
            if search.is_new(related.first):
                search.add_candidates(await self._service.of_same_id(run), related.first)
        except RPCError as error:
            results.append(Unreadable(str(run), refusal(error)))
        return results


async def _iterate(runs: Iterable[ServerRun] | AsyncIterable[ServerRun]) -> AsyncIterator[ServerRun]:
    if isinstance(runs, AsyncIterable):
        async for run in runs:
            yield run
    else:
        for run in runs:
            yield run

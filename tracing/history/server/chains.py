"""Which runs belong together: the chain of a run, and the chains of its children?

Histories name their neighbours: the run before and after, the chain's first, the base run of a reset. That a run was
reset, its own history does not say: the server does when asked how the run stands, and visibility knows the runs of the
same workflow ID, of which those belong to the chain whose first run is the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from tracing.history.documents import Unreadable
from tracing.history.server.fetched import ServerRun


@dataclass(frozen=True, slots=True)
class Found:
    """A run that is looked at.

    Attributes:
        run: The run.
        chain: The first run of the chain that it belongs to, if it belongs to it: visibility cannot tell.
    """

    run: ServerRun
    chain: ServerRun | None = None


class Search:
    """A search that goes from run to run; each is found once, so that it ends.

    Args:
        start: The run to begin with.
        limit: Most runs that are fetched.
    """

    def __init__(self, start: ServerRun, limit: int) -> None:
        self._start = start
        self._limit = limit
        self._members = {start}
        self._candidates: set[Found] = set()
        self._chains: set[ServerRun] = set()
        self._next: deque[Found] = deque([Found(start)])
        self._open = 0
        self._changed = asyncio.Condition()
        self._taken = 0
        self._left_out = 0

    def add(self, runs: Iterable[ServerRun]) -> None:
        """Look at these runs as well."""
        self._next += [Found(run) for run in runs if self.claim(run)]

    def add_candidates(self, runs: Iterable[ServerRun], chain: ServerRun) -> None:
        """See whether these runs, of which visibility told, belong to a chain; they may well belong to another."""
        for run in runs:
            candidate = Found(run, chain)
            if run not in self._members and candidate not in self._candidates:
                self._candidates.add(candidate)
                self._next.append(candidate)

    def claim(self, run: ServerRun) -> bool:
        """Whether a run that belongs to what is looked for was not known to do so."""
        new = run not in self._members
        self._members.add(run)
        return new

    def is_new(self, chain: ServerRun) -> bool:
        """Whether a chain, named by its first run, was not asked for before."""
        new = chain not in self._chains
        self._chains.add(chain)
        return new

    def take(self) -> bool:
        """Whether one more run may be fetched."""
        taken = self._taken < self._limit
        self._taken += taken
        self._left_out += not taken
        return taken

    async def done(self) -> None:
        """A run was looked at, and all that it names was added."""
        self._open -= 1
        async with self._changed:
            self._changed.notify_all()

    async def runs(self) -> AsyncIterator[Found]:
        """The runs, as they are found. It ends when all were looked at and no new one was found."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._next or not self._open)
            if not self._next:
                return
            self._open += 1
            yield self._next.popleft()

    def complaint(self) -> Unreadable | None:
        """What to say where the limit was reached."""
        if not self._left_out:
            return None
        return Unreadable(
            str(self._start),
            f"more than {self._limit} runs belong to it, and the others are left out: give a higher limit, or their "
            "workflow IDs one by one.",
        )

"""Which runs have closed and settled, in which order are they taken, and what is prepared for each?"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final

from temporalio.service import RPCError, RPCStatusCode

from tracing.backends.target import TargetError
from tracing.decoding.problems import DecodingError
from tracing.export.watch.aside import LATER_SECONDS, TRIES, Aside
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.closed_runs import ClosedRun, RunSource
from tracing.export.watch.listener import Listener
from tracing.export.watch.pace import Pace
from tracing.export.watch.preparing import Preparation, Prepared
from tracing.export.watch.threads import Threads
from tracing.export.watch.troubles import Troubles
from tracing.history.documents import UnreadableError

_US: Final = 1_000_000
_SLICE: Final = 3_600 * _US
"""Close times that are listed at once, in µs, where there is much to catch up: so memory holds an hour's runs."""
_MANY: Final = 10_000
"""Runs in a longer slice, as those after empty ones are, from which on it is listed hour by hour after all."""


class QueryError(ValueError):
    """A visibility query that the server does not understand; its words."""


class _TooManyError(Exception):
    """A slice holds more runs than are listed at once."""


class Taking:
    """Takes the runs of a namespace that have closed.

    Args:
        source: Where closed runs come from.
        preparation: What is done with each.
        checkpoint: The watcher's state.
        listener: Who is told.
        pace: How the namespace is followed.
        now: The time in µs since the epoch.
        troubles: What is out of order for now.
        threads: Where runs are prepared.
        stopping: Set when no more runs are to be taken.
    """

    def __init__(
        self,
        source: RunSource,
        preparation: Preparation,
        checkpoint: Checkpoint,
        listener: Listener,
        *,
        pace: Pace,
        now: Callable[[], int],
        troubles: Troubles,
        threads: Threads,
        stopping: asyncio.Event,
    ) -> None:
        self._source = source
        self._preparation = preparation
        self._checkpoint = checkpoint
        self._listener = listener
        self._pace = pace
        self._now = now
        self._troubles = troubles
        self._threads = threads
        self._stopping = stopping
        self._overlap = int(pace.overlap * _US)
        self._aside = Aside()
        self._listed = checkpoint.since

    async def take(self, kept: Callable[[], Awaitable[None]]) -> None:
        """Take every run that has closed and settled, hour by hour of close times, faster where nothing closed."""
        await kept()
        for defect in await self._threads.run(self._preparation.refresh):
            self._listener.failed(defect)
        length = _SLICE
        start = max(self._checkpoint.since, self._listed)
        while not self._stopping.is_set():
            until = start + length if start + length < self._settled() else None
            try:
                found, start = await self._take_slice(start, until, kept, most=_MANY if length > _SLICE else None)
            except _TooManyError:
                length = _SLICE
                continue
            self._listed = start
            if until is None:
                await self._take_runs(self._aside.due(self._now()), kept)
                self._reach(start)
                return
            length = _SLICE if found else 2 * length

    def _settled(self) -> int:
        """Close time, in µs since the epoch, up to which runs have settled."""
        return self._now() - int(self._pace.settle * _US)

    async def _take_slice(
        self, start: int, until: int | None, kept: Callable[[], Awaitable[None]], *, most: int | None
    ) -> tuple[int, int]:
        """Take the runs of some close times.

        Returns:
            How many of them were new, and the close time up to which all are handled or set aside.

        Raises:
            _TooManyError: There are more than `most`.
        """
        settled = self._settled()
        found = []
        try:
            async with aclosing(self._source.closed(max(self._checkpoint.begin, start - self._overlap), until)) as runs:
                async for run in runs:
                    if not self._checkpoint.is_done(run.run_id) and run not in self._aside:
                        found.append(run)
                    if most is not None and len(found) > most:
                        raise _TooManyError
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                raise QueryError(error.message) from error
            raise
        self._troubles.server.over()
        found.sort()
        ready = [run for run in found if run.closed <= settled]
        taken = await self._take_runs(ready, kept)
        reached = max([until if until is not None else start, *taken])
        left = [run.closed for run in found if not self._checkpoint.is_done(run.run_id) and run not in self._aside]
        reached = min([reached, *left])
        self._reach(reached)
        return len(found), reached

    async def _take_runs(self, runs: Sequence[ClosedRun], kept: Callable[[], Awaitable[None]]) -> list[int]:
        """Take these runs; the close times of those that are handled now."""
        taken = []
        async with aclosing(self._prepared(runs)) as all_prepared:
            async for run, prepared in all_prepared:
                self._checkpoint.keep(run, prepared.batches)
                self._aside.taken(run)
                self._troubles.disk.over()
                self._troubles.index.over()
                self._troubles.decoding.over()
                self._listener.handled(run, prepared)
                taken.append(run.closed)
                await kept()
        return taken

    def _reach(self, reached: int) -> None:
        """Note it: a watcher that is started anew begins there, so before the first run that is set aside."""
        since = self._aside.before(reached)
        self._checkpoint.reach(since, remember=since - self._overlap)

    async def _prepared(self, runs: Sequence[ClosedRun]) -> AsyncGenerator[tuple[ClosedRun, Prepared], None]:
        """What is to be done for each run, in their order; some are worked on ahead."""
        waiting = deque(runs)
        under_way: deque[tuple[ClosedRun, asyncio.Task[Prepared]]] = deque()
        try:
            while not self._stopping.is_set():
                while waiting and len(under_way) < self._pace.ahead:
                    run = waiting.popleft()
                    under_way.append((run, asyncio.create_task(self._prepare(run))))
                if not under_way:
                    return
                run, task = under_way[0]
                try:
                    prepared = await task
                except DecodingError as error:
                    if not self._set_aside(run, error):
                        raise
                    under_way.popleft()
                    continue
                under_way.popleft()
                yield run, prepared
        finally:
            for _, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)

    def _set_aside(self, run: ClosedRun, error: DecodingError) -> bool:
        """Whether a run that cannot be decoded is left for later: not before it has failed some times."""
        known = run in self._aside
        if not self._aside.failed(run, self._now()):
            return False
        if not known:
            self._listener.failed(
                f"{run.workflow_id}, run {run.run_id}: its payloads cannot be decoded ({error}), tried {TRIES} times. "
                f"Others go on, and it is tried again every {LATER_SECONDS / 60:g} minutes: mend what decodes it."
            )
        return True

    async def _prepare(self, run: ClosedRun) -> Prepared:
        named = f"{run.workflow_id}, run {run.run_id}"
        try:
            history = await self._source.history(run)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            self._listener.failed(f"{named}: the server has its history no longer ({error.message}).")
            return Prepared([])
        except UnreadableError as error:
            self._listener.failed(f"{named}: {error}")
            return Prepared([])
        try:
            prepared = await self._threads.run(lambda: self._preparation.prepare(history))
        except (TargetError, DecodingError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - one history must not stop the others, after each restart anew
            self._listener.failed(
                f"{named}: its history cannot be converted ({type(error).__name__}: {error}). Report it, and export it "
                "by itself to see where."
            )
            return Prepared([])
        for defect in prepared.defects:
            self._listener.failed(f"{named}: {defect}")
        return prepared

"""How is a namespace followed, so that a backend ends up with every span of every run that closed?

Two loops share a checkpoint. One takes runs: it lists what has closed, waits until live spans have had their time to
arrive, asks the backend what it has, and keeps batches of what it lacks. The other sends what is kept. So an outage of
the server does not stop sending, nor does one of the backend stop taking, until the room for batches is used up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from temporalio.service import RPCError

from tracing.backends.target import TargetError
from tracing.decoding.problems import DecodingError
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.closed_runs import RunSource, unlisted
from tracing.export.watch.delivery import Delivery
from tracing.export.watch.listener import Listener
from tracing.export.watch.pace import Pace
from tracing.export.watch.preparing import Preparation
from tracing.export.watch.taking import Taking
from tracing.export.watch.threads import Threads
from tracing.export.watch.troubles import Troubles

_GRACE_SECONDS: Final = 5.0
"""How long a request under way is waited for when the watcher is stopped."""


class Watcher:
    """Follows a namespace.

    Args:
        source: Where closed runs come from.
        preparation: What is done with each.
        checkpoint: Its state.
        delivery: Sends batches; None where spans only go into files.
        listener: Who is told.
        pace: How it is followed.
        now: The time in µs since the epoch.
    """

    def __init__(
        self,
        source: RunSource,
        preparation: Preparation,
        checkpoint: Checkpoint,
        delivery: Delivery | None,
        listener: Listener,
        *,
        pace: Pace,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._listener = listener
        self._pace = pace
        self._stopping = asyncio.Event()
        self._kept = asyncio.Event()
        self._room = asyncio.Event()
        self._threads = Threads(pace.ahead + 1)
        self._troubles = Troubles(listener.note)
        self._taking = Taking(
            source,
            preparation,
            checkpoint,
            listener,
            pace=pace,
            now=now,
            troubles=self._troubles,
            threads=self._threads,
            stopping=self._stopping,
        )

    def stop(self) -> None:
        """End `run` soon: what is under way is finished, no more is begun."""
        self._stopping.set()
        self._kept.set()
        self._room.set()

    async def run(self) -> None:
        """Follow the namespace until stopped.

        Raises:
            QueryError: The server does not understand the query.
        """
        tasks = [asyncio.create_task(self._take_on()), asyncio.create_task(self._send_on())]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        finally:
            for task in [*tasks, stopping]:
                task.cancel()
            ended = await asyncio.gather(*tasks, stopping, return_exceptions=True)
            self._threads.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def once(self) -> None:
        """Send what is kept, take the runs that have closed and settled, and send what they lack.

        Raises:
            QueryError: The server does not understand the query.
            RPCError: The server cannot be asked.
            TargetError: The backend cannot be used.
            DecodingError: What decodes payloads is away.
            OSError: Files cannot be written.
        """
        try:
            await self._taking.take(self._send_all)
        finally:
            self._threads.close()

    async def _take_on(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._taking.take(self._wake_sender)
            except RPCError as error:
                wait = self._troubles.server.met(unlisted(error))
            except TargetError as error:
                wait = self._troubles.index.met(str(error), at_least=error.wait)
            except DecodingError as error:
                wait = self._troubles.decoding.met(
                    f"Payloads cannot be decoded: {error}. No run is taken before they can."
                )
            except OSError as error:
                wait = self._troubles.disk.met(_unwritable(error))
            else:
                wait = self._pace.interval
            await _set_within(self._stopping, wait)

    async def _send_on(self) -> None:
        while not self._stopping.is_set():
            self._kept.clear()
            try:
                await self._send_all()
            except TargetError as error:
                await _set_within(self._stopping, self._troubles.backend.met(str(error), at_least=error.wait))
            except OSError as error:
                await _set_within(self._stopping, self._troubles.disk.met(_unwritable(error)))
            else:
                await self._kept.wait()

    async def _send_all(self) -> None:
        while self._delivery is not None and self._checkpoint.pending and not self._stopping.is_set():
            delivered = await self._delivery.next(self._threads.run)
            self._troubles.backend.over()
            self._room.set()
            if delivered.problem:
                self._listener.failed(delivered.problem)
            self._listener.delivered(delivered)

    async def _wake_sender(self) -> None:
        self._kept.set()
        if self._checkpoint.pending_bytes < self._pace.max_bytes:
            return
        self._listener.note(
            f"{self._checkpoint.pending} batches wait for the backend, which is as much as may be kept "
            f"({self._pace.max_bytes >> 20} MiB): no more runs are taken until it has taken some. None is lost: "
            "histories keep them for as long as the namespace's retention says."
        )
        while self._checkpoint.pending_bytes >= self._pace.max_bytes and not self._stopping.is_set():
            self._room.clear()
            await self._room.wait()
        self._listener.note("There is room again: runs are taken.")


def _unwritable(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}files cannot be written ({error.strerror or error}). Make room, or mend the permissions."


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, at most for some time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return

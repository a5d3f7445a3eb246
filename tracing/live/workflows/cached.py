"""What becomes of the runs in a worker's cache when it stops? They are evicted, as the SDK evicts them while it works.

The SDK itself drops them: the garbage collector ends their code, some time later and outside of any workflow, so that
not even the SDK's replay-safe providers know it from code that goes on. A user's span that was open around a wait was
ended and sent then, and once more by the worker that took the run over.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Final, Protocol
from weakref import WeakSet

from temporalio.bridge.proto.workflow_activation import (
    RemoveFromCache,
    WorkflowActivation,
    WorkflowActivationJob,
)

from tracing.config import logger

MOST_SECONDS: Final = 5.0
"""How much longer a worker may take to stop for it: code that does not let itself be ended is left alone."""


class CachedRun(Protocol):
    """A run that a worker has in its cache."""

    def leave(self, activation: WorkflowActivation) -> None:
        """Take the run out, by an activation with its eviction; none other may be at work."""


class CachedRuns:
    """The runs that one worker has in its cache. They are held by the worker, not by this."""

    def __init__(self) -> None:
        self._runs: WeakSet[CachedRun] = WeakSet()

    def add(self, run: CachedRun) -> None:
        """Know a run."""
        self._runs.add(run)

    def remove(self, run: CachedRun) -> None:
        """Forget a run that was evicted while its worker worked."""
        self._runs.discard(run)

    async def evict(self, seconds: float = MOST_SECONDS) -> None:
        """End the code of all runs, for a worker that has stopped. Never raises for what that code does.

        Args:
            seconds: How long to wait for it, in s.
        """
        if not self._runs:
            return
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def evict() -> None:
            self._evict()
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(done.set)

        # Not a thread of a pool, which a process joins when it exits: this one may hang in the user's code.
        threading.Thread(target=evict, name="durable-trace-eviction", daemon=True).start()
        try:
            await asyncio.wait_for(done.wait(), seconds)
        except TimeoutError:
            logger.warning(
                "Code of a workflow goes on although its worker has stopped: it catches what should end it "
                "(BaseException, or asyncio.CancelledError without raising it again). Spans that it has open may be "
                "sent twice."
            )

    def _evict(self) -> None:
        activation = WorkflowActivation(
            jobs=[WorkflowActivationJob(remove_from_cache=RemoveFromCache(message="the worker has stopped"))]
        )
        for run in list(self._runs):
            self._runs.discard(run)
            try:
                run.leave(activation)
            except Exception:  # noqa: BLE001 - tasks of the user's code are left, or what it raised
                logger.debug("A workflow's code did not end with its worker.", exc_info=True)

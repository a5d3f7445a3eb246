"""How do kept batches get to the backend: oldest first, each until it is acknowledged?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tracing.backends.client import ONCE_MORE, Client, shown
from tracing.backends.target import Target
from tracing.export.watch.batch_files import KeptBatch
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.state import CheckpointError
from tracing.tracefile.batches import Batch
from tracing.tracefile.posting import PostResult, Verdict, post


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a batch.

    Attributes:
        kept: The batch, and whose it is; None where its file could not be read.
        sent: Spans that the backend took.
        rejected: Spans that it refused.
        problem: What went wrong, and what to do about it; "" where nothing did.
    """

    kept: KeptBatch | None = None
    sent: int = 0
    rejected: int = 0
    problem: str = ""


InThread = Callable[[Callable[[], PostResult]], Awaitable[PostResult]]
"""Runs what blocks in another thread."""


class Delivery:
    """Sends what a checkpoint keeps. The checkpoint is used in the event loop's thread only, requests wait in others.

    Args:
        target: Where to.
        checkpoint: What is kept.
    """

    def __init__(self, target: Target, checkpoint: Checkpoint) -> None:
        self._target = target
        self._checkpoint = checkpoint
        # The watcher waits between tries itself, and can be stopped while it does.
        self._client = Client(target.settings, ONCE_MORE)

    async def next(self, in_thread: InThread) -> Delivered:
        """Send the oldest batch, if there is any.

        Raises:
            TargetError: The backend cannot be used; the batch stays.
            OSError: The checkpoint cannot be written; the batch stays.
        """
        try:
            waiting = self._checkpoint.oldest()
        except CheckpointError as error:
            return Delivered(problem=str(error))
        if waiting is None:
            return Delivered()
        number, kept = waiting
        batch: Batch = kept.batch
        answer = await in_thread(lambda: post(self._client, self._target, batch))
        if answer.verdict is Verdict.TOO_LARGE:
            self._checkpoint.split(number, kept)
            return Delivered(kept)
        self._checkpoint.acknowledged(number)
        sent = batch.spans - answer.rejected if answer.verdict is Verdict.TAKEN else 0
        problem = f"{kept.workflow_id}, run {kept.run_id}: {answer.problem}" if answer.problem else ""
        return Delivered(kept, sent, answer.rejected, problem)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def scope_name(target: Target) -> str:
    """What a checkpoint knows a target by: no credentials are in it."""
    return f"{target.name} at {shown(target.endpoint)}"

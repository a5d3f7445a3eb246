"""The runs in the cache of a worker that stops: each is evicted, and none holds the worker up."""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracing.live.workflows.cached import CachedRuns

if TYPE_CHECKING:
    from collections.abc import Callable

    from temporalio.bridge.proto.workflow_activation import WorkflowActivation


@dataclass(eq=False)
class Run:
    """A run that notes what it is told."""

    does: Callable[[], None] = lambda: None
    jobs: list[str] = field(default_factory=list)

    def leave(self, activation: WorkflowActivation) -> None:
        self.jobs += [str(job.WhichOneof("variant")) for job in activation.jobs]
        self.does()


def fails() -> None:
    raise RuntimeError("Eviction processed, but 1 tasks remain.")


def cached(*runs: Run) -> CachedRuns:
    known = CachedRuns()
    for run in runs:
        known.add(run)
    return known


async def test_each_is_evicted_once_whatever_another_one_does() -> None:
    runs = [Run(), Run(fails), Run()]
    known = cached(*runs)
    await known.evict()
    await known.evict()
    assert [run.jobs for run in runs] == [["remove_from_cache"]] * 3


async def test_one_that_was_evicted_before_or_is_gone_is_not_evicted() -> None:
    known = cached(gone := Run(), evicted := Run())
    known.remove(evicted)
    said = gone.jobs
    del gone
    gc.collect()
    await known.evict()
    assert (evicted.jobs, said) == ([], [])


async def test_code_that_does_not_end_holds_nobody_up_and_is_named(tracing_log: list[str]) -> None:
    ended = threading.Event()
    hangs = Run(lambda: ended.wait() and None)
    await cached(hangs).evict(seconds=0.01)
    [said] = tracing_log
    assert said == (
        "Code of a workflow goes on although its worker has stopped: it catches what should end it (BaseException, or "
        "asyncio.CancelledError without raising it again). Spans that it has open may be sent twice."
    )
    ended.set()

"""What did a run not have to do again? Known when a worker has rebuilt it from its history and goes on with it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Literal

from tracing import conventions as c
from tracing.ledger import read_ledger
from tracing.live.failopen import fail_open
from tracing.live.metrics.instruments import Metrics
from tracing.runs import Attributes
from tracing.spans.activity import Activity
from tracing.spans.inner import ledger_usage

Cause = Literal["worker_change", "reset", "evicted"]
_REMEMBERED: Final = 10_000
"""Runs that were evicted longest ago are forgotten: coming back, they count as from another worker."""


class Recoveries:
    """What a worker knows of the runs that it had, and what it counts.

    Args:
        metrics: The instruments; None counts nothing.
    """

    def __init__(self, metrics: Metrics | None) -> None:
        self.metrics = metrics
        self._evicted: OrderedDict[str, None] = OrderedDict()

    def evicted(self, run_id: str) -> None:
        """A run leaves this worker's cache. It has not finished, or it may be asked for again by a query."""
        self._evicted[run_id] = None
        self._evicted.move_to_end(run_id)
        if len(self._evicted) > _REMEMBERED:
            self._evicted.popitem(last=False)

    def cause(self, run_id: str, *, reset: bool) -> Cause:
        """Why a run is being rebuilt. Asked once: it is in the cache again."""
        if self._evicted.pop(run_id, self) is None:
            return "evicted"
        return "reset" if reset else "worker_change"


class Recovery:
    """The rebuilding of one cached run, until its first workflow task that is new.

    Args:
        recoveries: What its worker knows.
        run_id: Its run ID.
        place: Namespace, workflow type and task queue.
    """

    def __init__(self, recoveries: Recoveries, run_id: str, place: Mapping[str, str]) -> None:
        self._recoveries = recoveries
        self._run_id = run_id
        self._place: Attributes = dict(place)
        self._reused: list[tuple[Activity, str, bytes | None]] = []
        self._replayed = False
        self._reset = False

    def reuse(self, activity: Activity, activity_id: str, ledger: bytes | None) -> None:
        """The outcome of an activity was taken from the history, with the ledger that lies beside it."""
        self._reused.append((activity, activity_id, ledger))

    def follow(self, *, replaying: bool, reset: bool) -> None:
        """An activation has been read that is no query's alone.

        Args:
            replaying: Whether it repeats what was done before.
            reset: Whether it brings what a reset took over from the base run.
        """
        self._reset |= reset
        if replaying:
            self._replayed = True
        elif self._replayed or reset:
            with fail_open("the metrics of a recovery"):
                self._count(self._recoveries.cause(self._run_id, reset=reset))
            self._replayed = False
            self._reused.clear()

    def _count(self, cause: Cause) -> None:
        metrics = self._recoveries.metrics
        if metrics is None:
            return
        told: dict[str, Any] = self._place | {c.METRIC_RECOVERY_CAUSE: cause}
        metrics.add(c.RECOVERIES, 1, told)
        if cause == "evicted":
            return  # without durable execution there would have been nothing to recover from
        run_id = None if self._reset else self._run_id  # ledgers that were taken over name the base run
        for activity, activity_id, data in self._reused:
            step = told | {c.ACTIVITY_TYPE: activity.activity_type, c.TASK_QUEUE: activity.task_queue}
            usage = ledger_usage(read_ledger(data, run_id=run_id, activity_id=activity_id))
            metrics.add(c.REUSED_STEPS, 1, step)
            metrics.add(c.REUSED_COST, float(usage.cost), step)

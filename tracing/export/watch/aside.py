"""Which runs are left for later, for what decodes their payloads fails again and again?

A codec server that is away fails for every run, and is waited for. One that fails for the same run each time, as where
it takes too long for what is in it, must not keep all later runs waiting.
"""

from __future__ import annotations

from typing import Final

from tracing.export.watch.closed_runs import ClosedRun

TRIES: Final = 10
"""Failures in a row after which a run is set aside: what is away for less than five minutes is waited for."""
LATER_SECONDS: Final = 600.0
"""Time until a run that is set aside is tried again."""


class Aside:
    """Runs that are set aside. They are in memory only: a watcher that is started anew tries them as any other."""

    def __init__(self) -> None:
        self._next: dict[ClosedRun, int] = {}
        self._failing: ClosedRun | None = None
        self._failures = 0

    def __contains__(self, run: ClosedRun) -> bool:
        """Whether a run is set aside."""
        return run in self._next

    def failed(self, run: ClosedRun, now: int) -> bool:
        """A run could not be decoded; whether it is set aside from now on.

        Args:
            run: The run.
            now: The time in µs since the epoch.
        """
        if run not in self._next:
            self._failures = self._failures + 1 if run == self._failing else 1
            self._failing = run
            if self._failures < TRIES:
                return False
        self._next[run] = now + int(LATER_SECONDS * 1_000_000)
        return True

    def taken(self, run: ClosedRun) -> None:
        """A run is handled."""
        self._next.pop(run, None)

    def due(self, now: int) -> list[ClosedRun]:
        """Runs to be tried again, in the order of their close times."""
        return sorted(run for run, time in self._next.items() if time <= now)

    def before(self, reached: int) -> int:
        """A close time, or that of the first run that is set aside, if it is earlier."""
        return min([reached, *(run.closed for run in self._next)])

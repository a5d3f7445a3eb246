"""Who is told what a watcher does?"""

from __future__ import annotations

from typing import Protocol

from tracing.export.watch.closed_runs import ClosedRun
from tracing.export.watch.delivery import Delivered
from tracing.export.watch.preparing import Prepared


class Listener(Protocol):
    """Who is told what happens."""

    def handled(self, run: ClosedRun, prepared: Prepared) -> None:
        """A run is handled; its batches, if there are any, are kept."""

    def delivered(self, delivered: Delivered) -> None:
        """The backend took or refused a batch."""

    def failed(self, sentence: str) -> None:
        """Something could not be done, and is not tried again."""

    def note(self, sentence: str) -> None:
        """Something is out of order, or in order again."""

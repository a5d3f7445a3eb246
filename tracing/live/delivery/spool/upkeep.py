"""What does the spool do in the background, besides sending?"""

from __future__ import annotations

import threading
from typing import Final

from tracing.live.delivery.spool.store import Spool
from tracing.live.delivery.spool.takeover import take_over
from tracing.live.failopen import fail_open

_SIGN_SECONDS: Final = 1.0
"""Time between two signs of life; a span that was open when its worker died ends at the last."""
_MEASURE_EVERY: Final = 10
"""Signs of life between two looks at what the files of others take."""


class Upkeep:
    """The threads that take over what the dead have left, and that give signs of life.

    Args:
        spool: The spool; its exporters are known.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._alive: threading.Thread | None = None
        spool.on_activity = self.live
        threading.Thread(target=self._take_over, name="durable-trace-spool-takeover", daemon=True).start()

    def live(self) -> None:
        """Give signs of life from now on; in a forked child, which has no threads, anew."""
        if self._alive is None or not self._alive.is_alive():
            self._alive = threading.Thread(target=self._run, name="durable-trace-spool", daemon=True)
            self._alive.start()

    def _take_over(self) -> None:
        with fail_open("the take-over of a spool"):
            take_over(self._spool)

    def _run(self) -> None:
        turn = 0
        while not self._spool.closed:
            turn += 1
            with fail_open("the upkeep of the spool"):
                self._spool.tend(measure=turn % _MEASURE_EVERY == 0)
            with self._spool.changed:
                self._spool.changed.wait_for(lambda: self._spool.closed, _SIGN_SECONDS)

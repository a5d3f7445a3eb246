"""How many spans of this process were lost, and why?

Plain counters, for metrics and for messages. A span that was lost live can be put back from the history of its run.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final, Literal

from tracing.live.delivery.forks import in_forked_child

Reason = Literal["outbox_full", "queue_full", "export_failed", "refused", "shutdown", "unreadable"]
"""Why a span was lost: too many waited to be sent (in the outbox, then in the exporter's queue); the exporter failed;
it refused this span again and again while it took others; the process ended first; its spool record was damaged."""


class Drops:
    """Counts lost spans by reason, and spans that a spool could not keep; used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dropped: Counter[Reason] = Counter()
        self._unspooled = 0

    def add(self, reason: Reason, count: int = 1) -> None:
        """Count spans that are lost."""
        if count > 0:
            with self._lock:
                self._dropped[reason] += count

    def add_unspooled(self) -> None:
        """Count a span that the spool could not keep. It is not lost: it is exported from memory, if it can be."""
        with self._lock:
            self._unspooled += 1

    @property
    def dropped(self) -> dict[Reason, int]:
        """Spans lost, by reason; a reason without any is absent."""
        with self._lock:
            return dict(self._dropped)

    @property
    def total(self) -> int:
        """Spans lost, for whatever reason."""
        return sum(self.dropped.values())

    @property
    def unspooled(self) -> int:
        """Spans that a killed process would have lost, because its spool was full or could not be written."""
        return self._unspooled

    def reset(self) -> None:
        """Begin at zero; a forked child does."""
        self._lock = threading.Lock()
        self._dropped = Counter()
        self._unspooled = 0


drops: Final = Drops()
"""The counters of this process."""

in_forked_child(drops.reset)

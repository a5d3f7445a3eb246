"""What is a span that was open when its worker died?"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Status, StatusCode

from tracing import conventions as c
from tracing.live.delivery.forks import in_forked_child
from tracing.live.delivery.spool.decoding import decode_span

Place = tuple[tuple[str, str], ...]
"""Namespace, workflow type, activity type and task queue of an attempt: keys and values."""


class LostAttempts:
    """Counts the attempts that this process found dead in the spool; used from any thread."""

    def __init__(self) -> None:
        self.reset()

    def add(self, span: ReadableSpan) -> None:
        """Count a lost span, where it is an attempt's."""
        attributes = span.attributes or {}
        if c.ATTEMPT not in attributes:
            return
        place = tuple((key, str(attributes[key])) for key in c.PLACE if key in attributes)
        with self._lock:
            self._counts[place] += 1

    def counted(self) -> dict[Place, int]:
        """How many, by place."""
        with self._lock:
            return dict(self._counts)

    def reset(self) -> None:
        """Begin at zero; a forked child does."""
        self._lock = threading.Lock()
        self._counts: Counter[Place] = Counter()


lost_attempts: Final = LostAttempts()
"""The counts of this process."""

in_forked_child(lost_attempts.reset)


def begun_by_worker(started: bytes) -> int:
    """When a span began by the worker's own clock, in ns; 0 for an attempt, which begins by the server's.

    Args:
        started: The span as the spool noted it at its beginning.

    Raises:
        ValueError: The note cannot be read.
    """
    span = decode_span(started)
    return 0 if c.ATTEMPT in (span.attributes or {}) else span.start_time or 0


def lost_span(started: bytes, last_sign: int) -> ReadableSpan:
    """The span as it was: begun, and ended with its worker. What it used is unknown, so nothing says that it was 0.

    Args:
        started: The span as the spool noted it at its beginning.
        last_sign: The worker's last sign of life, in ns since the epoch.

    Raises:
        ValueError: The note cannot be read.
    """
    open_span = decode_span(started)
    attributes = {**(open_span.attributes or {}), c.ERROR_TYPE: c.WORKER_LOST}
    if c.ATTEMPT in attributes:
        attributes[c.UNRECORDED] = True
    return decode_span(
        started,
        attributes=attributes,
        status=Status(StatusCode.ERROR),
        end_time=max(open_span.start_time or 0, last_sign),
    )

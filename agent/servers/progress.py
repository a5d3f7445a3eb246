"""What does somebody who waits at a terminal see?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

Tick = Callable[[], None]
"""Called again and again by code that waits; keeps the elapsed time on the terminal up to date."""

_SECONDS_BETWEEN_LINES: Final = 30.0
_CLEAR_LINE: Final = "\r\x1b[K"


class Progress:
    """Says on a stream what is being done and for how long: one moving line on a terminal, whole lines elsewhere.

    Args:
        stream: Where to; standard error by default, so that standard output stays the result.
        clock: Seconds that only ever grow.
    """

    def __init__(self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock

    def say(self, text: str) -> None:
        """One line that stays."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    @contextmanager
    def step(self, text: str) -> Iterator[Tick]:
        """Show a step that takes long; the block calls what it is given while it waits."""
        started = self._clock()
        moving = self._stream.isatty()
        last = float("-inf") if moving else started

        def tick() -> None:
            nonlocal last
            now = self._clock()
            if now - last < (1.0 if moving else _SECONDS_BETWEEN_LINES):
                return
            last = now
            line = f"{text} … {now - started:.0f} s"
            self._stream.write(f"{_CLEAR_LINE}{line}" if moving else f"{line}\n")
            self._stream.flush()

        if not moving:
            self.say(f"{text} …")
        outcome = "failed"
        try:
            tick()
            yield tick
            outcome = "done"
        finally:
            self.say(f"{_CLEAR_LINE if moving else ''}{text}: {outcome} after {self._clock() - started:.0f} s")

"""Named points at which workflows and activities wait for a test: so races come out as the test wants them."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from typing import Final

SECONDS: Final = 60.0
"""A gate that nobody opens fails the test instead of hanging it."""


class Gate:
    """A point that code reaches, and goes on from when the test lets it."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def wait(self) -> None:
        """Say that the point is reached, and wait there."""
        self._reached.set()
        if not self._opened.wait(SECONDS):
            raise TimeoutError("nobody opened the gate")

    async def reached(self) -> None:
        """Wait until some code stands at the point."""
        if not await asyncio.to_thread(self._reached.wait, SECONDS):
            raise TimeoutError("nobody reached the gate")

    async def opened(self) -> None:
        """Wait until it is open."""
        if not await asyncio.to_thread(self._opened.wait, SECONDS):
            raise TimeoutError("nobody opened the gate")

    def open(self) -> None:
        """Let it go on, and all that come later."""
        self._opened.set()


gates: defaultdict[str, Gate] = defaultdict(Gate)
"""The gates of this process, by name: names hold the workflow ID, so each run has its own."""

happened: set[str] = set()
"""What was to happen once in this process, and has."""

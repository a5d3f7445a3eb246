"""A worker's command, with a stand-in for the worker."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from agent.running import worker


class Starting:
    """A worker that does not come to poll, for the server does not tell it of its namespace."""

    is_running = False
    task_queue = "agents"

    def __init__(self) -> None:
        self.ended = False

    async def run(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


async def connected(_: object) -> None:
    """Temporal answers."""


def test_a_stop_counts_also_between_the_connection_and_the_first_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "configure", lambda: None)
    monkeypatch.setattr(worker, "connect", connected)
    starting = Starting()

    def build(_client: object, **_options: object) -> Any:
        return starting

    assert worker.worker_main(build, description="Run a worker.")([]) == 0
    assert starting.ended

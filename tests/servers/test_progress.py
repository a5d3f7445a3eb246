from __future__ import annotations

import io
from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest

from agent.servers.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def clock(*seconds: float) -> Callable[[], float]:
    """Says these times, one a call, then the last one for ever."""
    times = chain(seconds, repeat(seconds[-1]))
    return lambda: next(times)


def test_a_log_gets_whole_lines_every_half_minute() -> None:
    stream = io.StringIO()
    with Progress(stream, clock=clock(0, 0, 1, 31, 32, 62, 65)).step("Building the Collector") as tick:
        for _ in range(4):
            tick()
    assert stream.getvalue().splitlines() == [
        "Building the Collector …",
        "Building the Collector … 31 s",
        "Building the Collector … 62 s",
        "Building the Collector: done after 65 s",
    ]


def test_a_terminal_gets_one_line_that_moves_every_second() -> None:
    stream = Terminal()
    with Progress(stream, clock=clock(0, 0, 0.5, 1.2, 2)).step("Building") as tick:
        tick()
        tick()
    clear = "\r\x1b[K"
    assert stream.getvalue() == f"{clear}Building … 0 s{clear}Building … 1 s{clear}Building: done after 2 s\n"


def test_a_step_that_fails_says_so() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="no"), Progress(stream, clock=clock(0, 0, 3)).step("Building"):
        raise ValueError("no")
    assert stream.getvalue() == "Building …\nBuilding: failed after 3 s\n"

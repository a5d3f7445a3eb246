"""Parts of one whole, done by several processes."""

from __future__ import annotations

import os
import signal
from functools import partial
from itertools import count, islice
from pathlib import Path

import pytest

from tracing.parallel import ProcessKilledError, in_processes

pytestmark = pytest.mark.slow


def square(number: int) -> int:
    return number * number


def killed_at(fatal: int, number: int) -> int:
    if number == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def waits_after_the_first(fifo: Path, number: int) -> int:
    return len(fifo.read_bytes()) if number else 0


def test_each_part_comes_with_its_result_in_the_order_of_the_parts() -> None:
    assert list(in_processes(square, range(20), 2)) == [(number, number * number) for number in range(20)]


def test_parts_are_taken_as_there_is_somebody_to_do_them() -> None:
    taken = count()
    done = in_processes(square, taken, 2)
    assert list(islice(done, 2)) == [(0, 0), (1, 1)]
    done.close()
    assert next(taken) == 7


def test_a_process_that_is_killed_ends_the_work() -> None:
    with pytest.raises(ProcessKilledError):
        list(in_processes(partial(killed_at, 3), range(20), 2))


def test_who_stops_early_does_not_wait_for_what_is_being_done(tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")  # nobody ever writes
    done = in_processes(partial(waits_after_the_first, fifo), range(20), 2)
    assert next(done) == (0, 0)
    done.close()

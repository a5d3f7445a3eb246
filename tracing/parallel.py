"""How do several processes share a work whose parts make one whole, so that the loss of one part is the loss of all?

(Work whose pieces fail alone is shared otherwise: an item of an export is tried again, `tracing/export/workers.py`; a
history that is replayed has a deadline, `tracing/replay/processes.py`.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Final, TypeVar

P = TypeVar("P")
R = TypeVar("R")

_AHEAD: Final = 3
"""Parts at hand for each process: it is not to wait for the next."""


class ProcessKilledError(Exception):
    """A process that did a part has died, perhaps for want of memory."""


def cpus() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(do: Callable[[P], R], parts: Iterable[P], jobs: int) -> Generator[tuple[P, R], None, None]:
    """Do parts in processes, which are started as new programs, not forked: the Temporal SDK has threads.

    Whoever stops early, as at Ctrl-C, does not wait for the parts that are being done: their processes are ended.

    Args:
        do: Does a part; a function of a module, or a partial of one. What it raises ends the work.
        parts: The parts; taken as there is somebody to do them.
        jobs: How many processes. A script must be safe to import, as for every use of `multiprocessing`.

    Yields:
        Each part with its result, in the order of the parts.

    Raises:
        ProcessKilledError: A process has died.
    """
    remaining = iter(parts)
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_end_when_interrupted)
    waiting: deque[tuple[P, Future[R]]] = deque()
    try:
        while True:
            for part in islice(remaining, jobs * _AHEAD - len(waiting)):
                waiting.append((part, pool.submit(do, part)))
            if not waiting:
                return
            part, future = waiting.popleft()
            yield part, future.result()
    except BrokenProcessPool as error:
        raise ProcessKilledError("A process that did a part of the work was killed.") from error
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_when_interrupted() -> None:
    """Let a process end at Ctrl-C without a word: the one that started it says what is to be said."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

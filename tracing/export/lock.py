"""How do two exports into one folder keep out of each other's way?

The folder itself is locked, so that no lock file is left over. Worker processes inherit the lock: an export whose
parent was killed holds it until its last worker has noticed, and the next one waits for that.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EACCES, EAGAIN
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

_POLL_SECONDS: Final = 0.05
_NOTICE_SECONDS: Final = 2.0


@contextmanager
def locked(folder: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[int | None]:
    """Hold the folder's lock.

    Args:
        folder: The folder; it exists.
        waiting: Called once when another export holds it for longer than a moment.

    Yields:
        The descriptor that holds it, for worker processes; None where there are no locks.
    """
    if sys.platform == "win32":
        yield None
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor if _acquired(descriptor, waiting) else None
    finally:
        os.close(descriptor)


def _acquired(descriptor: int, waiting: Callable[[], None]) -> bool:
    notice = time.monotonic() + _NOTICE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {EACCES, EAGAIN}:
                return False  # some network file systems cannot lock folders
        else:
            return True
        if time.monotonic() > notice:
            waiting()
            notice = float("inf")
        time.sleep(_POLL_SECONDS)

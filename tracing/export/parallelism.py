"""How many worker processes pay?

Starting one costs more than a second of CPU, for it loads Temporal's SDK. For a handful of histories one process is
faster than two.
"""

from __future__ import annotations

import os
from typing import Final

from tracing.parallel import cpus

_START_SECONDS: Final = 1.5
_SECONDS_PER_ITEM: Final = 0.002
_BYTES_PER_SECOND: Final = 35e6


def worthwhile_jobs(items: int | None, size: int = 0) -> int:
    """How many processes do the work soonest.

    Args:
        items: How many items there are; None where nobody knows.
        size: How large they are together, in bytes, as far as that is known.

    Returns:
        1 for this process alone, at most the number of CPUs.
    """
    if os.name != "posix":
        return 1  # workers inherit a socket and the folder's lock
    if items is None:
        return cpus()
    seconds = items * _SECONDS_PER_ITEM + size / _BYTES_PER_SECOND
    return max(1, min(cpus(), items, int(seconds / _START_SECONDS)))

"""How does a short process that used the Temporal SDK end with the exit code it means?

The SDK's native threads can crash the interpreter while it is torn down, after all work is done (sdk-python#300): the
exit code is then 134 or 139. So everything that would run at exit runs here, and the process ends before the teardown.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from typing import NoReturn


def exit_process(status: int) -> NoReturn:
    """Run what is registered for exit (exporters flush there), flush the standard streams, and end the process.

    Args:
        status: The exit code. Where it is 0 and the output could not be written, the process ends with 1.
    """
    try:
        # The interpreter's own list of exit functions; there is no public way to run it early.
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()  # noqa: SLF001
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:  # as in a process without standard streams
                    stream.flush()
            except (OSError, ValueError):
                status = status or 1
    finally:
        # Also when Ctrl-C cuts the exit functions short.
        os._exit(status)

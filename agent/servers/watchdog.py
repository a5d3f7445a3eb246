"""How does a server die with the process that started it, even when that one is killed?

Run as a program of its own, between the two: ``python watchdog.py GRACE_SECONDS COMMAND...``. It is the server's parent
and reads a pipe whose other end only the starter holds. The kernel closes that end whenever the starter ends, also by
SIGKILL; the watchdog sees the end of the file and stops the server.

Why not Linux's PR_SET_PDEATHSIG: it fires when the starting *thread* ends, needs code between fork and exec, which is
unsafe in a process with threads, and reaches no grandchildren. A pipe has none of these faults and works on macOS.

Protocol: the server's process ID on standard output, then bytes on standard input: ``K`` kills at once, the end of the
file stops (SIGTERM, after the grace period SIGKILL). Exits as the server did; 128 + signal where a signal ended it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time


def main() -> int:
    """Run the command until it ends or the starter is gone; returns its exit status."""
    grace_seconds, command = float(sys.argv[1]), sys.argv[2:]
    wake_reader, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer)
    # Only the pipe gives orders. Handlers, not SIG_IGN, which the server would inherit.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        # A process group of its own, so that whatever the server starts is stopped with it.
        server = subprocess.Popen(  # noqa: S603 - the command is the starter's
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return 127
    os.write(sys.stdout.fileno(), b"%d\n" % server.pid)
    os.close(sys.stdout.fileno())
    _guard(server.pid, wake_reader, grace_seconds)
    # Not reaped before this: until then the process group's ID cannot belong to anybody else.
    _signal_group(server.pid, signal.SIGKILL)
    status = server.wait()
    return status if status >= 0 else 128 - status


def _guard(server: int, wake_reader: int, grace_seconds: float) -> None:
    """Returns when the server has ended, or must be killed."""
    control, deadline = sys.stdin.fileno(), float("inf")
    watched = [control, wake_reader]
    while not _has_ended(server):
        left = deadline - time.monotonic()
        if left <= 0:
            return
        ready, _, _ = select.select(watched, [], [], None if left == float("inf") else left)
        if wake_reader in ready:
            os.read(wake_reader, 4096)
        if control in ready:
            if os.read(control, 1) == b"K":
                return
            watched.remove(control)
            deadline = time.monotonic() + grace_seconds
            _signal_group(server, signal.SIGTERM)


def _has_ended(server: int) -> bool:
    return os.waitid(os.P_PID, server, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(server: int, number: int) -> None:
    # macOS answers EPERM for a group of which only the unreaped leader is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server, number)


if __name__ == "__main__":
    sys.exit(main())

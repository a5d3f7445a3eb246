"""How is a child process started, waited for, and never left behind?"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

_WATCHDOG: Final = Path(__file__).with_name("watchdog.py")
_POLL_SECONDS: Final = 0.05
_TAIL_LINES: Final = 15
_TAIL_BYTES: Final = 16_384


class ProcessError(RuntimeError):
    """A child process ended, or did not become ready in time. The message ends with the last lines of its log."""


class SupervisedProcess:
    """A child process that ends when it is stopped, and at the latest when this process ends, however that happens.

    A watchdog (see ``watchdog.py``) stands between the two. It and the child have sessions of their own: Ctrl-C on the
    terminal reaches only this process, which decides the order in which its children stop.

    Args:
        name: What messages call it.
        command: Program and arguments.
        log: File that standard output and standard error are appended to; its folder is made.
        environ: The child's whole environment; this process's when ``None``.
        cwd: The child's working directory.
        grace_seconds: How long the child may take to end after SIGTERM before it gets SIGKILL.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace_seconds: float = 10.0,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self._environ = environ
        self._cwd = cwd
        self._grace_seconds = grace_seconds
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Process ID of the child itself (not of its watchdog), from its start until it has been stopped."""
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the child has been started and has not ended."""
        return self._watchdog is not None and self._watchdog.poll() is None

    def start(self) -> None:
        """Start the child, again if it had been stopped. Returns at once; see :meth:`wait_until`.

        Raises:
            ProcessError: The program cannot be started.
            RuntimeError: It is running already.
        """
        if self.running:
            raise RuntimeError(f"{self.name} is running already (process {self._pid})")
        self.stop()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._watchdog = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell; the caller chose the program
                [sys.executable, "-I", "-S", str(_WATCHDOG), str(self._grace_seconds), *self.command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=None if self._environ is None else dict(self._environ),
                cwd=self._cwd,
                start_new_session=True,
            )
        assert self._watchdog.stdout is not None
        with self._watchdog.stdout as report:
            reported = report.readline()
        if not reported:
            self.stop()
            raise ProcessError(f"{self.name} did not start.\n{self.log_tail()}")
        self._pid = int(reported)

    def wait_until(self, ready: Callable[[], bool], *, condition: str, timeout_seconds: float) -> None:
        """Wait for a condition that the child brings about; stops the child where that fails.

        Args:
            ready: Asked again and again; it must return soon.
            condition: The condition in words, as in "accepts connections".
            timeout_seconds: When to give up.

        Raises:
            ProcessError: The child ended first, or the time was up.
        """
        try:
            self._wait_until(ready, condition, timeout_seconds)
        except BaseException:
            self.stop()
            raise

    def _wait_until(self, ready: Callable[[], bool], condition: str, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if not self.running:
                raise ProcessError(
                    f"{self.name} ended with status {self.wait(0)} before it {condition}.\n{self.log_tail()}"
                )
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"{self.name} was started, but never {condition} within {timeout_seconds:g} s.\n{self.log_tail()}"
                )
            time.sleep(_POLL_SECONDS)

    def wait(self, timeout_seconds: float | None = None) -> int | None:
        """Wait for the child to end.

        Returns:
            Its exit status, 128 + n where signal n ended it, or ``None`` while it runs (the time was up).
        """
        if self._watchdog is None:
            return None
        try:
            return self._watchdog.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Stop the child and whatever it started: SIGTERM, and SIGKILL after the grace period. Waits for the end."""
        self._end(b"")

    def kill(self) -> None:
        """Kill the child and whatever it started with SIGKILL, as a crash would. Waits for the end."""
        self._end(b"K")

    def _end(self, order: bytes) -> None:
        if self._watchdog is None:
            return
        assert self._watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._watchdog.stdin as control:
            control.write(order)
        self._watchdog.wait()
        self._watchdog = None
        self._pid = None

    def log_tail(self) -> str:
        """The last lines of the log, with its path: what a message about a failure should show."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"Its log, {self.log}, ends with:", *(f"    {line}" for line in lines or ["(nothing)"])])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

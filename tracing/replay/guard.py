"""Does replayed code try to reach anything? It must not, and where it tries it is stopped, and told on.

Python tells audit hooks of each connection, look-up of a name, datagram and process before it is made, whichever
library asks for it (https://docs.python.org/3/library/audit_events.html). Temporal's Core connects from Rust, which no
hook sees; nor are libraries seen that bring network code of their own, such as gRPC. A hook cannot be taken off again:
there is one for the whole process, which does nothing while nothing is guarded.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Literal
from weakref import WeakSet

Scope = Literal["workflow", "process"]
"""Whose attempts count: those of workflow code and of threads that were started meanwhile (not those of asyncio's own
executor, which workflow code cannot use); or those of the whole process, but for what the replay itself does outside of
the workflow, such as its codec."""

_MAX_SHOWN: Final = 200
_OF_ASYNCIO: Final = "asyncio_"
"""How asyncio calls the threads of its default executor."""


class NetworkForbiddenError(RuntimeError):
    """Raised into code that tries to reach something while it is replayed."""


class Guard:
    """Watches one replay.

    Attributes:
        attempts: What the code tried to reach, in words, in that order.
    """

    def __init__(self, scope: Scope = "workflow", tried: Callable[[], None] = lambda: None) -> None:
        """See class.

        Args:
            scope: Whose attempts count.
            tried: Called at each attempt, where it is made: the stack is that of the code.
        """
        self.attempts: list[str] = []
        self._scope = scope
        self._tried = tried
        self._before: WeakSet[threading.Thread] = WeakSet()

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Watch what happens in the block. Code of the block itself may reach what it likes, workflow code may not."""
        _install()
        self._before = WeakSet(threading.enumerate())
        outside = _outside.set(True)
        _active.append(self)
        try:
            yield
        finally:
            _active.remove(self)
            _outside.reset(outside)

    @contextmanager
    def workflow_code(self) -> Iterator[None]:
        """Let no code of the block reach anything: it is workflow code, on a thread of its own."""
        _current.guard = self
        try:
            yield
        finally:
            _current.guard = None

    def _trip(self, what: str) -> None:
        self.attempts.append(what[:_MAX_SHOWN])
        self._tried()
        raise NetworkForbiddenError(
            f"Workflow code tried to {what[:_MAX_SHOWN]} while it was replayed: do that in an activity."
        )

    def _owns(self, thread: threading.Thread) -> bool:
        """Whether a thread may be the workflow's: one that nobody else is known to have started."""
        if self._scope == "process":
            return True
        return thread not in self._before and not thread.name.startswith(_OF_ASYNCIO)


def allow_this_thread() -> None:
    """Say that this thread does no workflow code's work: it may reach what it likes."""
    _outside.set(True)


class _Current(threading.local):
    guard: Guard | None = None


_current: Final = _Current()
_outside: Final[ContextVar[bool]] = ContextVar("durable_trace_outside_of_workflow", default=False)
_active: Final[list[Guard]] = []
_lock: Final = threading.Lock()
_installed: Final[list[bool]] = []


def _install() -> None:
    with _lock:
        if not _installed:
            _installed.append(True)
            sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    describe = _FORBIDDEN.get(event)
    if describe is None or (_current.guard is None and not _active):
        return
    guard = _responsible()
    if guard is not None:
        guard._trip(describe(arguments))  # noqa: SLF001 - the other half of the guard


def _responsible() -> Guard | None:
    """The guard whose workflow code this is; None where it is other code."""
    if _current.guard is not None:
        return _current.guard
    if _outside.get():
        return None
    thread = threading.current_thread()
    return next((guard for guard in reversed(_active) if guard._owns(thread)), None)  # noqa: SLF001 - as above


def _address(address: object) -> str:
    if isinstance(address, tuple) and len(address) > 1:
        host = f"[{address[0]}]" if ":" in str(address[0]) else str(address[0])
        return f"{host}:{address[1]}"
    return os.fsdecode(address) if isinstance(address, (bytes, str)) else str(address)


def _host(arguments: tuple[Any, ...]) -> str:
    host = arguments[0]
    return f"look up {os.fsdecode(host) if isinstance(host, (bytes, str)) else host}"


def _program(arguments: tuple[Any, ...]) -> str:
    program = arguments[0]
    if program is None and len(arguments) > 1 and arguments[1]:
        program = arguments[1] if isinstance(arguments[1], (str, bytes)) else next(iter(arguments[1]))
    return f"start {os.fsdecode(program) if isinstance(program, (bytes, str, os.PathLike)) else program}"


_FORBIDDEN: Final[dict[str, Callable[[tuple[Any, ...]], str]]] = {
    "socket.connect": lambda arguments: f"connect to {_address(arguments[1])}",
    "socket.sendto": lambda arguments: f"send to {_address(arguments[1])}",
    "socket.sendmsg": lambda arguments: f"send to {_address(arguments[1])}",
    "socket.getaddrinfo": _host,
    "socket.gethostbyname": _host,
    "socket.gethostbyaddr": _host,
    "subprocess.Popen": _program,
    "os.system": lambda arguments: f"start {os.fsdecode(arguments[0])}",
    "os.posix_spawn": _program,
    "os.exec": _program,
    "os.fork": lambda _: "fork the process",
    "os.forkpty": lambda _: "fork the process",
}

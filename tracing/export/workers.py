"""Who does the tasks of an export: this process, or several others?

Workers are started as new programs, not forked: the Temporal SDK has threads. Each has one task at hand and one
waiting, or more where these are runs that it fetches from a server meanwhile. A worker that is killed loses no more
than what it was doing: its other tasks go to the next one.
"""

from __future__ import annotations

import contextlib
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Final, Protocol

from tracing.export.items import RunItem
from tracing.export.job import Job
from tracing.export.settings import ExportSettings
from tracing.export.tasks import Make, Result, Task

_AT_HAND: Final = 2
_STARTS: Final = 3
"""How often in a row a worker may die before it is ready."""
_STOP_SECONDS: Final = 10.0
_LARGE: Final = 16
"""Records from which on a task could fill the pipe: it, and one with a history, goes to a worker that waits, and so
reads, while it is sent."""


class WorkersError(Exception):
    """Worker processes cannot be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker died while it did a task.

    Attributes:
        reason: How it died.
    """

    reason: str


Answer = tuple[Task, Result | Lost]


class Workers(Protocol):
    """Who does tasks."""

    @property
    def has_room(self) -> bool:
        """Whether another task would be begun soon."""

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do."""

    def submit(self, task: Task) -> None:
        """Have a task done."""

    def answers(self) -> Iterator[Answer]:
        """Wait until at least one task is done."""

    def close(self) -> None:
        """Stop at once, whatever is being done."""


class InThisProcess:
    """Does each task when its answer is asked for."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._tasks: deque[Task] = deque()

    @property
    def has_room(self) -> bool:
        """Whether another task would be begun while one is done."""
        return len(self._tasks) < self._job.ahead and not (self._tasks and _is_large(self._tasks[-1]))

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not self._tasks

    def submit(self, task: Task) -> None:
        """Have a task done."""
        self._tasks.append(task)
        self._job.prepare(task)

    def answers(self) -> Iterator[Answer]:
        """Do the next task."""
        task = self._tasks.popleft()
        yield task, self._job.do(task)

    def close(self) -> None:
        """Let go of the job."""
        self._job.close()


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    tasks: deque[Task] = field(default_factory=deque)
    ready: bool = False


class Processes:
    """Does tasks in worker processes, which are started when there is work for them."""

    def __init__(self, settings: ExportSettings, count: int, inherited: tuple[int, ...] = ()) -> None:
        try:
            pickle.dumps(settings)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise WorkersError(
                f"The settings cannot be sent to worker processes ({error}): hooks in the config must be functions of "
                "a module. jobs=1 exports in this process."
            ) from error
        self._settings = settings
        self._count = count
        self._at_hand = settings.held if settings.connect is not None else _AT_HAND
        self._inherited = inherited
        self._workers: list[_Worker] = []
        self._waiting: deque[Task] = deque()
        self._failed_starts = 0

    @property
    def has_room(self) -> bool:
        """Whether a worker is not there yet, or has less at hand than it can take."""
        at_hand = len(self._waiting) + sum(len(worker.tasks) for worker in self._workers)
        return at_hand < self._count * self._at_hand

    @property
    def idle(self) -> bool:
        """Whether nothing is at hand."""
        return not self._waiting and not any(worker.tasks for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Give a task to the worker that has least to do."""
        self._waiting.append(task)
        self._hand_out()

    def answers(self) -> Iterator[Answer]:
        """Wait until at least one task is done, or a worker has died."""
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection)):
            assert isinstance(connection, Connection)
            worker = by_connection[connection]
            try:
                result = connection.recv()
            except (EOFError, OSError):
                yield from self._died(worker)
                continue
            if worker.ready:
                yield worker.tasks.popleft(), result
            worker.ready = True
            self._failed_starts = 0
        self._hand_out()

    def close(self) -> None:
        """End all workers: those that are busy are not waited for."""
        for worker in self._workers:
            worker.connection.close()
            if worker.tasks or not worker.ready:
                worker.process.terminate()
        for worker in self._workers:
            try:
                worker.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._workers.clear()

    def _hand_out(self) -> None:
        while self._waiting:
            worker = min(self._workers, key=lambda worker: len(worker.tasks), default=None)
            if (worker is None or worker.tasks) and len(self._workers) < self._count:
                worker = self._started()
            task = self._waiting[0]
            if worker is None or len(worker.tasks) >= (1 if _is_large(task) else self._at_hand):
                return
            self._waiting.popleft()
            worker.tasks.append(task)
            with contextlib.suppress(ConnectionError):  # it has died: its connection tells so in a moment
                worker.connection.send(task)

    def _started(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            # The search path as it is here, also where this is no installed program but a script or a test.
            program = (
                f"import sys; sys.path[:] = {sys.path!r}; from tracing.export.worker import main; main({descriptor})"
            )
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                pass_fds=(descriptor, *self._inherited),
                process_group=0,  # Ctrl-C is for the parent, which then ends them
            )
        worker = _Worker(process, Connection(ours.detach()))
        self._workers.append(worker)
        with contextlib.suppress(ConnectionError):
            worker.connection.send(self._settings)
        return worker

    def _died(self, worker: _Worker) -> Iterator[Answer]:
        self._workers.remove(worker)
        worker.connection.close()
        status = worker.process.wait()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise WorkersError(
                    f"Worker processes end before they begin ({_ending(status)}): --jobs 1 exports in one process."
                )
            self._waiting.extendleft(reversed(worker.tasks))
            return
        if worker.tasks:
            # It does its tasks in order: the first is the one that it was at.
            doing = worker.tasks.popleft()
            self._waiting.extendleft(reversed(worker.tasks))
            yield doing, Lost(_ending(status))


def _is_large(task: Task) -> bool:
    if not isinstance(task, Make):
        return False
    return len(task.previous) > _LARGE or (isinstance(task.item, RunItem) and task.item.fetched is not None)


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    name = signal.Signals(-status).name
    return f"{name}, as when memory runs out" if name == "SIGKILL" else name

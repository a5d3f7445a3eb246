"""Who replays many histories? Processes that do nothing else, so that each can be watched whole, and ended.

They are started as new programs, not forked: the Temporal SDK has threads. One that hangs in workflow code which
nothing can interrupt is killed, and one that dies is replaced; either costs the file that it was doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final, Self

from tracing.backends.target import TargetError
from tracing.exit import exit_process
from tracing.parallel import cpus
from tracing.replay.guard import allow_this_thread
from tracing.replay.job import Done, Job, Replayed, ReplaySettings, Task

_STOP_SECONDS: Final = 5.0
_START_SECONDS: Final = 60.0
"""Least time for a process to start and import the user's code, however short the time for one file is."""
_SPAWN: Final = multiprocessing.get_context("spawn")


class NotStartedError(Exception):
    """The settings are wrong, or a process does not start; the message says what to do."""


class _Process:
    """One process, and what it is doing."""

    def __init__(self, settings: ReplaySettings) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process: BaseProcess = _SPAWN.Process(target=_work, args=(theirs, settings), daemon=True, name="replay")
        self.process.start()
        theirs.close()
        self.task: Task | None = None
        self.deadline = float("inf")

    def give(self, task: Task, seconds: float) -> None:
        self.task, self.deadline = task, time.monotonic() + seconds * len(task.paths)
        self.connection.send(task)

    def kill(self) -> int | None:
        """End it at once; its exit code."""
        self.process.kill()
        self.process.join(_STOP_SECONDS)
        self.connection.close()
        return self.process.exitcode


class Processes:
    """Replays files in several processes. As a context, it ends them."""

    def __init__(self, settings: ReplaySettings, jobs: int, *, seconds: float) -> None:
        """Start them.

        Args:
            settings: How histories are replayed.
            jobs: How many processes.
            seconds: Longest time for one file.

        Raises:
            NotStartedError: The settings are wrong, or a process does not start.
        """
        self._settings = settings
        self._seconds = seconds
        self._all: list[_Process] = []
        self._last_problem = ""
        try:
            self._all += [_Process(settings) for _ in range(jobs)]
            for each in self._all:
                self._ready(each)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all of them, whatever they do."""
        for each in self._all:
            each.kill()
        self._all.clear()

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Done]]:
        """Replay histories.

        Args:
            tasks: Which ones; taken as there is somebody to do them.

        Yields:
            Each task as it is done, with what came of it.

        A process that dies is replaced; where that does not start, the others go on, and what is left when there is
        none is given back as failed.
        """
        waiting = iter(tasks)
        for each in self._all:
            self._next(each, waiting)
        while busy := [each for each in self._all if each.task is not None]:
            nearest = min(each.deadline for each in busy)
            ready = wait([each.connection for each in busy], max(0.0, nearest - time.monotonic()))
            for each in busy:
                assert each.task is not None  # it is busy
                task = each.task
                if each.connection in ready:
                    done, alive = self._answer(each, task)
                elif each.deadline <= time.monotonic():
                    seconds = self._seconds * len(task.paths)
                    done, alive = _lost(task, f"It did not end within {seconds:g} s, and was stopped"), False
                else:
                    continue
                successor = each if alive else self._replaced(each)
                yield task, done
                if successor is not None:
                    self._next(successor, waiting)
        for task in waiting:
            yield task, Done([Replayed(task.name, "failed", f"Nobody was left to replay it. {self._last_problem}")])

    def _next(self, process: _Process, waiting: Iterator[Task]) -> None:
        task = next(waiting, None)
        process.task, process.deadline = None, float("inf")
        if task is not None:
            process.give(task, self._seconds)

    def _answer(self, process: _Process, task: Task) -> tuple[Done, bool]:
        try:
            done: Done = process.connection.recv()
        except (EOFError, OSError):
            process.process.join(_STOP_SECONDS)
            code = process.process.exitcode
            return _lost(task, f"The process that replayed it ended (exit code {code})"), False
        return done, True

    def _replaced(self, process: _Process) -> _Process | None:
        """Another one in the place of one that has died; None where it does not start."""
        process.kill()
        self._all.remove(process)
        successor = _Process(self._settings)
        try:
            self._ready(successor)
        except NotStartedError as error:
            successor.kill()
            self._last_problem = str(error)
            return None
        self._all.append(successor)
        return successor

    def _ready(self, process: _Process) -> None:
        if not process.connection.poll(max(self._seconds, _START_SECONDS)):
            raise NotStartedError(
                f"A process that replays has not started within {max(self._seconds, _START_SECONDS):g} s. Does a "
                "module that was named wait for something when it is imported?"
            )
        try:
            problem = process.connection.recv()
        except (EOFError, OSError):
            process.process.join(_STOP_SECONDS)
            raise NotStartedError(
                f"A process that replays ended as it started (exit code {process.process.exitcode}). Does a module "
                "that was named end its process when it is imported? What it said stands above."
            ) from None
        if problem:
            raise NotStartedError(problem)


def worthwhile_jobs(files: int) -> int:
    """How many processes replay so many files soonest: to start one takes as long as to replay some dozens."""
    return max(1, min(cpus(), files // _FILES_THAT_PAY))


_FILES_THAT_PAY: Final = 24


def _lost(task: Task, reason: str) -> Done:
    asked = f"{reason}: is there workflow code that blocks, or ends its process?"
    return Done([Replayed(task.name, "failed", asked)])


def _work(parent: Connection, settings: ReplaySettings) -> None:
    """What a process does: task after task, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends this
    os.dup2(sys.stderr.fileno(), 1)  # what workflow code prints is no result
    for name in ("temporalio", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it would log is in what came of the replay
    with contextlib.suppress(EOFError, ConnectionError):  # the parent is done, or was killed
        asyncio.run(_tasks(parent, settings))
    exit_process(0)


async def _tasks(parent: Connection, settings: ReplaySettings) -> None:
    # Codecs may call what blocks in a thread: the guard is to know that it is not the workflow's.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=allow_this_thread))
    try:
        opened = Job.opened(settings)
        job = await opened.__aenter__()
    except (ValueError, TargetError) as error:
        parent.send(str(error))
        return
    try:
        parent.send("")
        while True:
            parent.send(await job.do(parent.recv()))
    finally:
        await opened.__aexit__(None, None, None)

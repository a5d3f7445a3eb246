"""Which line of the user's code did something: asked for a step, raised, or waits?

Frames of Temporal's SDK, of the standard library and of this toolkit are passed over, and those of other installed
packages where the user's own code is among them as well.
"""

from __future__ import annotations

import asyncio
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, CoroutineType, FrameType, TracebackType
from typing import Any, Final

import nexusrpc
import temporalio

import tracing

_PASSED_OVER: Final = tuple(
    f"{Path(str(package.__file__)).parent}/" for package in (temporalio, nexusrpc, tracing, asyncio)
)
_STANDARD_LIBRARY: Final = (f"{sysconfig.get_path('stdlib')}/", f"{sysconfig.get_path('platstdlib')}/")
_INSTALLED: Final = ("/site-packages/", "/dist-packages/")
_IN_TRACE: Final = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of code.

    Attributes:
        file: Its file: relative to the current folder where it is below that.
        line: Its number, from 1.
        function: The function it is in, with its class.
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


class UserCode:
    """Tells the user's code from everybody else's."""

    def __init__(self, workflow: type) -> None:
        """See class.

        Args:
            workflow: A workflow of theirs: the package that it is in is theirs, also where it is installed.
        """
        module = sys.modules.get(workflow.__module__)
        file = getattr(module, "__file__", None)
        depth = workflow.__module__.count(".") + (Path(file).name == "__init__.py" if file else 0)
        self._own = f"{Path(file).parents[depth - 1]}/" if file and depth else str(file)
        self._folder = f"{Path.cwd()}/"  # asked here: the sandbox lets nobody ask

    def of_stack(self, frame: FrameType | None) -> SourceLine | None:
        """The innermost line of theirs on a stack."""
        return self._innermost(_frames(frame))

    def of_traceback(self, traceback: TracebackType | None) -> SourceLine | None:
        """The innermost line of theirs that an exception came through."""
        return self._innermost(reversed(list(_traced(traceback))))

    def of_origin(self, task: asyncio.Task[Any] | None) -> SourceLine | None:
        """The line of theirs that made the coroutine of a task, such as the call inside `asyncio.gather(…)`."""
        origin = getattr(task.get_coro(), "cr_origin", None) if task is not None else None
        return self._innermost(origin or ())

    def of_waiting(self, loop: asyncio.AbstractEventLoop, code: CodeType) -> SourceLine | None:
        """The line of theirs at which the task waits that runs a function.

        Args:
            loop: The event loop of its workflow.
            code: The function's code.
        """
        for task in asyncio.all_tasks(loop):
            chain = list(_awaiting(task.get_coro()))
            if any(frame.f_code is code for frame in chain):
                return self._innermost(
                    (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname) for frame in reversed(chain)
                )
        return None

    def of_stack_trace(self, text: str) -> SourceLine | None:
        """The innermost line of theirs in a stack trace as Python writes it."""
        found = [(file, int(line), function) for file, line, function in _IN_TRACE.findall(text)]
        return self._innermost(reversed(found))

    def of_function(self, code: CodeType) -> SourceLine:
        """Where a function begins."""
        return self._line(code.co_filename, code.co_firstlineno, code.co_qualname)

    def _innermost(self, places: Iterable[tuple[str, int, str]]) -> SourceLine | None:
        """Of places, innermost first: the first in their own code, else the first in another installed package's."""
        other: SourceLine | None = None
        for file, line, function in places:
            if file.startswith(self._own):
                return self._line(file, line, function)
            if file.startswith(("<", *_PASSED_OVER)):
                continue
            if any(part in file for part in _INSTALLED):
                other = other or self._line(file, line, function)
            elif not file.startswith(_STANDARD_LIBRARY):
                return self._line(file, line, function)
        return other

    def _line(self, file: str, line: int, function: str) -> SourceLine:
        return SourceLine(file.removeprefix(self._folder), line, function)


def _frames(frame: FrameType | None) -> Iterator[tuple[str, int, str]]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname
        frame = frame.f_back


def _traced(traceback: TracebackType | None) -> Iterator[tuple[str, int, str]]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield code.co_filename, traceback.tb_lineno, code.co_qualname
        traceback = traceback.tb_next


def _awaiting(coroutine: object) -> Iterator[FrameType]:
    """The frames of a suspended coroutine and of those that it awaits, outermost first."""
    while isinstance(coroutine, CoroutineType) and coroutine.cr_frame is not None:
        yield coroutine.cr_frame
        coroutine = coroutine.cr_await

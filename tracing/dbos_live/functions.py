"""What runs around the functions of workflows and steps?

DBOS calls a step's function for each attempt, and only then: not where it takes the result from its database. So what
is inside of `DBOS.step` is where a step is really executed. The function of a workflow is called for each execution.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from dbos import DBOS
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from tracing.dbos_live.attempt import Attempt
from tracing.dbos_live.executions import Execution
from tracing.dbos_live.process import TracedProcess
from tracing.dbos_live.retries import Retries
from tracing.dbos_live.writing import write, write_async
from tracing.live.failopen import fail_open

TRACED: Final = "durable_trace_traced"
"""What we leave on the functions that we wrap."""
_START: Final = "the start of a DBOS step's attempt"


class _Executed(NamedTuple):
    """Which execution the code belongs to that runs; None where that is not traced."""

    workflow_id: str
    execution: Execution | None


_executed: ContextVar[_Executed | None] = ContextVar("durable_trace_dbos_execution", default=None)
"""Tasks of a workflow keep it after the end of its function: a step that nobody waited for is still a step of it."""

Function = Callable[..., Any]
Value = TypeVar("Value")


def traced_workflow(process: TracedProcess, function: Function) -> Function:
    """The function of a workflow, as DBOS is to call it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        workflow_id = DBOS.workflow_id
        with _executing(process, workflow_id, process.begin(workflow_id)):
            return function(*args, **kwargs)

    @functools.wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        workflow_id = DBOS.workflow_id
        with _executing(process, workflow_id, await process.begin_async(workflow_id)):
            return await function(*args, **kwargs)

    return _marked(call_async if inspect.iscoroutinefunction(function) else call)


def traced_step(process: TracedProcess, function: Function, name: str, options: Mapping[str, Any]) -> Function:
    """The function of a step, as DBOS is to call it.

    Args:
        process: What traces it.
        function: The function.
        name: Name of the step.
        options: Its settings, by DBOS's names.
    """
    retries = Retries.of(options)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        place = _place()
        if place is None:
            return function(*args, **kwargs)
        attempt = _begin_attempt(process, name, place)
        if attempt is None:
            with _set(_at, place):
                return function(*args, **kwargs)
        try:
            with _set(_at, place), _attached(attempt.context()):
                result = function(*args, **kwargs)
        except BaseException as error:
            with _ending(process, _failed(attempt, error), retries, error) as ending:
                ending.written = write(attempt)
            raise
        with _ending(process, _succeeded(attempt, args, kwargs, result), retries) as ending:
            ending.written = write(attempt)
        return result

    @functools.wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        place = _place()
        if place is None:
            return await function(*args, **kwargs)
        attempt = await _begin_attempt_async(process, name, place)
        if attempt is None:
            with _set(_at, place):
                return await function(*args, **kwargs)
        try:
            with _set(_at, place), _attached(attempt.context()):
                result = await function(*args, **kwargs)
        except BaseException as error:
            with _ending(process, _failed(attempt, error), retries, error) as ending:
                if not isinstance(error, GeneratorExit):  # thrown away: it may not wait for anything any more
                    ending.written = await write_async(attempt)
            raise
        with _ending(process, _succeeded(attempt, args, kwargs, result), retries) as ending:
            ending.written = await write_async(attempt)
        return result

    return _marked(call_async if inspect.iscoroutinefunction(function) else call)


def _marked(function: Function) -> Function:
    setattr(function, TRACED, True)  # DBOS's decorators copy it
    return function


@contextmanager
def _executing(process: TracedProcess, workflow_id: str | None, execution: Execution | None) -> Iterator[None]:
    if workflow_id is None:
        yield
        return
    if execution is None:
        with process.running.untraced(workflow_id), _set(_executed, _Executed(workflow_id, None)):
            yield
        return
    recorded = False
    try:
        with _attached(execution.context()), _set(_executed, _Executed(workflow_id, execution)):
            yield
        recorded = True
    except Exception:
        recorded = True
        raise
    finally:  # of other exceptions DBOS records nothing: they are its own, or the end of the process
        process.ended(workflow_id, execution, recorded=recorded)


def _begin_attempt(process: TracedProcess, name: str, place: _Place) -> Attempt | None:
    """The attempt that begins; None where it is not traced."""
    with fail_open(_START):
        if process.config.traces_activity(name):
            known = _known(place.workflow_id)
            execution = process.execution(place.workflow_id) if known is None else known.execution
            return process.begin_attempt(execution, place.function_id, name, place.number)
    return None


async def _begin_attempt_async(process: TracedProcess, name: str, place: _Place) -> Attempt | None:
    """As `_begin_attempt`, without blocking the event loop."""
    with fail_open(_START):
        if process.config.traces_activity(name):
            known = _known(place.workflow_id)
            execution = await process.execution_async(place.workflow_id) if known is None else known.execution
            return process.begin_attempt(execution, place.function_id, name, place.number)
    return None


def _known(workflow_id: str) -> _Executed | None:
    """The execution that a step is called in, where its workflow's function is wrapped."""
    executed = _executed.get()
    return executed if executed is not None and executed.workflow_id == workflow_id else None


class _Place(NamedTuple):
    """Which attempt of which step it is that begins."""

    workflow_id: str
    function_id: int
    number: int


_at: ContextVar[_Place | None] = ContextVar("durable_trace_dbos_place", default=None)
"""Where the code is that runs: what a step calls is none of its own, also where that step is not traced."""


def _place() -> _Place | None:
    """Where a step's function is called; None where it is no step: outside of workflows, or by another step."""
    with fail_open(_START):
        workflow_id, function_id, status = DBOS.workflow_id, DBOS.step_id, DBOS.step_status
        if workflow_id is None or function_id is None:
            return None
        around = _at.get()
        if around is not None and (around.workflow_id, around.function_id) == (workflow_id, function_id):
            return None
        tried = status.current_attempt if status is not None else None
        return _Place(workflow_id, function_id, (tried or 0) + 1)
    return None


@contextmanager
def _set(variable: ContextVar[Value | None], value: Value) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        with suppress(ValueError):  # as in `_attached`
            variable.reset(token)


@contextmanager
def _attached(context: Context) -> Iterator[None]:
    token = otel_context.attach(context)
    try:
        yield
    finally:
        # Of what is thrown away OpenTelemetry's own `detach` would log an error: it ends in another context.
        with suppress(ValueError):
            token.var.reset(token)


def _succeeded(attempt: Attempt, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Attempt:
    with fail_open("the result of a DBOS step's attempt"):
        attempt.returned((*args, *kwargs.values()), result)
    return attempt


def _failed(attempt: Attempt, error: BaseException) -> Attempt:
    with fail_open("the failure of a DBOS step's attempt"):
        attempt.raised(error)
    return attempt


@dataclass(slots=True)
class _Ending:
    """Whether the entry of an attempt that ends was written."""

    written: bool = False


@contextmanager
def _ending(
    process: TracedProcess, attempt: Attempt, retries: Retries, error: BaseException | None = None
) -> Iterator[_Ending]:
    """An attempt ends, by an error or not, also where its step is cancelled while the entry is written."""
    ending = _Ending()
    try:
        yield ending
    except BaseException as cancelled:
        error = cancelled
        raise
    finally:
        with fail_open("the end of a DBOS step's attempt"):
            process.end_attempt(attempt, written=ending.written, pause=retries.pause_after(attempt.number, error))

"""How does a user declare a tool or an agent that no instrumentation sees?"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, TypeVar, cast, overload

import temporalio.workflow
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from tracing import conventions as c
from tracing.live.attempts.recorder import current_recorder
from tracing.live.failopen import fail_open
from tracing.live.model_calls.generators import drive_async, drive_sync
from tracing.live.model_calls.messages import encoded
from tracing.live.model_calls.scoped import started_span

P = ParamSpec("P")
R = TypeVar("R")

MAX_ITEMS: Final = 1_000
"""Items of a generator that are recorded as its result."""


@overload
def tool(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None, *, name: str | None = None, description: str | None = None
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function a tool: each call is a span ``execute_tool {name}``.

    On an activity, put it below ``@activity.defn``. Arguments and result are recorded only where content is on. Called
    in workflow code, where its replay would repeat the span, the function just runs.

    Args:
        function: The function, sync or async, or a generator; a generator's span lasts until it is read or left.
        name: The tool's name; the function's where not given.
        description: What it does; the first line of the docstring where not given.

    Raises:
        TypeError: It decorates no function.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        known = name or _name_of(function)
        about = description or (inspect.getdoc(_unbound(function)) or "").partition("\n")[0]
        attributes: dict[str, Any] = {c.OPERATION: "execute_tool", c.TOOL_NAME: known, c.TOOL_TYPE: "function"}
        if about:
            attributes[c.TOOL_DESCRIPTION] = about
        return _traced(function, c.execute_tool(known), attributes, arguments=True)

    if function is None:
        return decorate
    if isinstance(function, str):
        raise TypeError(f"@tool takes a name by its keyword only: @tool(name={function!r})")
    return decorate(function)


def agent(name: str, *, description: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function an agent: each call is a span ``invoke_agent {name}``.

    On an activity, put it below ``@activity.defn``. Called in workflow code, the function just runs.

    Args:
        name: The agent's name.
        description: What it does.

    Raises:
        TypeError: It has no name, or decorates no function.
    """
    if not isinstance(name, str):
        raise TypeError('@agent needs the agent\'s name: @agent("planner")')
    attributes: dict[str, Any] = {c.OPERATION: "invoke_agent", c.AGENT_NAME: name}
    if description:
        attributes[c.AGENT_DESCRIPTION] = description

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        return _traced(function, c.invoke_agent(name), attributes, arguments=False)

    return decorate


def _traced(function: Callable[P, R], span_name: str, attributes: dict[str, Any], *, arguments: bool) -> Callable[P, R]:
    if isinstance(function, type):
        # Its name would stand for a function then: a workflow could not be started by its class.
        raise TypeError(f"@tool and @agent declare functions, and {function.__name__} is a class: put it on a method")
    if isinstance(function, (classmethod, staticmethod)):
        inner = _traced(function.__func__, span_name, attributes, arguments=arguments)
        return cast("Callable[P, R]", type(function)(inner))
    declared = functools.partial(_Declared, span_name, attributes, _Arguments(function) if arguments else None)
    wrapped: Callable[..., Any]

    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        drive: Callable[..., Any] = drive_async if inspect.isasyncgenfunction(function) else drive_sync

        @functools.wraps(function)
        def generator(*args: P.args, **kwargs: P.kwargs) -> Any:
            return drive(function(*args, **kwargs), declared(args, kwargs))

        wrapped = generator

    elif _is_async(function):

        @functools.wraps(function)
        async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
            call = declared(args, kwargs)
            with call.lasting(), call.current():
                return call.returned(await cast("Awaitable[Any]", function(*args, **kwargs)))

        wrapped = asynchronous

    else:

        @functools.wraps(function)
        def synchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
            call = declared(args, kwargs)
            with call.lasting(), call.current():
                return call.returned(function(*args, **kwargs))

        wrapped = synchronous

    if not hasattr(function, "__name__"):  # else it has the function's own
        wrapped.__name__ = wrapped.__qualname__ = _name_of(function)
    return cast("Callable[P, R]", wrapped)


def _unbound(function: Any) -> Any:
    """What a `functools.partial` calls; anything else is itself."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _is_async(function: Any) -> bool:
    """Whether its calls are awaited; those of an instance are, where its class says so."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _name_of(function: Any) -> str:
    """The name of a function, of what a partial calls, or of the class whose instance is called."""
    function = _unbound(function)
    return str(getattr(function, "__name__", type(function).__name__))


class _Arguments:
    """What the arguments of a function are called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            self._signature = inspect.signature(function)
        except ValueError:  # some that are written in C have none
            self._signature = inspect.signature(lambda *args, **kwargs: None)  # noqa: ARG005 - only its form is read

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call by their names, without the instance or class that a method is called on."""
        given = list(self._signature.bind(*args, **kwargs).arguments.items())
        return dict(given[1:] if given and given[0][0] in {"self", "cls"} else given)


class _Declared:
    """One call of a declared function. Its content is recorded where its arguments have names."""

    def __init__(
        self,
        span_name: str,
        attributes: dict[str, Any],
        arguments: _Arguments | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self._name = span_name
        self._attributes = attributes
        self._arguments = arguments
        self._given = args, kwargs
        self._span: trace.Span = trace.INVALID_SPAN
        self._context: Context | None = None
        self._content = False
        self._items: list[Any] = []

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """The call's span, from beginning to end; none in workflow code."""
        if temporalio.workflow.in_workflow():
            yield
            return
        recorder = current_recorder()
        provider = recorder.provider if recorder else trace.get_tracer_provider()
        content = recorder is not None and recorder.config.capture_content
        self._content = content and self._arguments is not None
        with started_span(provider, self._name, SpanKind.INTERNAL, self._attributes, content=content) as span:
            self._span, self._context = span, trace.set_span_in_context(span)
            self._record_arguments()
            try:
                yield
            finally:
                if self._items:
                    self.returned(self._items)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Inside, the call's span is the current one."""
        if self._context is None:
            yield
            return
        token = otel_context.attach(self._context)
        try:
            yield
        finally:
            otel_context.detach(token)

    def item(self, item: Any) -> None:
        """A generator has given an item; the first of them are its result."""
        if self._content and len(self._items) < MAX_ITEMS:
            self._items.append(item)

    def returned(self, result: Any) -> Any:
        """The function has returned."""
        if self._content:
            with fail_open("the result of a tool"):
                self._span.set_attribute(c.TOOL_RESULT, encoded(result))
        return result

    def _record_arguments(self) -> None:
        if self._content and self._arguments is not None:
            args, kwargs = self._given
            with fail_open("the arguments of a tool"):
                self._span.set_attribute(c.TOOL_ARGUMENTS, encoded(self._arguments.named(args, kwargs)))

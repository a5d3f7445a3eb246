"""Which names of DBOS are wrapped, and with what? Public ones only."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

from dbos import DBOS, StepReservation

from tracing.dbos_live.functions import TRACED, traced_step, traced_workflow
from tracing.dbos_live.process import TracedProcess

_MARK: Final = "dbos_function_name"
"""What DBOS leaves on functions that it has decorated."""
_NAMES: Final[tuple[tuple[type, str], ...]] = (
    (DBOS, "workflow"),
    (DBOS, "step"),
    (DBOS, "run_step"),
    (DBOS, "run_step_async"),
    (StepReservation, "run"),
    (StepReservation, "run_async"),
    (DBOS, "destroy"),
)


class Wrappers:
    """Our wrappers around DBOS's names, until they are taken away again.

    Args:
        process: What traces.
        at_end: Called when DBOS has been shut down.
    """

    def __init__(self, process: TracedProcess, at_end: Callable[[], None]) -> None:
        self._process = process
        self._at_end = at_end
        self._originals = {(owner, name): owner.__dict__[name] for owner, name in _NAMES}

    def put(self) -> None:
        """Put them around."""
        process = self._process
        workflow, step, run_step, run_step_async = DBOS.workflow, DBOS.step, DBOS.run_step, DBOS.run_step_async
        run, run_async, destroy = StepReservation.run, StepReservation.run_async, DBOS.destroy

        def traced_workflow_decorator(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
            decorate = workflow(*args, **kwargs)
            return lambda function: decorate(traced_workflow(process, function))

        def traced_step_decorator(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
            decorate = step(*args, **kwargs)

            def decorate_traced(function: Any) -> Any:
                return decorate(traced_step(process, function, kwargs.get("name") or _name(function), kwargs))

            return decorate_traced

        def traced_run_step(options: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            return run_step(options, self._of_options(options, function), *args, **kwargs)

        async def traced_run_step_async(options: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            return await run_step_async(options, self._of_options(options, function), *args, **kwargs)

        def traced_run(reserved: Any, options: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            return run(reserved, options, self._of_options(options, function), *args, **kwargs)

        async def traced_run_async(reserved: Any, options: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            return await run_async(reserved, options, self._of_options(options, function), *args, **kwargs)

        def destroy_and_flush(*args: Any, **kwargs: Any) -> None:
            try:
                destroy(*args, **kwargs)
            finally:
                self._at_end()

        wrappers: tuple[Any, ...] = (
            staticmethod(functools.wraps(workflow)(traced_workflow_decorator)),
            staticmethod(functools.wraps(step)(traced_step_decorator)),
            staticmethod(traced_run_step),
            staticmethod(traced_run_step_async),
            traced_run,
            traced_run_async,
            staticmethod(functools.wraps(destroy)(destroy_and_flush)),
        )
        for (owner, name), wrapper in zip(_NAMES, wrappers, strict=True):
            setattr(owner, name, wrapper)

    def take_away(self) -> None:
        """Put DBOS's own back; functions that were decorated meanwhile stay traced."""
        for (owner, name), original in self._originals.items():
            setattr(owner, name, original)

    def _of_options(self, options: Any, function: Any) -> Any:
        known = options if isinstance(options, dict) else {}
        given = known.get("name")
        if not given and not hasattr(function, "__qualname__"):
            return function  # DBOS says that a step needs a name
        return traced_step(self._process, function, given or _name(function), known)


def decorated_before() -> list[str]:
    """Names of functions that DBOS has decorated already, of modules and their classes: they are not traced."""
    found: set[str] = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "dbos":
            continue
        for value in list(getattr(module, "__dict__", {}).values()):
            for member in vars(value).values() if issubclass(type(value), type) else (value,):
                function = member.__func__ if issubclass(type(member), (staticmethod, classmethod)) else member
                if _is_function(function) and function.__module__ == name and _is_untraced(function):
                    found.add(f"{name}.{function.__qualname__}")
    return sorted(found)


def _is_function(value: Any) -> bool:
    # `isinstance` would ask the value itself for its class: an object that is made when it is needed, as settings of
    # frameworks are, would be made by that, or raise.
    return type(value) is FunctionType


def _is_untraced(function: FunctionType) -> bool:
    return _MARK in vars(function) and TRACED not in vars(function)


def _name(function: Any) -> str:
    """Name of a step, as DBOS gives it."""
    return str(getattr(function, "__qualname__", "unknown"))

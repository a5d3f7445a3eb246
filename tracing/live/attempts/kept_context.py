"""How does an activity's code stay inside its attempt, whatever context other interceptors attach around it?

Interceptors of other plugins can stand further inside than ours, and put a context of their own in the place of the
attempt's: Temporal's OpenTelemetry interceptors attach what their header says. So the activity's function itself looks
whether it is still in the attempt, and goes back there where it is not.
"""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
from collections.abc import Callable
from typing import Any, Final

import temporalio.worker
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from tracing.live.attempts.recorder import current_recorder

_INNERMOST: Final = "temporalio.worker._activity"
"""Module of the SDK's own, innermost interceptor."""


def keep_context(
    input: temporalio.worker.ExecuteActivityInput,  # noqa: A002 - the SDK's name
    inner: temporalio.worker.ActivityInboundInterceptor,
    context: Callable[[], Context],
) -> None:
    """Let an activity's function run in the attempt that is current now.

    A function for another process is left as it is: contexts do not go there.

    Args:
        input: What the activity is executed with.
        inner: The next interceptor. Where it is the SDK's own, nobody can change the context, and nothing is done.
        context: Makes the current context one of the attempt.
    """
    if type(inner).__module__ == _INNERMOST:
        return
    function = input.fn
    recorder = current_recorder()
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 - as the SDK decides it

        @functools.wraps(function)
        async def asynchronous(*args: Any) -> Any:
            if current_recorder() is recorder:
                return await function(*args)
            token = otel_context.attach(context())
            try:
                return await function(*args)
            finally:
                otel_context.detach(token)

        input.fn = asynchronous
    elif isinstance(input.executor, concurrent.futures.ThreadPoolExecutor):

        @functools.wraps(function)
        def synchronous(*args: Any) -> Any:
            if current_recorder() is recorder:
                return function(*args)
            token = otel_context.attach(context())
            try:
                return function(*args)
            finally:
                otel_context.detach(token)

        input.fn = synchronous

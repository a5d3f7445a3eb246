"""Activities stay in their attempt, whatever context other plugins' interceptors attach."""

from __future__ import annotations

import concurrent.futures
from types import SimpleNamespace
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context
from temporalio.worker import ActivityInboundInterceptor

from tracing.config import TracingConfig
from tracing.live.attempts.kept_context import keep_context
from tracing.live.attempts.recorder import Recorder, current_recorder
from tracing.runs import Run

RECORDER = Recorder(
    TracingConfig(),
    Run(namespace="default", workflow_id="w", run_id="r", workflow_type="W", trace_id=1),
    "1",
    0x2,
)


class Theirs(ActivityInboundInterceptor):
    """Stands between ours and the activity."""

    def __init__(self) -> None:
        pass


def attempt() -> Context:
    return RECORDER.attach(context.get_current())


def keep(function: Any, executor: Any = None) -> Any:
    """The function as it is executed, inside an attempt."""
    given: Any = SimpleNamespace(fn=function, executor=executor)
    token = context.attach(attempt())
    keep_context(given, Theirs(), attempt)
    context.detach(token)
    return given.fn


async def seen() -> Recorder | None:
    """What an activity's code finds."""
    return current_recorder()


async def test_an_async_activity_goes_back_to_its_attempt() -> None:
    assert await keep(seen)() is RECORDER
    assert current_recorder() is None


def test_so_does_one_in_a_thread() -> None:
    with concurrent.futures.ThreadPoolExecutor() as threads:
        assert keep(current_recorder, threads)() is RECORDER
    assert current_recorder() is None


async def test_in_its_attempt_nothing_is_changed() -> None:
    inside = {}

    async def note() -> None:
        inside["context"] = context.get_current()

    token = context.attach(attempt())
    given = context.get_current()
    await keep(note)()
    context.detach(token)
    assert inside["context"] is given


def test_a_function_for_another_process_stays_as_it_is() -> None:
    assert keep(len, concurrent.futures.ProcessPoolExecutor.__new__(concurrent.futures.ProcessPoolExecutor)) is len


def test_the_function_keeps_its_name_for_those_that_ask() -> None:
    assert keep(seen).__qualname__ == "seen"


def test_where_the_sdk_is_next_nothing_is_wrapped() -> None:
    class Innermost(Theirs):
        __module__ = "temporalio.worker._activity"

    given: Any = SimpleNamespace(fn=len, executor=None)
    keep_context(given, Innermost(), attempt)
    assert given.fn is len

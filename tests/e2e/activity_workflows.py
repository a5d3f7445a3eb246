"""A workflow that runs one activity in any way there is, and activities that end in any way there is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from tests.e2e.gates import SECONDS, gates
    from tests.e2e.live_workflows import ask_model, search


@dataclass
class Asked:
    """How an activity is to run.

    Attributes:
        activity: Its type.
        local: Whether as a local activity.
        times: How many of them, one after the other.
        attempts: How often it may be tried; 0 is without a limit.
        retry_after: Seconds between attempts.
        back_off_from: Seconds between attempts from which a local activity backs off, by a timer.
        start_to_close: Seconds that an attempt may take.
        heartbeat: Seconds between its heartbeats.
        cancellation: How it is cancelled, when the signal `cancel` comes.
        cancel: Whether it is cancelled without that signal, when another local activity has ended.
    """

    activity: str
    local: bool = False
    times: int = 1
    attempts: int = 1
    retry_after: float = 0.01
    back_off_from: float = 60
    start_to_close: float = SECONDS
    heartbeat: float | None = None
    cancellation: str = "TRY_CANCEL"
    cancel: bool = False


@workflow.defn
class One:
    """Runs one activity."""

    def __init__(self) -> None:
        self._cancel = False

    @workflow.run
    async def run(self, asked: Asked) -> list[str]:
        return [await self._once(asked) for _ in range(asked.times)]

    async def _once(self, asked: Asked) -> str:
        common: dict[str, Any] = {
            "arg": "cats",
            "result_type": str,
            "start_to_close_timeout": timedelta(seconds=asked.start_to_close),
            "retry_policy": RetryPolicy(
                maximum_attempts=asked.attempts, initial_interval=timedelta(seconds=asked.retry_after)
            ),
            "cancellation_type": ActivityCancellationType[asked.cancellation],
        }
        if asked.local:
            threshold = timedelta(seconds=asked.back_off_from)
            handle = workflow.start_local_activity(asked.activity, local_retry_threshold=threshold, **common)
        else:
            heartbeat = timedelta(seconds=asked.heartbeat) if asked.heartbeat else None
            handle = workflow.start_activity(asked.activity, heartbeat_timeout=heartbeat, **common)
        if asked.cancel:
            await workflow.execute_local_activity(rests, start_to_close_timeout=timedelta(seconds=SECONDS))
            self._cancel = True
        await workflow.wait_condition(lambda: self._cancel or handle.done())
        if not handle.done():
            handle.cancel()
        try:
            return str(await handle)
        except ActivityError as error:
            return type(error.cause).__name__
        except ApplicationError as error:  # of a local activity, the SDK raises it as it is
            return type(error).__name__

    @workflow.signal
    def cancel(self) -> None:
        self._cancel = True


@activity.defn
async def answers(topic: str) -> str:
    """Calls a model."""
    await asyncio.sleep(0)
    return ask_model(topic)


@activity.defn
async def rests() -> None:
    """Lets others begin."""
    await asyncio.sleep(0.05)


@activity.defn
async def fails_twice(topic: str) -> str:
    """Fails at its first two attempts, after a model call."""
    said = ask_model(topic)
    if activity.info().attempt < 3:
        raise ApplicationError(f"no luck with {topic}", type="Unlucky")
    return said


@activity.defn
async def fails_with_causes(topic: str) -> None:
    """Fails for two reasons, one below the other."""
    ask_model(topic)
    try:
        try:
            {}["secret"]
        except KeyError as error:
            raise ValueError("a secret was asked for") from error
    except ValueError as error:
        raise ApplicationError("no luck", type="Unlucky") from error


@activity.defn
async def gives_up(topic: str) -> None:
    """Fails for good at once."""
    raise ApplicationError(f"{topic} will never do", type="Hopeless", non_retryable=True)


@activity.defn
async def beats(topic: str) -> str:
    """Heartbeats three times."""
    for number in range(3):
        activity.heartbeat(number)
    await asyncio.sleep(0)
    return topic


@activity.defn
def beats_on_a_thread(topic: str) -> str:
    """Heartbeats twice, on a thread."""
    activity.heartbeat(1)
    activity.heartbeat(2)
    return topic


def _at_work() -> None:
    gates[f"{activity.info().workflow_id}/at work"].open()


@activity.defn
async def goes_on(topic: str) -> str:
    """Calls a model, heartbeats once and then goes on until it is cancelled."""
    ask_model(topic)
    _at_work()
    while True:
        if not activity.info().is_local:
            activity.heartbeat()
        await asyncio.sleep(0.05)


@activity.defn
def goes_on_on_a_thread(topic: str) -> str:
    """Calls a model and goes on until it is cancelled, on a thread."""
    ask_model(topic)
    _at_work()
    while True:
        activity.heartbeat()
        threading.Event().wait(0.05)


@activity.defn
async def says_nothing(topic: str) -> str:
    """Calls a model, and does not heartbeat until it is told that it is too late."""
    ask_model(topic)
    _at_work()
    await activity.wait_for_cancelled()
    return topic


@activity.defn(no_thread_cancel_exception=True)
def notices_nothing(topic: str) -> str:
    """Calls a model, and ends as if nothing were when it is told that it is too late, on a thread."""
    ask_model(topic)
    _at_work()
    activity.wait_for_cancelled_sync()
    return topic


handed_over: dict[str, bytes] = {}
"""Task tokens of activities that somebody else completes, by workflow ID."""


@activity.defn
async def hands_over(topic: str) -> str:
    """Calls a model, and leaves its completion to somebody else."""
    ask_model(topic)
    info = activity.info()
    handed_over[info.workflow_id or ""] = info.task_token
    _at_work()
    activity.raise_complete_async()


@activity.defn
def in_another_process(topic: str) -> str:
    """Calls a model and a tool in another process, and heartbeats there."""
    activity.heartbeat()
    said = ask_model(topic)
    search(topic)
    return said


class OddError(ValueError):
    """An error with something on it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message, code)
        self.code = code


@activity.defn
def fails_in_another_process(topic: str) -> str:
    """Calls a model in another process and fails there."""
    ask_model(topic)
    raise OddError(f"no luck with {topic}", 17)


ASYNC: list[Callable[..., Any]] = [
    answers,
    fails_twice,
    fails_with_causes,
    gives_up,
    beats,
    goes_on,
    rests,
    says_nothing,
    hands_over,
]
THREADED: list[Callable[..., Any]] = [beats_on_a_thread, goes_on_on_a_thread, notices_nothing]
POOLED: list[Callable[..., Any]] = [in_another_process, fails_in_another_process]

"""How long is a step not over whose attempt has failed? As long as DBOS waits before it tries it again."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS, SetWorkflowID

from tests.dbos_live.test_both_readers import answer
from tracing.dbos_live.retries import NO_PAUSE, Pause, Retries
from tracing.dbos_live.watched import Watched
from tracing.dbos_live.watcher import Watcher

if TYPE_CHECKING:
    from tests.dbos_live.conftest import Live

TOO_SLOW = TimeoutError()


@pytest.mark.parametrize(
    ("options", "pauses"),
    [
        ({}, [0, 0, 0]),
        ({"retries_allowed": True}, [1, 2, 0]),
        ({"retries_allowed": True, "max_attempts": 2, "interval_seconds": 40}, [40, 0, 0]),
        (
            {"retries_allowed": True, "max_attempts": 9, "interval_seconds": 100, "backoff_rate": 10},
            [100, 1_000, 3_600],
        ),
        ({"retries_allowed": True, "should_retry": lambda _: True}, [1, 2, 0]),
    ],
)
def test_the_pause_after_each_attempt_is_that_of_dbos(options: dict[str, Any], pauses: list[float]) -> None:
    retries = Retries.of(options)
    assert [retries.pause_after(number, TOO_SLOW).seconds for number in (1, 2, 3)] == pauses


def test_what_is_left_out_has_the_default_of_dbos() -> None:
    told = {name: option.default for name, option in inspect.signature(DBOS.step).parameters.items()}
    assert Retries.of({"retries_allowed": True}) == Retries(
        told["max_attempts"], told["interval_seconds"], told["backoff_rate"], asks=False
    )


def test_only_where_nobody_is_asked_it_is_certain() -> None:
    assert Retries(3).pause_after(1, TOO_SLOW) == Pause(1.0, certain=True)
    assert Retries(3, asks=True).pause_after(1, TOO_SLOW) == Pause(1.0, certain=False)


def test_it_is_not_where_a_time_limit_may_have_cancelled_the_attempt() -> None:
    limited = Retries.of({"retries_allowed": True, "timeout_seconds": 600.0})
    assert limited.pause_after(1, TOO_SLOW) == Pause(1.0, certain=True)
    assert limited.pause_after(1, asyncio.CancelledError()) == Pause(1.0, certain=False)
    assert limited.pause_after(3, asyncio.CancelledError()) == NO_PAUSE
    assert limited.pause_after(1, GeneratorExit()) == NO_PAUSE


@pytest.mark.parametrize("error", [None, asyncio.CancelledError(), KeyboardInterrupt()])
def test_what_dbos_does_not_catch_is_no_failure(error: BaseException | None) -> None:
    assert Retries(3).pause_after(1, error) == NO_PAUSE


@pytest.mark.parametrize("interval", ["soon", 10**400])
def test_settings_at_which_dbos_fails_are_no_pause(interval: Any) -> None:
    assert Retries.of({"retries_allowed": True, "interval_seconds": interval}).pause_after(1, TOO_SLOW) == NO_PAUSE


def test_its_end_is_looked_for_until_half_a_minute_after_the_pause() -> None:
    step = ended(Pause(1_000.0, certain=True))
    assert [step.is_given_up(seconds, answered=True) for seconds in (31, 1_029, 1_031)] == [False, False, True]


@pytest.mark.parametrize(
    ("pause", "waits"),
    [
        (NO_PAUSE, [True, True, True]),
        (Pause(1_000.0, certain=True), [False, False, True]),
        # A predicate may have said no; after half a minute it would be known.
        (Pause(1_000.0, certain=False), [True, False, True]),
    ],
)
def test_who_flushes_does_not_wait_for_a_pause(pause: Pause, waits: list[bool]) -> None:
    assert [ended(pause).is_to_end(seconds) for seconds in (1, 31, 1_001)] == waits


def test_through_a_pause_it_looks_seldom_and_when_it_is_over() -> None:
    step, now, looks = ended(Pause(1_000.0, certain=True)), 0.0, []
    while now < 1_003:
        assert step.look_later(now)
        now = step.next_look
        looks.append(round(now, 2))
    seldom, often = looks[:14], looks[14:]
    assert seldom == [0.04, 0.12, 0.28, 0.6, 1.24, 2.52, 5.08, 10.2, 20.44, 40.92, 81.88, 163.8, 327.64, 655.32]
    assert often == [1000.0, 1001.0, 1002.0, 1003.0]


def ended(pause: Pause) -> Watched:
    """A step that was started alone, whose attempt failed at second 0."""
    step = Watched(run=None, since=0)  # type: ignore[arg-type] # which is not asked for anything
    step.end(30.0, pause)
    step.ended = 0.0
    return step


@pytest.mark.slow
async def test_a_step_that_is_started_alone_is_not_over_while_it_waits(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, told = Watcher.ended, threading.Event()

    def end_and_say(*args: Any, **kwargs: Any) -> None:
        end(*args, **kwargs)
        told.set()

    @DBOS.step(retries_allowed=True, interval_seconds=1_000)
    async def ask(prompt: str) -> str:
        answer(prompt)
        raise TimeoutError

    live.launch()
    monkeypatch.setattr(Watcher, "ended", end_and_say)
    with SetWorkflowID("w"):
        await DBOS.start_workflow_async(ask, "tides")
    assert await asyncio.to_thread(told.wait, 30)
    assert live.tracing.flush(10.0)  # nothing has ended that it would wait for

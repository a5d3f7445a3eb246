"""How fast, and how often again?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.service import RPCError, RPCStatusCode

from tests.history.server.memory import refused
from tracing.history.server.requests import LOOK_SECONDS, PATIENCE_SECONDS, Requests


class Clock:
    """Time that only passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Service:
    """Notes when it is called; refuses what it is told to."""

    def __init__(self, clock: Clock, *refusals: RPCError) -> None:
        self._clock = clock
        self._refusals = list(refusals)
        self.called: list[float] = []
        self.timeouts: set[timedelta | None] = set()

    async def __call__(self, request: str, /, **options: timedelta | None) -> str:
        self.called.append(self._clock.now - 100)
        self.timeouts.add(options["timeout"])
        if self._refusals:
            raise self._refusals.pop(0)
        return f"Re: {request}"


async def test_no_faster_than_the_rate() -> None:
    clock = Clock()
    service = Service(clock)
    requests = Requests(rate=4, clock=clock, sleep=clock.sleep)
    for _ in range(4):
        assert await requests.send(service, "history") == "Re: history"
    assert service.called == [0, 0.25, 0.5, 0.75]
    assert service.timeouts == {timedelta(seconds=30)}


async def test_requests_that_are_sent_again_count_and_wait_longer_each_time() -> None:
    clock = Clock()
    service = Service(clock, *[refused(RPCStatusCode.UNAVAILABLE)] * 3)
    assert await Requests(clock=clock, sleep=clock.sleep).send(service, "history") == "Re: history"
    waits = [later - earlier for earlier, later in zip(service.called, service.called[1:], strict=False)]
    assert [round(wait / second) for wait, second in zip(waits, (0.2, 0.4, 0.8), strict=True)] == [1, 1, 1]


async def test_a_server_that_is_too_busy_is_left_alone_by_all() -> None:
    clock = Clock()
    requests = Requests(clock=clock, sleep=clock.sleep)
    busy, other = Service(clock, *[refused(RPCStatusCode.RESOURCE_EXHAUSTED)] * 6), Service(clock)
    with pytest.raises(RPCError):
        await requests.send(busy, "history")
    assert len(busy.called) == 6
    given_up = busy.called[-1]
    assert 0.8 * (1 + 2 + 4 + 8 + 10) <= given_up <= 1.2 * (1 + 2 + 4 + 8 + 10)
    await requests.send(other, "list")
    assert other.called == [given_up]


async def test_a_server_that_is_away_for_long_is_not_waited_for_by_each_run_anew() -> None:
    clock = Clock()
    service = Service(clock, *[refused(RPCStatusCode.UNAVAILABLE, "away")] * 100)
    requests = Requests(clock=clock, sleep=clock.sleep)
    for _ in range(50):
        with pytest.raises(RPCError, match="away"):
            await requests.send(service, "history")
    assert PATIENCE_SECONDS <= clock.now - 100 < PATIENCE_SECONDS + 10
    assert service.called[-1] == clock.now - 100, "none of the others asks, or waits"


async def test_one_request_at_a_time_looks_now_and_then_whether_it_is_back() -> None:
    clock = Clock()
    service = Service(clock, *[refused(RPCStatusCode.UNAVAILABLE, "away")] * 7)
    requests = Requests(clock=clock, sleep=clock.sleep)
    with pytest.raises(RPCError):
        await requests.send(service, "history")
    clock.now += PATIENCE_SECONDS
    with pytest.raises(RPCError):
        await requests.send(service, "looks")
    clock.now += LOOK_SECONDS
    answered = asyncio.Event()

    async def slow(request: str, /, **_: timedelta | None) -> str:
        await answered.wait()
        return f"Re: {request}"

    looking = asyncio.create_task(requests.send(slow, "first"))
    await asyncio.sleep(0)
    with pytest.raises(RPCError, match="away"):
        await requests.send(service, "second")
    assert len(service.called) == 7
    answered.set()
    assert await looking == "Re: first"
    assert await requests.send(service, "third") == "Re: third"


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_is_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Requests(rate=rate)

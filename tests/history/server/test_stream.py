"""Several at once, never more held than there are places, in order or as they come."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING

import pytest

from tracing.history.server.stream import stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Result:
    """What is held."""

    def __init__(self, number: int) -> None:
        self.number = number


class Source:
    """Gives items, and gets their results when the test lets it."""

    def __init__(self, count: int, *, breaks_at: int | None = None) -> None:
        self.count = count
        self.asked: list[int] = []
        self.held: weakref.WeakSet[Result] = weakref.WeakSet()
        self.most = 0
        self.let = {number: asyncio.Event() for number in range(count)}
        self._breaks_at = breaks_at

    async def items(self) -> AsyncIterator[int]:
        for number in range(self.count):
            if number == self._breaks_at:
                raise ConnectionError("the listing broke off")
            self.asked.append(number)
            yield number

    async def get(self, number: int) -> Result:
        await self.let[number].wait()
        result = Result(number)
        self.held.add(result)
        self.most = max(self.most, len(self.held))
        return result

    def let_all(self) -> None:
        for event in self.let.values():
            event.set()


async def settled() -> None:
    """Whatever can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_results_come_as_they_come_or_in_order() -> None:
    for in_order, expected in ((False, [2, 0, 1]), (True, [0, 1, 2])):
        source = Source(3)
        results = stream(source.items(), source.get, concurrency=3, in_order=in_order)
        first = asyncio.ensure_future(anext(results))
        await settled()
        for number in (2, 0, 1):
            source.let[number].set()
            await settled()
        assert [(await first).number, *[result.number async for result in results]] == expected


@pytest.mark.parametrize("in_order", [True, False])
async def test_no_more_are_held_than_there_are_places(in_order: bool) -> None:  # noqa: FBT001
    source = Source(12)
    source.let_all()
    seen = 0
    results = stream(source.items(), source.get, concurrency=4, in_order=in_order)
    async for result in results:
        await settled()
        assert len(source.asked) <= seen + 4
        seen += 1
        del result
    assert (seen, source.most) == (12, 4)


async def test_a_listing_that_breaks_off_is_told_after_what_it_gave() -> None:
    source = Source(5, breaks_at=3)
    source.let_all()
    results = stream(source.items(), source.get, concurrency=2)
    assert sorted([(await anext(results)).number for _ in range(3)]) == [0, 1, 2]
    with pytest.raises(ConnectionError, match="broke off"):
        await anext(results)


async def test_who_stops_reading_leaves_nothing_running() -> None:
    source = Source(9)
    source.let[0].set()
    results = stream(source.items(), source.get, concurrency=3)
    assert (await anext(results)).number == 0
    await results.aclose()  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nothing_to_get() -> None:
    source = Source(0)
    assert [result async for result in stream(source.items(), source.get, concurrency=3)] == []

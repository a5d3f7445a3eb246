"""Steps that their workflow does not wait for: they go on after it is over, and DBOS records nothing more of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from dbos import DBOS, SetWorkflowID

from tests.dbos_live.conftest import assert_same, short
from tests.dbos_live.test_both_readers import answer
from tracing import conventions as c

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.dbos_live.conftest import Live

pytestmark = pytest.mark.slow


async def fail_together(live: Live, ask: Callable[[str], Awaitable[str]], fail: Callable[[], Awaitable[str]]) -> None:
    """Run a workflow of two steps at once, which fails with the second and does not wait for the first."""

    @DBOS.workflow(name="research")
    async def research() -> list[str]:
        return [*await asyncio.gather(ask("tides"), fail())]

    live.launch()
    with SetWorkflowID("w"), pytest.raises(LookupError):
        await research()


async def test_one_that_is_tried_again_after_the_end_sends_no_second_run(live: Live) -> None:
    over, done = asyncio.Event(), asyncio.Event()
    tries: list[str] = []

    @DBOS.step(retries_allowed=True, interval_seconds=0.01)
    async def ask(prompt: str) -> str:
        tries.append(prompt)
        await over.wait()
        if len(tries) == 1:
            raise TimeoutError
        done.set()
        return answer(prompt)

    @DBOS.step()
    async def fail() -> str:
        raise LookupError

    await fail_together(live, ask, fail)
    live.spans("w")
    over.set()
    await asyncio.wait_for(done.wait(), 30)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(others, timeout=30)
    names = [short(span.name) for span in live.spans("w")]  # none came twice
    assert (names.count("RunWorkflow:research"), names.count("RunActivity:ask")) == (1, 2)


async def test_one_that_has_failed_before_the_end_is_unclosed_in_both_readers(live: Live) -> None:
    failed = asyncio.Event()

    def slowly(_: BaseException) -> bool:
        failed.set()  # its attempt is recorded
        return True

    @DBOS.step(retries_allowed=True, interval_seconds=1_000, should_retry=slowly)
    async def ask(prompt: str) -> str:
        answer(prompt)
        raise TimeoutError

    @DBOS.step()
    async def fail() -> str:
        await failed.wait()
        raise LookupError

    await fail_together(live, ask, fail)
    spans = live.spans("w")
    assert [short(span.name) for span in spans if span.attributes.get(c.UNCLOSED)] == ["StartActivity:ask"]
    assert_same(spans, live.exported("w"))

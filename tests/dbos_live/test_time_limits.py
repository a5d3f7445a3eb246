"""A step's own time limit is DBOS's: it is as without tracing, and the ledger is there ahead of the result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS, SetWorkflowID, error

from tests.dbos_live.conftest import assert_same
from tests.dbos_live.test_both_readers import answer
from tests.dbos_live.test_settings import stored
from tracing.dbos_live import functions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dbos_live.conftest import Live
    from tracing.dbos_live.attempt import Attempt

pytestmark = pytest.mark.slow

OWN_STEP = DBOS.step
"""DBOS's decorator, which is not wrapped while this module is imported."""
RESULTS = "SELECT function_id, output FROM operation_outputs"
SECONDS = 0.05
"""A time limit of those that never end by themselves."""
TOO_LONG = "DBOSStepTimeoutError('Step ask was cancelled after exceeding its timeout of 0.05 seconds')"


async def forever() -> None:
    await asyncio.Event().wait()


async def hangs() -> str:
    await forever()
    return "never"


async def returns_though_cancelled() -> str:
    try:
        await forever()
    except asyncio.CancelledError:
        return "too late"
    return "never"


async def fails_as_it_is_cancelled() -> str:
    try:
        await forever()
    finally:
        raise LookupError("no such model")


async def fails_in_time() -> str:
    raise LookupError("no such model")


async def returns_in_time() -> str:
    return "tides"


@pytest.mark.parametrize("decorator", [lambda: OWN_STEP, lambda: DBOS.step], ids=["of DBOS", "traced"])
@pytest.mark.parametrize(
    ("function", "seconds", "outcome"),
    [
        (hangs, SECONDS, f"{TOO_LONG} of None"),
        (returns_though_cancelled, SECONDS, f"{TOO_LONG} of None"),
        (fails_as_it_is_cancelled, SECONDS, f"{TOO_LONG} of LookupError('no such model')"),
        (fails_in_time, 600.0, "LookupError('no such model') of None"),
        (returns_in_time, 600.0, "tides"),
    ],
)
async def test_it_ends_as_without_tracing(
    live: Live, decorator: Callable[[], Any], function: Callable[[], Any], seconds: float, outcome: str
) -> None:
    # In a function of its own: DBOS marks what it decorates, and those above are of this module.
    @decorator()(name="ask", timeout_seconds=seconds)
    async def step() -> str:
        return str(await function())

    @DBOS.workflow()
    async def research() -> str:
        try:
            return str(await step())
        except Exception as failure:  # noqa: BLE001 - whatever it is
            return f"{failure!r} of {failure.__cause__!r}"

    live.launch()
    assert await research() == outcome


async def test_the_ledger_is_there_ahead_of_the_result(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    write, recorded = functions.write_async, list[object]()

    async def write_and_look(attempt: Attempt) -> bool:
        written = await write(attempt)
        recorded.append((stored(live.url, "SELECT key FROM streams"), stored(live.url, RESULTS)))
        return written

    @DBOS.step(timeout_seconds=600.0)
    async def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    async def research(topic: str) -> str:
        return await ask(topic)

    live.launch()
    monkeypatch.setattr(functions, "write_async", write_and_look)
    with SetWorkflowID("w"):
        assert await research("tides") == "tides!"
    assert recorded == [([("durable-trace/1",)], [])]
    assert stored(live.url, RESULTS) == [(1, '"tides!"')]
    assert_same(live.spans("w"), live.exported("w"))


async def test_a_step_with_one_is_still_preempted_where_its_workflow_is_cancelled(live: Live) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    @DBOS.step(preemptible=True, timeout_seconds=600.0)
    async def ask() -> None:
        began.set()
        try:
            await forever()
        finally:
            ended.set()

    @DBOS.workflow()
    async def research() -> None:
        await ask()

    live.launch()
    with SetWorkflowID("w"):
        handle = await DBOS.start_workflow_async(research)
    await asyncio.wait_for(began.wait(), 30)
    await DBOS.cancel_workflow_async("w")
    with pytest.raises(error.DBOSAwaitedWorkflowCancelledError):
        await handle.get_result()
    assert ended.is_set()

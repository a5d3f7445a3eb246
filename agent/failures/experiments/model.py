"""The model does not answer in time, or refuses: for longer than a client tries again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from agent.failures.failure import Failure
from agent.failures.moment import IN_FLIGHT, OUTLASTS, SETTINGS
from agent.local.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.failures.durable import DurableRun
    from agent.failures.plain import PlainRun

_HEADING: Final = f"# {IN_FLIGHT}"
_NO_ANSWER: Final = Fault(kind="timeout", contains=_HEADING, times=OUTLASTS)
_REFUSALS: Final = Fault(kind="status", status=429, retry_after=0.1, contains=_HEADING, times=OUTLASTS)


def _to_workflow(fault: Fault) -> Callable[[DurableRun], Awaitable[None]]:
    async def happen(run: DurableRun) -> None:
        await run.control.arm(fault)
        await run.start_worker("worker-1")
        await run.begin()
        await run.control.wait(step=IN_FLIGHT)
        await run.note_failure()

    return happen


def _to_script(fault: Fault) -> Callable[[PlainRun], Awaitable[None]]:
    async def happen(run: PlainRun) -> None:
        await run.control.arm(fault)
        await run.start()

    return happen


TIMEOUT: Final = Failure(
    name="llm-timeout",
    title="LLM timeout, three in a row",
    without="its client's two retries time out, too; the script ends and begins again",
    with_it="the fourth attempt is answered",
    settings=replace(SETTINGS, llm_timeout_s=6.0),
    to_workflow=_to_workflow(_NO_ANSWER),
    to_script=_to_script(_NO_ANSWER),
)

RATE_LIMIT: Final = Failure(
    name="rate-limit",
    title="Rate limit (429), three in a row",
    without="its client's two retries are refused, too; the script ends and begins again",
    with_it="the fourth attempt, after the delay that the model asks for, is answered",
    settings=SETTINGS,
    to_workflow=_to_workflow(_REFUSALS),
    to_script=_to_script(_REFUSALS),
)

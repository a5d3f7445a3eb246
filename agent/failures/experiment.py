"""How are the failures made, each on both sides?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.failures.durable import DurableRun
from agent.failures.moment import QUESTION
from agent.failures.outcome import Durable, Outcome, Plain
from agent.failures.plain import PlainRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agent.failures.failure import Failure
    from agent.failures.laboratory import Laboratory
    from agent.research.settings import ResearchSettings

AT_ONCE: Final = 3
"""Most experiments wait most of the time: more than one for each core, few enough for none to be starved."""


class Experiments:
    """Makes failures happen in a laboratory.

    Args:
        laboratory: Its servers, which are running.
    """

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._places = asyncio.Semaphore(AT_ONCE)
        self._scripts: dict[tuple[Callable[[PlainRun], Awaitable[None]], ResearchSettings], asyncio.Task[Plain]] = {}

    async def outcomes(self, failures: Sequence[Failure]) -> list[Outcome | BaseException]:
        """Make failures happen, some at the same time.

        Returns:
            What came of each, in their order: its outcome, or why there is none.
        """
        return await asyncio.gather(*map(self._outcome, failures), return_exceptions=True)

    async def _outcome(self, failure: Failure) -> Outcome:
        """Make one happen to a script and, at the same time, to a workflow; each has servers of its own."""
        async with self._places:
            durable = asyncio.create_task(self._durable(failure))
            plain = self._plain(failure)
            # Neither is left running when the other has failed.
            await asyncio.wait({durable, plain})
            return Outcome(failure, plain.result(), durable.result())

    async def _durable(self, failure: Failure) -> Durable:
        async with self._laboratory.side(failure.name) as side:
            run = DurableRun(side, QUESTION, failure.settings)
            await failure.to_workflow(run)
            return await run.finish()

    def _plain(self, failure: Failure) -> asyncio.Task[Plain]:
        """The script's side; what happens to it in the same way for several failures happens once."""
        happening = (failure.to_script, failure.settings)
        if happening not in self._scripts:
            self._scripts[happening] = asyncio.create_task(self._run_script(failure))
        return self._scripts[happening]

    async def _run_script(self, failure: Failure) -> Plain:
        async with self._laboratory.side(f"{failure.name}-without") as side:
            run = PlainRun(side, QUESTION, failure.settings)
            await failure.to_script(run)
            return await run.finish()

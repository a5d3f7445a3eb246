"""How does a run of the script go, under a supervisor that begins it again until it succeeds?"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from agent.failures.outcome import Plain

if TYPE_CHECKING:
    from agent.failures.laboratory import Side
    from agent.research.settings import ResearchSettings
    from agent.servers.process import SupervisedProcess

MOST_STARTS: Final = 3
"""No experiment needs more: where a script fails so often, something else is wrong."""

_PATIENCE_SECONDS: Final = 120.0


class PlainRun:
    """The script, and who starts it.

    Args:
        side: Its servers.
        question: What it is asked.
        settings: How it researches; it does not rest between syntheses, for nothing is counted in that time.
    """

    def __init__(self, side: Side, question: str, settings: ResearchSettings) -> None:
        self.side = side
        self.control = side.control
        self._question = question
        self._settings = settings
        self._starts = 0
        self._output = side.folder / "report.md"
        self._options: list[str] = []
        self._environ: dict[str, str] = {}
        self._script: SupervisedProcess | None = None

    async def start(self, *options: str, **environ: str) -> SupervisedProcess:
        """Begin the script from the beginning, in a process of its own.

        Args:
            options: More options of its command, of this start and those that follow.
            environ: More variables, likewise.
        """
        self._starts += 1
        self._options, self._environ = list(options), environ
        settings = self._settings
        command = [
            *(sys.executable, "-m", "agent.failures.script", self._question, "--output", str(self._output)),
            *("--start", str(self._starts), "--searches", str(settings.searches)),
            *("--llm-timeout-s", str(settings.llm_timeout_s), *options),
        ]
        self._script = self.side.process(f"script-{self._starts}", command, environ)
        await asyncio.to_thread(self._script.start)
        return self._script

    async def finish(self) -> Plain:
        """Begin the script again whenever it has ended without a report, until there is one.

        Raises:
            RuntimeError: It fails again and again.
        """
        while not await self._succeeds():
            if self._starts == MOST_STARTS:
                assert self._script is not None  # it has been started
                raise RuntimeError(f"The script failed {MOST_STARTS} times. {self._script.log_tail()}")
            await self.start(*self._options, **self._environ)
        return Plain(self._output.read_text(), self._starts, await self.control.requests())

    async def _succeeds(self) -> bool:
        if self._script is not None and self._script.running:
            await asyncio.to_thread(self._script.wait, _PATIENCE_SECONDS)
        return self._output.exists()

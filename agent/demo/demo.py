"""A demo, from its first server to its last line."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from rich.console import Console

from agent.demo.patterns import DEFAULT, PATTERNS
from agent.demo.results import Results, conclude
from agent.demo.screen import show
from agent.demo.stage import Stage
from agent.servers.locate import ServerNotFoundError
from agent.servers.process import ProcessError
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from agent.demo.patterns import Pattern


def run_demo(
    folder: Path,
    pattern: Pattern = PATTERNS[DEFAULT],
    *,
    with_phoenix: bool = True,
    keep: bool = False,
    console: Console | None = None,
) -> int:
    """Run the demo of a pattern.

    Args:
        folder: For what it writes; what an earlier demo wrote there is replaced.
        pattern: The pattern, of which all is installed.
        with_phoenix: Whether to show the trace in Phoenix, where that is installed.
        keep: Whether to leave Phoenix running until Ctrl-C, so that the trace can be looked at.
        console: Where its tables are printed; standard output where None.

    Returns:
        0 where all that it claims held; 1 where something did not, or a server could not be had.
    """
    progress = Progress()
    console = console or Console(highlight=False)
    servers = folder / "servers"
    shutil.rmtree(servers, ignore_errors=True)
    try:
        with Stage(servers, progress, with_temporal=pattern.engine == "Temporal", with_phoenix=with_phoenix) as stage:
            results = asyncio.run(play(stage, pattern, folder))
            show(results, console)
            if keep and stage.phoenix is not None:
                _wait_for_interrupt(progress, results)
    except (ServerNotFoundError, ProcessError) as error:
        progress.say(str(error))
        return 1
    return 0 if all(results.checks().values()) else 1


async def play(stage: Stage, pattern: Pattern, folder: Path) -> Results:
    """Tell a pattern's story on a stage, and draw the results.

    Args:
        stage: Running servers; an earlier story may have been told there.
        pattern: The pattern.
        folder: For what it writes; what an earlier demo wrote there is replaced.
    """
    _empty(folder)
    await stage.prepare()
    story = await pattern.tell()(stage)
    return await conclude(stage, story, folder)


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.otlp.jsonl"), *folder.glob("*.history.json")):
        old.unlink()


def _wait_for_interrupt(progress: Progress, results: Results) -> None:
    progress.say(f"The trace is at {results.trace_url}. Phoenix runs until Ctrl-C.")
    try:
        asyncio.run(asyncio.Event().wait())
    except KeyboardInterrupt:
        progress.say("")

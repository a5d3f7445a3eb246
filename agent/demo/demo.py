"""The demo, from its first server to its last line."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from rich.console import Console

from agent.demo.results import Results, conclude
from agent.demo.screen import show
from agent.demo.stage import Stage
from agent.demo.story import tell
from agent.servers.locate import ServerNotFoundError
from agent.servers.process import ProcessError
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path


def run_demo(folder: Path, *, with_phoenix: bool = True, keep: bool = False) -> int:
    """Run the demo.

    Args:
        folder: For what it writes; what an earlier demo wrote there is replaced.
        with_phoenix: Whether to show the trace in Phoenix, where that is installed.
        keep: Whether to leave Phoenix running until Ctrl-C, so that the trace can be looked at.

    Returns:
        0 where all that it claims held; 1 where something did not, or a server could not be had.
    """
    progress = Progress()
    console = Console(highlight=False)
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.otlp.jsonl"), *folder.glob("*.history.json")):
        old.unlink()
    servers = folder / "servers"
    shutil.rmtree(servers, ignore_errors=True)
    try:
        with Stage(servers, progress, with_phoenix=with_phoenix) as stage:
            results = asyncio.run(_play(stage, folder))
            show(results, console)
            if keep and stage.phoenix is not None:
                _wait_for_interrupt(progress, results)
    except (ServerNotFoundError, ProcessError) as error:
        progress.say(str(error))
        return 1
    return 0 if all(results.checks().values()) else 1


async def _play(stage: Stage, folder: Path) -> Results:
    return await conclude(stage, await tell(stage), folder)


def _wait_for_interrupt(progress: Progress, results: Results) -> None:
    progress.say(f"The trace is at {results.trace_url}. Phoenix runs until Ctrl-C.")
    try:
        asyncio.run(asyncio.Event().wait())
    except KeyboardInterrupt:
        progress.say("")

"""`durable-trace demo`: the agent, a killed worker, the resumed run, its traces, its costs."""

from __future__ import annotations

from pathlib import Path

import click

from tracing.cli import SOME_FAILED
from tracing.cli.console import complain


@click.command()
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True)
@click.option("--no-phoenix", is_flag=True, help="Do not start Phoenix, even where it is installed.")
@click.option("--keep", is_flag=True, help="Leave Phoenix running until Ctrl-C.")
def command(*, folder: Path, no_phoenix: bool, keep: bool) -> int:
    """The agent, a killed worker, the resumed run, its traces, its costs.

    Needs no key and no container. Starts a Temporal dev server, an OpenTelemetry Collector, a local model and a local
    search server, runs the research agent, kills its worker with SIGKILL, lets another one finish, exports the history,
    replays it, and shows what was made once, what was reused, and what it cost.
    """
    try:
        from agent.demo.demo import run_demo  # noqa: PLC0415 - the agents are an extra
    except ImportError as error:
        complain([f"The demo needs the agents ({error.name} is missing): pip install 'durable-trace[agent]'."])
        return SOME_FAILED
    return run_demo(folder, with_phoenix=not no_phoenix, keep=keep)

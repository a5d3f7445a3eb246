"""`durable-trace demo`: an agent of a pattern, its failure, the resumed run, its traces, its costs."""

from __future__ import annotations

from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from agent.demo.patterns import DEFAULT, PATTERNS
from tracing.cli import SOME_FAILED
from tracing.cli.console import complain, output


@click.command()
@click.argument("name", metavar="[NAME]", type=click.Choice(list(PATTERNS)), default=DEFAULT)
@click.option("--list", "listed", is_flag=True, help="List the patterns, and end.")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    help=f"Folder to write to.  [default: out/demo; out/demo-NAME of another pattern than {DEFAULT}]",
)
@click.option("--no-phoenix", is_flag=True, help="Do not start Phoenix, even where it is installed.")
@click.option("--keep", is_flag=True, help="Leave Phoenix running until Ctrl-C.")
def command(*, name: str, listed: bool, folder: Path | None, no_phoenix: bool, keep: bool) -> int:
    """An agent, a killed worker, the resumed run, its traces, its costs.

    Needs no key and no container. Starts a Temporal dev server (where the pattern's engine is Temporal), an
    OpenTelemetry Collector, a local model and a local search server, runs the agent of the pattern NAME, injects its
    failure (a worker killed with SIGKILL), lets the run go on, exports the history, replays it, and shows what was made
    once, what was reused, and what it cost.
    """
    if listed:
        output().print(_list())
        return 0
    pattern = PATTERNS[name]
    if pattern.missing:
        packages = ", ".join(pattern.missing)
        complain([f"The demo {name} needs packages that are not installed ({packages}): {pattern.how_to_install}."])
        return SOME_FAILED
    from agent.demo.demo import run_demo  # noqa: PLC0415 - the agents are an extra

    folder = folder or Path("out") / ("demo" if name == DEFAULT else f"demo-{name}")
    return run_demo(folder, pattern, with_phoenix=not no_phoenix, keep=keep)


def _list() -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("what it shows")
    table.add_column("engine", no_wrap=True)
    table.add_column("what must be installed")
    for pattern in PATTERNS.values():
        # As text: the brackets of an extra would be read as markup.
        installed = Text(pattern.how_to_install) if pattern.missing else Text("nothing more", style="green")
        table.add_row(pattern.name, pattern.shows, pattern.engine, installed)
    return table

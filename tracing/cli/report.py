"""`durable-trace report`: the picture: waterfall, messages, costs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.connection import Connection, connection_options
from tracing.cli.console import complain, counted, output, safe
from tracing.cli.decoding import decoder_of, decoding_options, hint
from tracing.cli.outputs import Output
from tracing.cli.runs import RUN_HELP, Loaded, load
from tracing.cli.sections import SectionedCommand, section
from tracing.config import TracingConfig
from tracing.cost import Comparison, accounts, compare
from tracing.cost.tree import SpanTree
from tracing.decoding import Decoding
from tracing.report import write_report
from tracing.spans.model import Span

_picture = section("The page")


@click.command(
    cls=SectionedCommand,
    help=f"The picture of runs, one HTML file without network: waterfall, messages, costs.\n\nRUN is {RUN_HELP}.",
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@_picture(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=Output(folder=False),
    required=True,
    help="Write the page here.",
)
@_picture("--compare-with", "second", metavar="RUN", help="Set the one RUN beside this one: a replay, a re-run.")
@_picture("--title", metavar="TEXT", default="", help="Title of the page; else what it shows.")
@connection_options
@decoding_options
def command(
    *, runs: tuple[str, ...], file: Path, second: str | None, title: str, decoding: Decoding, connection: Connection
) -> int:
    """Write a report."""
    if str(file) == "-":
        raise click.UsageError("-o -: the page goes into a file, not to standard output: name one, such as run.html.")
    if not file.parent.is_dir():
        raise click.UsageError(
            f"{safe(file)} cannot be written: there is no folder {safe(file.parent)}. Make it first."
        )
    if file.exists() and not file.is_file():  # it would be replaced: /dev/null, too
        raise click.UsageError(f"{safe(file)} is no file, but the page goes into one: name one, such as run.html.")
    spans: list[Span] = []
    failures: list[str] = []
    hint(decoding, TracingConfig.from_environment())
    with decoder_of(decoding) as decoder:
        for argument in runs:
            loaded = load(argument, decoder, connection)
            spans += loaded.spans
            failures += loaded.failures
        other = load(second, decoder, connection) if second else Loaded()
    comparison = _comparison(spans, other, failures) if second else None
    shown = SpanTree([*spans, *other.spans]).spans  # of a run and its replay, each has its own waterfall
    if shown:
        try:
            # Where a link leads; `Path.resolve` raises where that is a circle.
            write_report(Path(os.path.realpath(file)), shown, comparison, title=title)
        except OSError as error:
            raise click.FileError(str(file), error.strerror or str(error)) from error
        output().print(f"{counted(len(shown))} → {safe(file)}")
    elif not failures:
        failures.append("There is no run in what was named: no report is written.")
    return SOME_FAILED if complain(failures) else OK


def _comparison(spans: list[Span], other: Loaded, failures: list[str]) -> Comparison | None:
    failures += other.failures
    sides = [accounts(spans), accounts(other.spans)]
    if [len(side) for side in sides] != [1, 1]:
        found = " and ".join(str(len(side)) for side in sides)
        failures.append(f"--compare-with sets one run beside another; there are {found}.")
        return None
    return compare(sides[0][0], sides[1][0])

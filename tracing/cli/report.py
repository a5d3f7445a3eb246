"""`durable-trace report`: the picture: waterfall, messages, costs."""

from __future__ import annotations

from pathlib import Path

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import complain, output, safe
from tracing.cli.runs import RUN_HELP, load
from tracing.cost import Comparison, accounts, compare
from tracing.report import write_report
from tracing.spans.model import Span


@click.command(help=f"The picture of runs as one HTML file: waterfall, messages, costs.\n\nRUN is {RUN_HELP}.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--compare-with", "second", metavar="RUN", help="Set the one RUN beside this one: a replay, a re-run.")
@click.option("--title", default="", help="Title of the report.")
def command(*, runs: tuple[str, ...], file: Path, second: str | None, title: str) -> int:
    """Write a report."""
    spans: list[Span] = []
    failures: list[str] = []
    for argument in runs:
        loaded = load(argument)
        spans += loaded.spans
        failures += loaded.failures
    comparison = _comparison(spans, second, failures) if second else None
    if spans:
        written = write_report(file, spans, comparison, title=title)
        output().print(f"{len(spans)} spans → {safe(written)}")
    return SOME_FAILED if complain(failures) or not spans else OK


def _comparison(spans: list[Span], second: str, failures: list[str]) -> Comparison | None:
    other = load(second)
    failures += other.failures
    sides = [accounts(spans), accounts(other.spans)]
    if [len(side) for side in sides] != [1, 1]:
        found = " and ".join(str(len(side)) for side in sides)
        failures.append(f"--compare-with sets one run beside another; there are {found}.")
        return None
    return compare(sides[0][0], sides[1][0])

"""`durable-trace compare`: first run against replay, reset, fork or re-run."""

from __future__ import annotations

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.comparison import comparison_table
from tracing.cli.console import complain, output, print_json
from tracing.cli.runs import RUN_HELP, load
from tracing.cost import RunAccount, accounts, compare


@click.command(
    help=f"First run against replay, reset, fork or re-run, step by step.\n\nFIRST and SECOND are {RUN_HELP}."
)
@click.argument("first")
@click.argument("second")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(*, first: str, second: str, as_json: bool) -> int:
    """Compare two runs."""
    sides: list[RunAccount] = []
    failures: list[str] = []
    for argument in (first, second):
        loaded = load(argument)
        failures += loaded.failures
        found = accounts(loaded.spans)
        if len(found) == 1:
            sides.append(found[0])
        elif found or not loaded.failures:
            failures.append(f"{argument}: it holds {len(found)} runs; a comparison takes one on each side.")
    failed = complain(failures)
    if len(sides) != 2:  # noqa: PLR2004 - two sides
        return SOME_FAILED
    comparison = compare(*sides)
    if as_json:
        print_json(comparison.as_json())
    else:
        output().print(comparison_table(comparison))
    return SOME_FAILED if failed else OK

"""`durable-trace compare`: first run against replay, reset, fork or re-run."""

from __future__ import annotations

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.comparison import comparison_table
from tracing.cli.connection import Connection, connection_options
from tracing.cli.console import complain, messages, output, print_json
from tracing.cli.decoding import decoder_of, decoding_options
from tracing.cli.runs import RUN_HELP, Loaded, load
from tracing.cli.scoring import is_with_itself, put_scores, score_targets
from tracing.cli.sections import SectionedCommand
from tracing.cost import JoinError, RunAccount, accounts, compare, join
from tracing.decoding import Decoding


@click.command(
    cls=SectionedCommand,
    help=(
        f"First run against replay, reset, fork or re-run, step by step.\n\nFIRST and SECOND are {RUN_HELP}. "
        "Each is one run or replay, or runs that belong together: a run with its children, or a chain."
    ),
)
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@connection_options
@decoding_options
@click.option(
    "--scores-to",
    metavar="BACKEND",
    multiple=True,
    help="Write the totals onto the trace of SECOND, for a replay of FIRST, in phoenix or langfuse. Can be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(
    *,
    first: str,
    second: str,
    scores_to: tuple[str, ...],
    decoding: Decoding,
    connection: Connection,
    as_json: bool,
) -> int:
    """Compare two runs."""
    targets = score_targets(scores_to)
    failures: list[str] = []
    with decoder_of(decoding) as decoder:
        sides = [_side(argument, load(argument, decoder, connection), failures) for argument in (first, second)]
    failed = complain(failures)
    before, after = sides
    if before is None or after is None:
        return SOME_FAILED
    comparison = compare(before, after)
    if as_json:
        print_json(comparison.as_json())
    else:
        console = output()
        console.print(comparison_table(comparison, console.width))
        if is_with_itself(comparison):
            messages().print(
                "Both are the same run: what it executed it executed once, and its waste counts twice here.",
                soft_wrap=True,
            )
    failed |= complain(put_scores(comparison, targets))
    return SOME_FAILED if failed else OK


def _side(argument: str, loaded: Loaded, failures: list[str]) -> RunAccount | None:
    failures += loaded.failures
    found = accounts(loaded.spans)
    if not found:
        if not loaded.failures:
            failures.append(f"{argument}: it holds no run: give a trace or a history of one.")
        return None
    try:
        return join(found)
    except JoinError as error:
        failures.append(f"{argument}: {error}.")
        return None

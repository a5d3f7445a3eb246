"""`durable-trace cost`: what runs cost, by step and attempt, or summed up by type, model, day, tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.connection import Connection, TemporalUnreachableError, connection_options
from tracing.cli.console import complain, output, print_json, progress
from tracing.cli.cost_tables import Rows, in_order, run_table, sums_table, write_csv
from tracing.cli.decoding import decoder_of, decoding_options
from tracing.cli.periods import COUNTED, period_options
from tracing.cli.runs import RUN_HELP, named
from tracing.cli.sections import SectionedCommand, section
from tracing.cli.server_options import ServerOptions, server_options
from tracing.config import TracingConfig
from tracing.cost import DIMENSIONS, Dimension, Period, Tally, tallies
from tracing.cost.as_json import account_as_json, tally_as_json
from tracing.cost.dimensions import GroupKey
from tracing.cost.tally import ALWAYS
from tracing.decoding import Decoding
from tracing.export.items import RunItem
from tracing.export.listing import QueryError, found_runs, one_run, related_runs
from tracing.export.parallelism import worthwhile_jobs
from tracing.export.server import ServerConnection
from tracing.fleet.adding import sums
from tracing.fleet.inputs import Input
from tracing.fleet.reading import Readers
from tracing.fleet.sums import Question, Sums
from tracing.history import Unreadable
from tracing.parallel import ProcessKilledError

BY_DEFAULT: Final[tuple[Dimension, ...]] = ("type", "model")
OF_ONE_RUN: Final[tuple[Dimension, ...]] = ("step", "attempt", "provider", "model")
EACH_RUN: Final[tuple[Dimension, ...]] = ("workflow", "run", "type", "status")
_LISTED: Final = 300
"""Inputs of a bucket or server that are listed before it is decided how many processes pay."""
_WHICH: Final = "Which runs, besides RUN"
_which, _counted = section(_WHICH), section(COUNTED)
_BY_HELP: Final = ", ".join(f"{name} ({meaning})" for name, meaning in DIMENSIONS.items())


class _Dimensions(click.ParamType[tuple[Dimension, ...]]):
    """Dimensions, with commas between them."""

    name = "dimensions"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Dimension, ...]:
        asked = [name.strip() for name in str(value).split(",")]
        if unknown := [name for name in asked if name not in DIMENSIONS]:
            self.fail(f"{unknown[0]!r} is none of {', '.join(DIMENSIONS)}.", param, ctx)
        return tuple(dimension for name in asked for dimension in DIMENSIONS if dimension == name)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which runs are meant: arguments, or those on the server."""

    runs: tuple[str, ...]
    workflow_id: str | None
    run_id: str | None
    query: str | None

    def check(self) -> None:
        if sum((bool(self.runs), bool(self.workflow_id), bool(self.query))) != 1:
            raise click.UsageError("Give RUNs, or --workflow-id, or --query: one of the three.")
        if self.run_id and not self.workflow_id:
            raise click.UsageError("--run-id names a run of a workflow ID: give it with --workflow-id.")


@click.command(
    cls=SectionedCommand,
    help=(
        "What runs cost: each step with its attempts where it is one run, else sums by workflow type and model.\n\n"
        f"RUN is {RUN_HELP}. Failed and lost attempts are retry waste. What is unknown is never counted as 0."
    ),
)
@click.argument("runs", nargs=-1, metavar="RUN...")
@_which("--workflow-id", metavar="ID", help="A run of this workflow ID on the server.")
@_which("--run-id", metavar="ID", help="Which run of --workflow-id; the latest where not given.")
@_which("--query", help="All runs that a visibility query finds on the server: \"WorkflowType='Agent'\".")
@_counted("--by", multiple=True, type=_Dimensions(), metavar="WHAT", help=f"Sum up by {_BY_HELP}. A,B or repeated.")
@_counted("--runs", "each_run", is_flag=True, help=f"List the runs: --by {','.join(EACH_RUN)}.")
@period_options
@server_options(_WHICH)
@connection_options
@decoding_options
@section()("--jobs", metavar="N", type=click.IntRange(1), help="Processes that share the work; else as many as pay.")
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the sums as CSV, with exact amounts.")
def command(
    *,
    runs: tuple[str, ...],
    by: tuple[tuple[Dimension, ...], ...],
    each_run: bool,
    when: Period,
    workflow_id: str | None,
    run_id: str | None,
    query: str | None,
    jobs: int | None,
    decoding: Decoding,
    reading: ServerOptions,
    connection: Connection,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Print what runs cost."""
    asked = _Asked(runs, workflow_id, run_id, query)
    asked.check()
    reading.check(workflow_id)
    if by and each_run:
        raise click.UsageError("--runs is a --by of its own: give one of the two.")
    if as_json and as_csv:
        raise click.UsageError("Give --json or --csv.")
    divided = EACH_RUN if each_run else tuple(dict.fromkeys(name for names in by for name in names))
    question = Question(divided or BY_DEFAULT, when, TracingConfig.from_environment(), decoding, connection.namespace)
    found = _sums(asked, question, reading, connection, jobs)
    alone = bool(found.few) and not divided and when == ALWAYS
    console = output()
    if as_json:
        print_json(_as_json(found, question.by, alone=alone))
    elif as_csv and alone:
        write_csv(OF_ONE_RUN, in_order(OF_ONE_RUN, _of_one_run(found)))
    elif as_csv:
        write_csv(question.by, in_order(question.by, found.rows))
    elif alone:
        for run in found.few:
            console.print(run_table(run, console.width))
    elif found.total.runs or found.replays or when != ALWAYS:
        rows = in_order(question.by, found.rows)
        console.print(sums_table(question.by, rows, found.total, replays=found.replays, width=console.width))
    failures = found.failures
    if not (failures or found.total.runs or found.replays or when != ALWAYS):  # of a time, no run is an answer
        failures = ["There is no run in what was named: nothing is counted."]
    return SOME_FAILED if complain(failures) else OK


def _sums(asked: _Asked, question: Question, reading: ServerOptions, connection: Connection, jobs: int | None) -> Sums:
    failures: list[str] = []
    server = ServerConnection(connection.connect, concurrency=reading.concurrency, rate=reading.rate)
    try:
        with decoder_of(question.decoding) as decoder, progress() as bar:
            task = bar.add_task("adding up", total=None)
            readers = Readers(
                question.config,
                decoder=decoder,
                server=server,
                namespace=question.namespace,
                ahead=reading.concurrency,
            )
            items: Iterable[Input] = _items(asked, reading, server, failures)
            first = list(islice(items, None if _all_local(asked) else _LISTED))
            if len(first) < _LISTED or _all_local(asked):
                bar.update(task, total=len(first))
                pay = worthwhile_jobs(len(first), sum(map(_size, first)))
            else:
                pay = worthwhile_jobs(None)
            found = sums(
                chain(first, items),
                question,
                readers,
                jobs=jobs or (pay if asked.runs else 1),
                progress=lambda done: bar.update(task, completed=done),
            )
    except QueryError as error:
        raise click.UsageError(f"--query {asked.query!r}: the server says: {error}") from error
    except ProcessKilledError as error:
        raise click.ClickException(
            "A process that read runs was killed, perhaps for want of memory: try again with one process (--jobs 1)."
        ) from error
    finally:
        server.close()
    # Once each, as of the few runs that `load` reads.
    return replace(found, failures=list(dict.fromkeys([*failures, *found.failures])))


def _items(asked: _Asked, reading: ServerOptions, server: ServerConnection, failures: list[str]) -> Iterator[Input]:
    for run in asked.runs:
        yield from named(run, server, failures)
    for item in _on_server(asked, reading, server, failures):
        if isinstance(item, Unreadable):
            failures.append(str(item))
        else:
            yield item


def _on_server(
    asked: _Asked, reading: ServerOptions, server: ServerConnection, failures: list[str]
) -> Iterator[RunItem | Unreadable]:
    try:
        if asked.query:
            yield from found_runs(server, asked.query, failures)
        elif asked.workflow_id and reading.related:
            yield from related_runs(server, asked.workflow_id, asked.run_id, children=reading.children)
        elif asked.workflow_id:
            yield from one_run(server, asked.workflow_id, asked.run_id)
    except TemporalUnreachableError as error:
        failures.append(error.message)


def _all_local(asked: _Asked) -> bool:
    return bool(asked.runs) and not any("://" in run for run in asked.runs)


def _size(item: Input) -> int:
    if isinstance(item, RunItem):
        return 0
    with suppress(OSError):  # it is named when it is read
        return Path(item.path).stat().st_size
    return 0


def _of_one_run(found: Sums) -> dict[GroupKey, Tally]:
    [run] = [run for run in found.few if not run.replay_id] or found.few[:1]
    return tallies(run, OF_ONE_RUN)


def _as_json(found: Sums, by: tuple[Dimension, ...], *, alone: bool) -> dict[str, Any]:
    divided: dict[str, Any] = {"runs": [account_as_json(run) for run in found.few]}
    if not alone:
        rows: Rows = in_order(by, found.rows)
        divided = {
            "by": list(by),
            "rows": [{"group": dict(zip(by, values, strict=True)), **tally_as_json(tally)} for values, tally in rows],
        }
    return {**divided, "total": tally_as_json(found.total), "replays": found.replays, "failed": found.failures}

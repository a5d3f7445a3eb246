"""`durable-trace replay`: run today's code against histories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import export_progress, print_json
from tracing.cli.decoding import decoding_options
from tracing.cli.numbers import A_DAY, Number
from tracing.cli.outputs import Output
from tracing.cli.replay_report import as_json, explain, report
from tracing.cli.sections import SectionedCommand, section
from tracing.decoding import Decoding
from tracing.history import Unreadable
from tracing.history.sources.files import File
from tracing.history.sources.listing import files
from tracing.replay.files import replayed
from tracing.replay.job import Replayed, ReplaySettings
from tracing.replay.processes import NotStartedError, Processes, worthwhile_jobs

_code, _traces = section("Today's code"), section("Traces of the replays")


@click.command(cls=SectionedCommand)
@click.argument("histories", nargs=-1, required=True, metavar="HISTORY...", type=click.Path(path_type=str))
@_code(
    "--workflow",
    "references",
    multiple=True,
    required=True,
    metavar="MODULE[:CLASS]",
    help="Today's code: a workflow class, or all of a module. Can be repeated.",
)
@_code("--skip-unknown", is_flag=True, help="Leave out histories of other workflow types, instead of failing.")
@_code("--data-converter", metavar="MODULE:OBJECT", default="", help="The DataConverter of your workers.")
@_code("--plugin", "plugins", multiple=True, metavar="MODULE:OBJECT", help="A plugin of your workers. Can be repeated.")
@_traces(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    type=Output(),
    help="Write each replay's trace here.",
)
@_traces("--to", metavar="ENDPOINT", help="Send the traces to: phoenix, langfuse, otlp, or an OTLP/HTTP address.")
@_traces("--namespace", metavar="NAME", help="Namespace of the histories in files that do not name theirs.")
@decoding_options
@section()("--jobs", metavar="N", type=click.IntRange(1), help="Processes that share the work; else as many as pay.")
@section()(
    "--timeout",
    type=Number(min=0, max=A_DAY, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest time for one file.",
)
@click.option("--json", "prints_json", is_flag=True, help="Print the outcomes as JSON.")
def command(
    *,
    histories: tuple[str, ...],
    references: tuple[str, ...],
    skip_unknown: bool,
    data_converter: str,
    plugins: tuple[str, ...],
    namespace: str | None,
    folder: Path | None,
    to: str | None,
    jobs: int | None,
    timeout: float,
    decoding: Decoding,
    prints_json: bool,
) -> int:
    """Run today's code against histories.

    HISTORY is a history file or a folder of them, in any shape that Temporal's tools write, such as `export
    --with-history` does. No activity runs and no model is called: results come from the history, and workflow code that
    tries to connect to anything is stopped. Exits with 1 where the code diverges from a history, and says where.
    """
    settings = ReplaySettings(
        workflows=references,
        data_converter=data_converter,
        plugins=plugins,
        decoding=decoding,
        namespace=namespace,
        folder=folder,
        to=to,
        skip_unknown=skip_unknown,
    )
    results: dict[str, list[Replayed]] = {}
    there: dict[str, File] = {}
    for found in (found for path in histories for found in files(path)):
        if isinstance(found, Unreadable):
            results[found.source] = [Replayed(found.source, "unreadable", found.reason)]
        else:
            results[found.name], there[found.name] = [], found
    try:
        for name, outcomes in _replayed(settings, list(there.values()), jobs, timeout):
            results[name] += outcomes
    except NotStartedError as error:
        raise click.UsageError(str(error)) from error
    ordered = _without_foreign([each for outcomes in results.values() for each in outcomes], named=histories)
    if prints_json:
        print_json(as_json(ordered))
        for each in ordered:
            explain(each)
    else:
        report(ordered)
    return OK if all(each.good for each in ordered) else SOME_FAILED


def _without_foreign(outcomes: list[Replayed], *, named: tuple[str, ...]) -> list[Replayed]:
    """Skip what lies beside histories in a folder but is none; a folder of nothing else is a mistake."""
    beside = [each.foreign and each.source not in named for each in outcomes]
    if all(beside):
        return outcomes
    both = zip(outcomes, beside, strict=True)
    return [replace(each, outcome="skipped") if foreign else each for each, foreign in both]


def _replayed(
    settings: ReplaySettings, found: Sequence[File], jobs: int | None, seconds: float
) -> Iterator[tuple[str, list[Replayed]]]:
    count = min(jobs or worthwhile_jobs(len(found)), max(1, len(found)))
    with Processes(settings, count, seconds=seconds) as processes, export_progress() as bar:
        task = bar.add_task("replaying", total=len(found))
        for done in replayed(processes, found):
            bar.advance(task)
            yield done

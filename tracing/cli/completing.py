"""`durable-trace export --have FOLDER`, without a backend: what trace files lack is written beside them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click

from tracing.backends.target import TargetError
from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import complain, counted, export_progress, output, print_json, safe
from tracing.export.completion import Completed, complete
from tracing.export.items import Item
from tracing.export.reading import Reader
from tracing.export.server import ServerConnection
from tracing.export.settings import ExportSettings
from tracing.history.documents import Unreadable
from tracing.tracefile.folder import FolderIndex


def complete_files(
    items: Iterable[Item | Unreadable],
    settings: ExportSettings,
    have: FolderIndex,
    *,
    server: ServerConnection | None,
    total: int | None,
    as_json: bool,
) -> int:
    """Write what trace files lack of runs, and say so; the exit code.

    Raises:
        click.ClickException: The trace files cannot be read, or no file can be written.
    """
    done: list[Completed] = []
    failures: list[str] = []
    with closing(have), closing(Reader(settings, server)) as reader, export_progress() as bar:
        task = bar.add_task("comparing", total=total)
        try:
            for each in complete(items, settings, reader, have):
                if isinstance(each, Unreadable):
                    failures.append(str(each))
                else:
                    done.append(each)
                    failures += [f"{each.workflow_id or each.run_id}: {defect}" for defect in each.defects]
                bar.advance(task)
        except (TargetError, OSError) as error:
            raise click.ClickException(str(error)) from error
        failures += [str(defect) for defect in have.defects]
    if as_json:
        print_json({"completed": [_json(run) for run in done], "failed": failures})
    else:
        _print(done)
    return SOME_FAILED if complain(failures) else OK


def _json(run: Completed) -> dict[str, Any]:
    return {**asdict(run), "file": None if run.file is None else str(run.file)}


def _print(done: list[Completed]) -> None:
    console = output()
    for run in done:
        if run.file is not None:
            named = f"{safe(run.workflow_id)} [dim]{safe(run.run_id)}[/]"
            missing = f"{counted(run.spans)} {'was' if run.spans == 1 else 'were'} missing"
            console.print(f"{named}: {missing} → {safe(run.file)}")
    left_out = sum(run.sampled_out for run in done)
    sampled_out = f"; {left_out} of runs that were sampled out stay out" if left_out else ""
    known, missing = (f"{sum(counts):,}" for counts in ([run.known for run in done], [run.spans for run in done]))
    console.print(f"{counted(len(done), 'run')}: {known} spans were there, {missing} were missing{sampled_out}")

"""`durable-trace tables`: trace files → Parquet tables of spans, steps and runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from typing import Final

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import complain, output, print_json, progress, safe
from tracing.cli.outputs import Output
from tracing.export.parallelism import worthwhile_jobs
from tracing.tables import VIEWS, Tables, TablesError, write_tables
from tracing.tables.parquet import load_pyarrow

TABLES_FOLDER: Final = "tables"
"""Name of the folder that tables are written to."""


@click.command()
@click.argument("traces", nargs=-1, required=True, metavar="TRACES...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    type=Output(file=False),
    default=TABLES_FOLDER,
    show_default=True,
)
@click.option("--jobs", type=click.IntRange(1), help="Processes that share the work; all processors where not given.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(*, traces: tuple[Path, ...], folder: Path, jobs: int | None, as_json: bool) -> int:
    """Trace files → Parquet tables of spans, steps and runs.

    TRACES are trace files (NAME.otlp.jsonl), of `durable-trace export` or of a Collector, and folders with all that are
    below them. The tables are written to spans/, steps/ and runs/ of the output folder, for DuckDB, polars and whatever
    else reads Parquet, and views.sql beside them, with DuckDB views of what is asked most. Tables that were there are
    replaced. Message content is in them where it is in the trace files.
    """
    tables = tables_of(traces, folder, jobs=jobs)
    if as_json:
        print_json(tables_as_json(tables) | {"failed": [str(defect) for defect in tables.defects]})
    else:
        print_tables(tables)
    return SOME_FAILED if complain(str(defect) for defect in tables.defects) else OK


def check_packages() -> None:
    """See to it that tables can be written, before there is other work to do.

    Raises:
        click.ClickException: When a package is missing.
    """
    try:
        load_pyarrow()
    except TablesError as error:
        raise click.ClickException(str(error)) from error


def tables_of(traces: Iterable[Path], folder: Path, *, jobs: int | None) -> Tables:
    """Write tables, with a progress bar.

    Args:
        traces: Trace files, and folders with all that are below them.
        folder: Folder of the tables.
        jobs: Processes that share the work; None is as many as there are processors.

    Raises:
        click.ClickException: When they cannot be written.
    """
    with progress() as bar:
        task = bar.add_task("writing tables", total=None)
        try:
            return write_tables(
                traces,
                folder,
                jobs=jobs or worthwhile_jobs(None),
                progress=lambda done, whole: bar.update(task, completed=done, total=whole),
            )
        except TablesError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or folder}: {error.strerror}. The tables that were there before are as they were."
            ) from error


def tables_beside(traces: Path, problems: list[str], *, jobs: int | None) -> Tables | None:
    """Write tables of an export's output folder into it.

    Args:
        traces: The folder.
        problems: Gets the reason where they cannot be written: what was exported is told all the same.
        jobs: As for `tables_of`.

    Returns:
        The tables; None where they could not be written.
    """
    try:
        return tables_of([traces], traces / TABLES_FOLDER, jobs=jobs)
    except click.ClickException as error:
        problems.append(error.format_message())
        return None


def print_tables(tables: Tables) -> None:
    """Say what was written, and how it is opened."""
    rows = ", ".join(
        f"{count:,} {table.removesuffix('s') if count == 1 else table}" for table, count in tables.rows.items()
    )
    files = f"{tables.files:,} trace file{'' if tables.files == 1 else 's'}"
    console = output()
    console.print(f"{files} → {safe(tables.folder)}: {rows}")
    console.print(f"[dim]Open them: cd {safe(quote(str(tables.folder)))} && duckdb -init {VIEWS}[/]")


def tables_as_json(tables: Tables) -> dict[str, object]:
    """What was written, for a JSON result."""
    return {"folder": str(tables.folder), "files": tables.files, "rows": dict(tables.rows)}

"""`durable-trace export`: histories, or workflows of a database → trace files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import click

from tracing.backends.registry import target_for
from tracing.backends.target import TargetError
from tracing.cli import OK, SOME_FAILED
from tracing.cli.asked import Asked, Which
from tracing.cli.completing import complete_files
from tracing.cli.connection import Connection, connection_options
from tracing.cli.console import export_progress
from tracing.cli.decoding import check, decoding_options
from tracing.cli.export_report import report
from tracing.cli.outputs import Output
from tracing.cli.sections import SectionedCommand, section
from tracing.cli.sending import SendOptions, check_output, sending_options
from tracing.cli.server_options import ServerOptions, server_options
from tracing.cli.tables import check_packages, tables_beside
from tracing.cli.watch_options import WatchOptions, watching_options
from tracing.cli.watching import follow, watch_of
from tracing.config import TracingConfig
from tracing.decoding import Decoding
from tracing.export.engine import Export
from tracing.export.listing import QueryError
from tracing.export.parallelism import worthwhile_jobs
from tracing.export.settings import ExportSettings
from tracing.export.workers import WorkersError
from tracing.tracefile.compression import Compression, CompressionError, check_compression
from tracing.tracefile.folder import FolderIndex

_WHAT: Final = "What is exported"
_what = section(_WHAT)
_files_written = section("Output")


@click.command(cls=SectionedCommand)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=str, readable=False))
@_what("--workflow-id", metavar="ID", help="A run of this workflow ID, from the server. With a file: its workflow ID.")
@_what("--run-id", metavar="ID", help="Which run; the latest where not given. With a file: its real run ID.")
@_what("--query", help="All runs that a visibility query finds: \"WorkflowType='Agent'\".")
@_what("--dbos", metavar="URL", help="All workflows of a DBOS system database, or that of --workflow-id.")
@_what("--serializer", metavar="MODULE:OBJECT", help="With --dbos: read ledgers that this serializer of yours wrote.")
@connection_options
@server_options(_WHAT)
@_files_written(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    type=Output(),
    default="traces",
    show_default=True,
    help="Where files go.",
)
@_files_written("--with-history", is_flag=True, help="Write NAME.history.json, too: raw, private, for replay.")
@_files_written("--compress", type=click.Choice(["gzip", "zstd"]), help="Compress what is written.")
@_files_written("--parquet", is_flag=True, help="Write tables of all runs in the output folder to tables/ in it, too.")
@decoding_options
@sending_options
@watching_options
@section()("--jobs", metavar="N", type=click.IntRange(1), help="Processes that share the work; else as many as pay.")
@click.option("--json", "as_json", is_flag=True, help="Print what was exported as JSON.")
def command(
    *,
    paths: tuple[str, ...],
    workflow_id: str | None,
    run_id: str | None,
    query: str | None,
    dbos: str | None,
    serializer: str | None,
    folder: Path,
    with_history: bool,
    compress: Compression | None,
    jobs: int | None,
    parquet: bool,
    connection: Connection,
    decoding: Decoding,
    reading: ServerOptions,
    sending: SendOptions,
    watching: WatchOptions,
    as_json: bool,
) -> int:
    """Histories → trace files.

    PATH is a history file or a folder of them, local, s3:// or gs://, in any shape that Temporal's tools write, with
    the objects of Temporal Cloud's export. Without PATH, --workflow-id or --query name runs on a Temporal server, and
    --dbos names a database of DBOS (sqlite:///PATH or postgresql://…) with workflows. The trace of each run is written
    to NAME.otlp.jsonl, and manifest.jsonl says what became of each history. Interrupted, the same command goes on where
    it was.

    Message content is in traces only where OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is SPAN_ONLY.
    """
    try:
        check_compression(compress)
    except CompressionError as error:
        raise click.ClickException(str(error)) from error
    if watching.watch and dbos is None:
        watch = watch_of(sending, decoding, query=query, folder=folder, compression=compress, as_json=as_json)
        return follow(watch, watching, connection)
    which = Which(paths, workflow_id, run_id, query, dbos, serializer or "")
    which.check(reading, ("--with-history", with_history), ("--watch", watching.watch))
    _check(sending, folder, ("--with-history", with_history), ("--parquet", parquet))
    if parquet:
        check_packages()
    settings = ExportSettings(
        folder=folder,
        config=TracingConfig.from_environment(),
        compression=compress,
        with_history=with_history,
        namespace=connection.namespace or None,
        workflow_id=workflow_id if paths else None,
        run_id=run_id if paths else None,
        to=sending.to,
        repair=sending.repair,
        have=sending.have,
        connect=None if paths or dbos is not None else connection.connect,
        database=dbos,
        serializer=serializer or "",
        decoding=decoding,
        concurrency=reading.concurrency,
        rate=reading.rate,
    )
    check(decoding, settings.config)
    problems: list[str] = []
    asked = which.ask(connection, reading, folder, problems)
    if sending.have and not sending.to:
        return _complete(asked, settings, query, as_json=as_json)
    most = jobs or (1 if reading.related else worthwhile_jobs(asked.total, asked.size))
    if asked.server is not None:
        most = min(most, reading.concurrency)
    call = Export(
        asked.items,
        settings,
        jobs=max(1, min(most, asked.total)) if asked.total is not None else most,
        server=asked.server,
        waiting=lambda: click.echo(f"Another export writes into {folder}: waiting until it is done.", err=True),
    )
    begun = time.monotonic()
    with call as export:
        try:
            _run(export, asked.total)
        except QueryError as error:
            raise click.UsageError(f"--query {query!r}: the server says: {error}") from error
        except OSError as error:
            raise click.ClickException(
                f"{error.filename2 or error.filename or folder} cannot be written ({error.strerror or error}). What is "
                "done is kept: mend that, or give another folder by -o, and call again."
            ) from error
        except WorkersError as error:
            raise click.ClickException(str(error)) from error
        finally:
            if asked.server is not None:
                asked.server.close()
        seconds = time.monotonic() - begun
        problems += export.unread
        tables = tables_beside(folder, problems, jobs=jobs) if parquet else None
        return SOME_FAILED if report(export, settings, problems, seconds, tables, as_json=as_json) else OK


def _complete(asked: Asked, settings: ExportSettings, query: str | None, *, as_json: bool) -> int:
    with FolderIndex(*settings.have) as have:
        try:
            return complete_files(asked.items, settings, have, server=asked.server, total=asked.total, as_json=as_json)
        except QueryError as error:
            raise click.UsageError(f"--query {query!r}: the server says: {error}") from error


def _check(sending: SendOptions, folder: Path, *of_whole_runs: tuple[str, bool]) -> None:
    if sending.repair and not sending.to and not sending.have:
        raise click.UsageError(
            "--repair completes what is somewhere: name a backend with --to (phoenix, langfuse, an address), or trace "
            "files with --have."
        )
    if sending.to:
        check_output(sending, folder)
    if sending.have and not sending.to:
        for name in (name for name, given in of_whole_runs if given):
            raise click.UsageError(
                f"--have without --to writes the spans that trace files lack, and nothing else: {name} does not go "
                "with it."
            )
    try:
        if sending.to:
            target_for(sending.to, os.environ)
    except TargetError as error:
        raise click.UsageError(str(error)) from error


def _run(export: Export, total: int | None) -> None:
    with export_progress() as bar:
        task = bar.add_task("exporting", total=total)
        try:
            for _ in export.run():
                bar.advance(task)
        except KeyboardInterrupt:
            if export.done:
                of = f" of {total:,}" if total is not None else ""
                bar.console.print(f"{export.done:,}{of} done: the same command goes on from there.")
            raise

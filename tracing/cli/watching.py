"""`durable-trace export --watch`: a namespace is followed, and a backend kept complete."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click
from temporalio.service import RPCError

from tracing.backends.registry import target_for
from tracing.backends.target import Target, TargetError
from tracing.cli import OK, SOME_FAILED
from tracing.cli.connection import Connection
from tracing.cli.decoding import decoder_of, hint
from tracing.cli.moments import microseconds_now
from tracing.cli.sending import SendOptions, check_output
from tracing.cli.watch_options import WatchOptions
from tracing.cli.watch_output import WatchOutput
from tracing.config import TracingConfig
from tracing.decoding import Decoder, Decoding
from tracing.decoding.problems import DecodingError
from tracing.export.watch import Checkpoint, CheckpointError, Pace, QueryError, Scope, Watcher
from tracing.export.watch.closed_runs import TemporalRuns, shown_time, unlisted
from tracing.export.watch.delivery import Delivery, scope_name
from tracing.export.watch.preparing import Convert, Preparation, Write
from tracing.history import History, to_spans
from tracing.spans.model import Span
from tracing.tracefile.compression import Compression
from tracing.tracefile.folder import FolderIndex
from tracing.tracefile.names import run_name
from tracing.tracefile.write import write_trace

_OTHERS: Final = {
    "paths": "a history file",
    "workflow_id": "--workflow-id",
    "run_id": "--run-id",
    "chain": "--chain",
    "children": "--children",
    "concurrency": "--concurrency",
    "rate": "--rate",
    "with_history": "--with-history",
    "jobs": "--jobs",
    "serializer": "--serializer",
}
"""Parameters of `export` that mean nothing with `--watch`, as they are spelled."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is followed, and what is done with it.

    Attributes:
        query: What narrows the runs; "" for all.
        convert: Makes spans of histories.
        decoding: By what their payloads are decoded.
        target: The backend; None where runs are only written into files.
        have: Trace files that say what the backend has, instead of it.
        write: Puts each run's spans into files; None for no files.
        as_json: Whether runs are told as JSON, one a line.
    """

    query: str
    convert: Convert
    decoding: Decoding
    target: Target | None
    have: FolderIndex | None
    write: Write | None
    as_json: bool


def watch_of(
    sending: SendOptions,
    decoding: Decoding,
    *,
    query: str | None,
    folder: Path,
    compression: Compression | None,
    as_json: bool,
) -> Watch:
    """What the options of `export` mean with `--watch`. Runs are written into files where the user named a folder.

    Args:
        sending: Where spans go.
        decoding: By what payloads are decoded.
        query: What narrows the runs.
        folder: Where files go.
        compression: How they are compressed.
        as_json: Whether runs are told as JSON.

    Raises:
        click.UsageError: They do not go together.
    """
    context = click.get_current_context()
    _check_others(context)
    try:
        target = target_for(sending.to, os.environ) if sending.to else None
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    config = TracingConfig.from_environment()
    to_files = _given(context, "folder")
    if target is None and not to_files:
        raise click.UsageError("--watch needs to know where spans go: name a backend with --to, or a folder with -o.")
    if target is None and sending.have:
        raise click.UsageError("With --watch, --have says what a backend has: name that with --to.")
    if to_files:
        check_output(sending, folder)
    if sending.repair and not sending.have and target is not None and target.index is None:
        raise click.UsageError(
            f"{target.name} cannot be asked which spans it has: give --have with the trace files that it got, or leave "
            "--repair out to send every run whole."
        )

    def convert(history: History) -> list[Span]:
        return to_spans(history, config)

    def write(history: History, spans: list[Span]) -> None:
        write_trace(folder, run_name(history.workflow_id, history.run_id), spans, compression=compression)

    hint(decoding, config)
    return Watch(query or "", convert, decoding, target, sending.index(), write if to_files else None, as_json)


def _check_others(context: click.Context) -> None:
    """See that no option is given that means nothing here."""
    if context.params["parquet"]:
        raise click.UsageError(
            "--watch writes no tables: have it write traces into a folder (-o FOLDER), and call "
            "`durable-trace tables FOLDER` whenever you want tables of them."
        )
    for name, spelling in _OTHERS.items():
        if _given(context, name):
            raise click.UsageError(
                "--watch follows the closed runs of a server, which --query may narrow: "
                f"{spelling} does not go with it."
            )


def _given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) not in {None, click.core.ParameterSource.DEFAULT}


def follow(watch: Watch, options: WatchOptions, connection: Connection) -> int:
    """Follow a namespace until a signal comes, or once through; the exit code.

    Raises:
        click.UsageError: What decodes payloads cannot be loaded.
        click.ClickException: The checkpoint cannot be used, or the server: it cannot be reached, or does not understand
            the query.
        KeyboardInterrupt: It was ended by Ctrl-C.
    """
    with watch.have or nullcontext(), decoder_of(watch.decoding) as decoder:
        interrupted, told = asyncio.run(_follow(watch, options, connection, decoder))
    told.summarize()
    if interrupted:
        raise KeyboardInterrupt
    return SOME_FAILED if told.failed_ones and options.once else OK


async def _follow(
    watch: Watch, options: WatchOptions, connection: Connection, decoder: Decoder | None
) -> tuple[bool, WatchOutput]:
    client = await connection.connect()
    target = watch.target
    scope = Scope(client.namespace, watch.query, scope_name(target) if target else "")
    begin = options.since if options.since is not None else microseconds_now() - int(options.overlap * 1_000_000)
    try:
        checkpoint = Checkpoint.open(options.checkpoint, scope, begin=begin)
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    with ExitStack() as stack:
        stack.callback(checkpoint.close)
        delivery = Delivery(target, checkpoint) if target else None
        if delivery:
            stack.callback(delivery.close)
        told = WatchOutput(checkpoint, target.name if target else None, as_json=watch.as_json)
        stack.callback(told.end_status)
        watcher = Watcher(
            TemporalRuns(client, watch.query),
            Preparation(
                watch.convert,
                target,
                # What is away is waited for: a backend keeps the first span of an ID, and that would lack its usage.
                decode=partial(decoder.decode, whole=True) if decoder else None,
                have=watch.have,
                write=watch.write,
            ),
            checkpoint,
            delivery,
            told,
            pace=Pace(options.settle, options.overlap, options.interval),
        )
        signals = _stopped_by_signals(watcher)
        told.note(
            f"Watching namespace {client.namespace}: runs closed since {shown_time(checkpoint.since)}"
            f"{f'; {checkpoint.pending} batches wait to be sent' if checkpoint.pending else ''}."
        )
        try:
            await (_once(watcher, told) if options.once else watcher.run())
        except QueryError as error:
            raise click.UsageError(f"--query {watch.query!r}: the server says: {error}") from error
    return signal.SIGINT in signals, told


async def _once(watcher: Watcher, told: WatchOutput) -> None:
    try:
        await watcher.once()
    except RPCError as error:
        told.failed(f"{unlisted(error)} Run it again: it goes on from here.")
    except TargetError as error:
        told.failed(f"{error} Run it again: what is kept is sent then.")
    except DecodingError as error:
        told.failed(f"Payloads cannot be decoded: {error}. Run it again: it goes on from here.")
    except OSError as error:
        told.failed(f"{error.filename}: {error.strerror}. Make room, or mend the permissions, and run it again.")


def _stopped_by_signals(watcher: Watcher) -> set[int]:
    """Let SIGTERM and Ctrl-C end the watcher; the signals that came are in what this returns."""
    came: set[int] = set()

    def stop(number: int) -> None:
        came.add(number)
        watcher.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return came

"""`durable-trace export`: histories → trace files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from tracing.backends.registry import target_for
from tracing.backends.target import Target, TargetError
from tracing.cli import OK, SOME_FAILED
from tracing.cli.connection import connect
from tracing.cli.console import complain, output, print_json, progress, safe
from tracing.cli.sending import SendOptions, report_sent, sending_options
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans
from tracing.spans.model import Span
from tracing.tracefile.compression import Compression, CompressionError
from tracing.tracefile.names import run_name
from tracing.tracefile.repair import repair
from tracing.tracefile.send import SendResult, send
from tracing.tracefile.write import write_history, write_trace


@dataclass
class _Job:
    """What is done with each history, and what has been."""

    folder: Path
    compression: Compression | None
    with_history: bool
    target: Target | None
    repair: bool
    config: TracingConfig
    exported: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--workflow-id", help="Export a run of this workflow ID from the server.")
@click.option("--run-id", help="Which run; the latest where not given. With a file: its real run ID.")
@click.option("--query", help="Export all runs that a visibility query finds: \"WorkflowType='Agent'\".")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), default=Path("traces"), show_default=True)
@click.option("--namespace", help="Namespace of the histories in files that do not name theirs.")
@click.option("--with-history", is_flag=True, help="Write NAME.history.json, too: raw, private, for replay.")
@click.option("--compress", type=click.Choice(["gzip", "zstd"]), help="Compress what is written.")
@sending_options
@click.option("--json", "as_json", is_flag=True, help="Print what was exported as JSON.")
def command(
    *,
    paths: tuple[Path, ...],
    workflow_id: str | None,
    run_id: str | None,
    query: str | None,
    folder: Path,
    namespace: str | None,
    with_history: bool,
    compress: Compression | None,
    sending: SendOptions,
    as_json: bool,
) -> int:
    """Histories → trace files.

    PATH is a history file or a folder of them, in any shape that Temporal's tools write. Without PATH, --workflow-id or
    --query name runs on the server that Temporal's environment configuration names. The trace of each run is written to
    NAME.otlp.jsonl; message content is in it only where OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is
    SPAN_ONLY.
    """
    if sum((bool(paths), bool(workflow_id), bool(query))) != 1:
        raise click.UsageError("Give history files, or --workflow-id, or --query: one of the three.")
    if run_id and query:
        raise click.UsageError("--run-id names one run: give it with --workflow-id or one file, not with --query.")
    try:
        target = target_for(sending.to, os.environ) if sending.to else None
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    if sending.repair and target is None:
        raise click.UsageError(
            "--repair sends what a backend lacks: name it with --to (phoenix, langfuse, an address)."
        )
    job = _Job(folder, compress, with_history, target, sending.repair, TracingConfig.from_environment())
    if paths:
        _export_files(job, paths, namespace, run_id)
    else:
        asyncio.run(_export_server(job, workflow_id, run_id, query))
    if as_json:
        print_json({"exported": job.exported, "failed": job.failures})
    else:
        _print(job)
    return SOME_FAILED if complain(job.failures) else OK


def _export_files(job: _Job, paths: Iterable[Path], namespace: str | None, run_id: str | None) -> None:
    given = list(paths)
    try:
        found = read(*given, namespace=namespace, run_id=run_id)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with progress() as bar:
        task = bar.add_task("exporting", total=None)
        for history in found:
            if isinstance(history, Unreadable):
                job.failures.append(str(history))
            else:
                _export(job, history, None)
            bar.advance(task)
    if job.with_history:
        job.failures.append("--with-history: the histories come from files already; nothing was written beside them.")


async def _export_server(job: _Job, workflow_id: str | None, run_id: str | None, query: str | None) -> None:
    client = await connect()
    with progress() as bar:
        task = bar.add_task("exporting", total=None)
        try:
            async for handle in _handles(client, workflow_id, run_id, query):
                await _export_run(job, client, handle)
                bar.advance(task)
        except RPCError as error:
            job.failures.append(
                f"--query {query!r}: the server says: {error.message}. Runs may be missing: run it again."
            )


async def _export_run(job: _Job, client: Client, handle: WorkflowHandle[Any, Any]) -> None:
    try:
        run = handle.run_id or (await handle.describe()).run_id
        fetched = await client.get_workflow_handle(handle.id, run_id=run).fetch_history()
    except RPCError as error:
        job.failures.append(f"{handle.id}: the server says: {error.message}. Check workflow ID and namespace.")
        return
    for history in read((fetched, run), namespace=client.namespace):
        if isinstance(history, Unreadable):
            job.failures.append(str(history))
        else:
            _export(job, history, fetched)


async def _handles(
    client: Client, workflow_id: str | None, run_id: str | None, query: str | None
) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    if workflow_id:
        yield client.get_workflow_handle(workflow_id, run_id=run_id)
        return
    try:
        async for execution in client.list_workflows(query):
            yield client.get_workflow_handle(execution.id, run_id=execution.run_id)
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise click.UsageError(f"--query {query!r}: the server says: {error.message}") from error


def _export(job: _Job, history: History, raw: WorkflowHistory | None) -> None:
    """Convert and write one history, and send it where that was asked for; a failure is noted, not raised."""
    name = run_name(history.workflow_id, history.run_id)
    named = history.workflow_id or f"run {history.run_id}"
    spans = to_spans(history, job.config)
    if any(span.end is None for span in spans):
        # A run still open has another trace tomorrow: its last event tells the two apart.
        name = f"{name}-{history.events[-1].id}"
    try:
        written = write_trace(job.folder, name, spans, compression=job.compression)
        files = [written]
        if job.with_history and raw is not None:
            files.append(
                write_history(
                    job.folder,
                    name,
                    raw,
                    run_id=history.run_id,
                    namespace=history.namespace,
                    compression=job.compression,
                )
            )
    except (OSError, CompressionError) as error:
        job.failures.append(f"{named}: {error}")
        return
    result = _send(job, spans)
    job.exported.append(
        {
            "workflow_id": history.workflow_id,
            "run_id": history.run_id,
            "spans": len(spans),
            "files": [str(file) for file in files],
            "defects": list(history.defects),
            **({"sent": result.sent, "known": result.known} if result else {}),
        }
    )
    job.failures += [f"{named}: {defect}" for defect in history.defects]


def _send(job: _Job, spans: list[Span]) -> SendResult | None:
    if job.target is None:
        return None
    result = repair(spans, job.target) if job.repair else send(spans, job.target)
    job.failures += result.problems
    return result


def _print(job: _Job) -> None:
    console = output()
    for run in job.exported:
        console.print(
            f"{safe(run['workflow_id'])} [dim]{safe(run['run_id'])}[/]: {run['spans']} spans → "
            f"{safe(', '.join(run['files']))}"
        )
    if job.target is not None:
        report_sent(job.target, sum(run.get("sent", 0) for run in job.exported), job.exported)

"""`durable-trace doctor`: what is reachable, configured, missing, and how to mend it."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import click
from rich.table import Table

from tracing.cli import OK, SOME_FAILED
from tracing.cli.codec_findings import codec_findings
from tracing.cli.connection import Connection, TemporalUnreachableError, connection_options
from tracing.cli.console import output, print_json, safe
from tracing.cli.destination_findings import destination_findings
from tracing.cli.findings import Finding
from tracing.cli.sections import SectionedCommand
from tracing.cli.settings_findings import settings_findings
from tracing.cli.spool_findings import spool_finding
from tracing.cli.temporal_findings import temporal_findings
from tracing.config import TracingConfig
from tracing.history.source import DEFAULT_NAMESPACE
from tracing.version import VERSION

_AS_CONFIGURED: Final = Connection()
_MARKS: Final = {"ok": "[green]✓[/]", "off": "[yellow]○[/]", "failed": "[red]✗[/]"}
_OPENAI_INSTRUMENTATION: Final = "opentelemetry-instrumentation-genai-openai"


@click.command(cls=SectionedCommand)
@click.option("--task-queue", "task_queues", multiple=True, metavar="NAME", help="Also: who polls it? Repeatable.")
@connection_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(*, task_queues: tuple[str, ...], connection: Connection, as_json: bool) -> int:
    """What is reachable, configured, missing, and how to mend it.

    Looks at Temporal, at where live spans go (a Collector, Phoenix, Langfuse), at the spool and the settings, as this
    command's environment has them: run it where your worker runs. Exits with 1 where something that is configured
    cannot be reached or used.
    """
    findings = examine(task_queues, connection)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    return SOME_FAILED if any(finding.state == "failed" for finding in findings) else OK


def examine(task_queues: Sequence[str] = (), connection: Connection = _AS_CONFIGURED) -> list[Finding]:
    """Look at everything, and at who polls these task queues."""
    config = TracingConfig.from_environment()
    return [
        _environment(),
        *asyncio.run(temporal_findings(connection, task_queues)),
        *codec_findings(os.environ, _namespace(connection)),
        *destination_findings(os.environ),
        spool_finding(config),
        _instrumentation(),
        *settings_findings(config, os.environ),
    ]


def _namespace(connection: Connection) -> str:
    try:
        return connection.server()[1]
    except TemporalUnreachableError:  # which is a finding of its own
        return DEFAULT_NAMESPACE


def _environment() -> Finding:
    versions = ", ".join(f"{name} {version(name)}" for name in ("temporalio", "opentelemetry-sdk", "genai-prices"))
    return Finding("environment", "ok", f"durable-trace {VERSION}, Python {platform.python_version()}, {versions}")


def _instrumentation() -> Finding:
    try:
        return Finding(
            "OpenAI client", "ok", f"instrumented by {_OPENAI_INSTRUMENTATION} {version(_OPENAI_INSTRUMENTATION)}"
        )
    except PackageNotFoundError:
        return Finding(
            "OpenAI client",
            "off",
            "its instrumentation is not installed: its calls make no spans of their own",
            "Run `pip install durable-trace[openai]`, or declare calls with `tracing.llm_call`.",
        )


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(_MARKS[finding.state], f"[bold]{finding.name}[/]", safe(finding.found))
        if finding.mend:
            table.add_row("", "", f"[dim]→ {safe(finding.mend)}[/]")
    output().print(table)

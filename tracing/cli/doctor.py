"""`durable-trace doctor`: what is reachable, configured, missing, and how to mend it."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import urlsplit

import click
import requests
from rich.table import Table

from tracing.backends.otlp import DEFAULT_ENDPOINT, otlp_target
from tracing.backends.target import TargetError
from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import output, print_json, safe
from tracing.cli.findings import Finding
from tracing.cli.temporal_findings import temporal_findings
from tracing.config import TracingConfig
from tracing.version import VERSION

_SECONDS: Final = 5.0
_GRPC_PORT: Final = 4317
_MEND_OTLP: Final = "Start the Collector, or set OTEL_EXPORTER_OTLP_ENDPOINT to one that runs (http://host:4318)."
_MARKS: Final = {"ok": "[green]✓[/]", "off": "[yellow]○[/]", "failed": "[red]✗[/]"}
_OPENAI_INSTRUMENTATION: Final = "opentelemetry-instrumentation-genai-openai"


@click.command()
@click.option("--task-queue", "task_queues", multiple=True, metavar="NAME", help="Also: who polls it? Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(*, task_queues: tuple[str, ...], as_json: bool) -> int:
    """What is reachable, configured, missing, and how to mend it.

    Looks at Temporal, the OTLP endpoint (a Collector), Phoenix, Langfuse and the settings, as this command's
    environment has them. Exits with 1 where something that is configured cannot be reached.
    """
    findings = examine(task_queues)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    return SOME_FAILED if any(finding.state == "failed" for finding in findings) else OK


def examine(task_queues: Sequence[str] = ()) -> list[Finding]:
    """Look at everything, and at who polls these task queues."""
    return [
        _environment(),
        *asyncio.run(temporal_findings(task_queues)),
        _otlp(),
        _phoenix(),
        _langfuse(),
        _instrumentation(),
        _settings(),
    ]


def _environment() -> Finding:
    versions = ", ".join(f"{name} {version(name)}" for name in ("temporalio", "opentelemetry-sdk", "genai-prices"))
    return Finding("environment", "ok", f"durable-trace {VERSION}, Python {platform.python_version()}, {versions}")


def _otlp() -> Finding:
    for variable, off in (("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")):
        if os.environ.get(variable, "").strip().lower() == off:
            return Finding("OTLP endpoint", "off", f"{variable} is {off}: no span is exported", f"Unset {variable}.")
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not endpoint:
        return Finding(
            "OTLP endpoint",
            "off",
            f"OTEL_EXPORTER_OTLP_ENDPOINT is not set: exporters use {DEFAULT_ENDPOINT}",
            "Start a Collector (`docker compose up -d collector`), and set OTEL_EXPORTER_OTLP_ENDPOINT to its address.",
        )
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol == "grpc":
        return _accepts("OTLP endpoint", endpoint)
    try:
        target = otlp_target(os.environ)
    except TargetError as error:
        return Finding("OTLP endpoint", "failed", str(error), "Mend the OTEL_EXPORTER_OTLP_* variables.")
    # An empty request is a valid one: it adds nothing.
    headers = {**target.settings.headers, "content-type": "application/x-protobuf"}
    return _ask("OTLP endpoint", "POST", target.endpoint, _MEND_OTLP, headers=headers)


def _accepts(name: str, endpoint: str) -> Finding:
    """Whether something listens; gRPC itself is an extra that need not be installed."""
    parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    try:
        socket.create_connection((parts.hostname or "localhost", parts.port or _GRPC_PORT), _SECONDS).close()
    except (OSError, ValueError) as error:
        return Finding(name, "failed", f"{endpoint}: {type(error).__name__}", _MEND_OTLP)
    return Finding(name, "ok", f"{endpoint} accepts connections (gRPC)")


def _phoenix() -> Finding:
    endpoint = os.environ.get("PHOENIX_COLLECTOR_ENDPOINT")
    if not endpoint:
        return Finding(
            "Phoenix",
            "off",
            "PHOENIX_COLLECTOR_ENDPOINT is not set",
            "To see traces in Phoenix, run `phoenix serve`, and set it to http://localhost:6006.",
        )
    key = os.environ.get("PHOENIX_API_KEY")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    mend = (
        "Start Phoenix (`phoenix serve`), set PHOENIX_COLLECTOR_ENDPOINT to its address, and PHOENIX_API_KEY if asked."
    )
    return _ask("Phoenix", "GET", f"{endpoint.rstrip('/')}/v1/projects", mend, headers=headers)


def _langfuse() -> Finding:
    host = os.environ.get("LANGFUSE_BASE_URL") or os.environ.get("LANGFUSE_HOST") or "https://cloud.langfuse.com"
    public, secret = os.environ.get("LANGFUSE_PUBLIC_KEY"), os.environ.get("LANGFUSE_SECRET_KEY")
    if not public or not secret:
        missing = [name for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY") if not os.environ.get(name)]
        return Finding(
            "Langfuse",
            "off",
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
            "To send traces to Langfuse, set both keys, and LANGFUSE_BASE_URL to your server.",
        )
    mend = "Check LANGFUSE_BASE_URL and both keys (Langfuse: project settings, API keys)."
    return _ask("Langfuse", "GET", f"{host.rstrip('/')}/api/public/projects", mend, auth=(public, secret))


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


def _settings() -> Finding:
    config = TracingConfig.from_environment()
    content = "on" if config.capture_content else "off"
    ledger = f"on, up to {config.max_ledger_bytes} bytes an attempt" if config.ledger else "off"
    mend = "" if config.ledger else "Without ledgers, histories do not hold usage and cost: unset DURABLE_TRACE_LEDGER."
    return Finding("settings", "ok" if config.ledger else "off", f"message content {content}; ledger {ledger}", mend)


def _ask(
    name: str,
    method: str,
    url: str,
    mend: str,
    *,
    headers: dict[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> Finding:
    parts = urlsplit(url)
    # Addresses may hold credentials.
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    try:
        answer = requests.request(method, url, headers=headers, auth=auth, timeout=_SECONDS)
    except requests.Timeout:
        return Finding(name, "failed", f"{shown} gives no answer within {_SECONDS:g} s", mend)
    except requests.RequestException as error:
        why = "cannot be reached" if isinstance(error, requests.ConnectionError) else f"fails: {type(error).__name__}"
        return Finding(name, "failed", f"{shown} {why}", mend)
    if not answer.ok:
        return Finding(name, "failed", f"{shown} answers {answer.status_code}", mend)
    return Finding(name, "ok", f"{shown} answers")


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(_MARKS[finding.state], f"[bold]{finding.name}[/]", safe(finding.found))
        if finding.mend:
            table.add_row("", "", f"[dim]→ {safe(finding.mend)}[/]")
    output().print(table)

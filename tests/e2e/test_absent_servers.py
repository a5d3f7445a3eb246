"""One server is away, refuses or is silent: the agent's work is unharmed, and a sentence says what to do."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from agent.servers.endpoints import free_port
from tests.agent.conftest import server_process
from tests.e2e.conftest import RecordingBackend, hermetic
from tracing.spans.model import Span, SpanKind
from tracing.tracefile import read_trace, write_trace
from tracing.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.local.serving import LocalServer
    from tests.e2e.conftest import CollectorFactory, Eventually

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model() -> Iterator[LocalServer]:
    with server_process("agent.local.model_server") as server:
        yield server


@pytest.fixture(scope="module")
def search() -> Iterator[LocalServer]:
    with server_process("agent.local.search_server") as server:
        yield server


@pytest.fixture
def environ(temporal_server: str, model: LocalServer, search: LocalServer) -> dict[str, str]:
    """The settings of a worker whose servers are all there; of a Collector nothing is said."""
    settings = {"TEMPORAL_ADDRESS": temporal_server, "OPENAI_BASE_URL": model.url, "SEARCH_BASE_URL": search.url}
    return hermetic(**settings)


def python(*arguments: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def durable_trace(*arguments: str, environ: dict[str, str]) -> tuple[int, str, str]:
    return ended(python("tracing.cli", *arguments, environ=environ))


@contextmanager
def working(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A worker that polls; killed in the end if it still runs."""
    worker = python("agent.research.worker", "--identity", "worker-1", environ=environ)
    try:
        assert worker.stdout
        assert "polls research-agent-queue" in worker.stdout.readline()
        yield worker
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.communicate()


def asked(environ: dict[str, str]) -> tuple[int, str, str]:
    """A question to the agent, from a client that traces nothing."""
    untraced = {**environ, "OTEL_TRACES_EXPORTER": "none"}
    return ended(python("agent.research.client", "Is green tea healthy?", environ=untraced))


@pytest.fixture(scope="module")
def report(temporal_server: str, model: LocalServer, search: LocalServer) -> str:
    """What the agent answers where nothing is traced."""
    servers = {"TEMPORAL_ADDRESS": temporal_server, "OPENAI_BASE_URL": model.url, "SEARCH_BASE_URL": search.url}
    environ = hermetic(**servers, OTEL_SDK_DISABLED="true")
    with working(environ) as worker:
        code, report, err = asked(environ)
        worker.terminate()
        assert ended(worker) == (0, "", "")
    assert (code, err) == (0, "")
    assert report.startswith("# Is green tea healthy?\n\nAn introduction defines the terms of")
    return report


@contextmanager
def refuses() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@contextmanager
def overloaded() -> Iterator[str]:
    backend = RecordingBackend(answers=[503] * 10_000)
    backend.start()
    yield backend.url
    backend.stop()
    assert backend.requests == []


@contextmanager
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("collector_that", "reason"),
    [(refuses, "Connection refused"), (overloaded, "Service Unavailable"), (silent, "no answer")],
    ids=["refuses", "is overloaded", "is silent"],
)
def test_the_agent_works_on_when_a_collector(
    environ: dict[str, str], report: str, collector_that: Any, reason: str
) -> None:
    with collector_that() as endpoint:
        # Often: so that exports fail all the time while the agent works.
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with working({**environ, **settings}) as worker:
            assert asked(environ) == (0, report, "")
            worker.terminate()
            code, out, err = ended(worker)

    assert (code, out) == (0, "")
    assert err == (
        f"Spans do not arrive at {endpoint}/v1/traces ({reason}). The agent goes on. Start a Collector there, or set "
        "OTEL_EXPORTER_OTLP_ENDPOINT to one that runs; `durable-trace doctor` checks it, and `durable-trace export "
        "--repair` puts back what is missing.\n"
        f"24 spans were not exported to {endpoint}/v1/traces.\n"
    )


def _unpolled(namespace: str) -> str:
    return f"no worker polls it in namespace {namespace}"


def test_without_a_worker_the_client_says_so_once_and_waits(
    environ: dict[str, str], empty_namespace: str, report: str
) -> None:
    there = {**environ, "OTEL_TRACES_EXPORTER": "none", "TEMPORAL_NAMESPACE": empty_namespace}
    client = python("agent.research.client", "Is green tea healthy?", environ=there)
    assert client.stderr
    assert client.stderr.readline() == (
        "No worker polls research-agent-queue: start one with `python -m agent.research.worker`. Waiting…\n"
    )

    with working(there):
        assert ended(client) == (0, report, "")


def test_sending_to_an_absent_phoenix_says_one_sentence(tmp_path: Path) -> None:
    start = 1_790_000_000_000_000_000
    span = Span(0xA1, 0xB1, None, "RunWorkflow:Research", SpanKind.SERVER, start, start + 1, {})
    file = write_trace(tmp_path, "run", [span])
    phoenix = f"http://127.0.0.1:{free_port()}"

    there = hermetic(PHOENIX_COLLECTOR_ENDPOINT=phoenix)
    code, out, err = durable_trace("send", str(file), "--to", "phoenix", environ=there)

    assert (code, out) == (1, "0 spans sent to Phoenix\n")
    assert err == (
        f"durable-trace: {phoenix}/v1/traces: cannot be reached: Connection refused. "
        "Start it, or check PHOENIX_COLLECTOR_ENDPOINT.\n"
    )


def findings(*arguments: str, environ: dict[str, str]) -> tuple[int, list[tuple[str, str, str, str]]]:
    """Exit code and findings of the doctor: name, state, what it found, how to mend it."""
    code, out, err = durable_trace("doctor", "--json", *arguments, environ=environ)
    assert err == ""
    return code, [(each["name"], each["state"], each["found"], each["mend"]) for each in json.loads(out)]


_VERSIONS = ", ".join(f"{name} {version(name)}" for name in ("temporalio", "opentelemetry-sdk", "genai-prices"))
ENVIRONMENT = ("environment", "ok", f"durable-trace {VERSION}, Python {python_version()}, {_VERSIONS}", "")
_OPENAI = "opentelemetry-instrumentation-genai-openai"
OPENAI = ("OpenAI client", "ok", f"instrumented by {_OPENAI} {version(_OPENAI)}", "")
SETTINGS = [
    ("message content", "ok", "off", ""),
    ("ledger", "ok", "on, up to 65,536 bytes an attempt", ""),
]
SPOOL = (
    "spool",
    "off",
    "DURABLE_TRACE_SPOOL is not set: spans that have not arrived are lost with their worker",
    "To keep them until they have, set it to a folder on a local disk.",
)


def test_the_doctor_names_each_absent_server_and_how_to_mend_it() -> None:
    temporal, collector, phoenix, langfuse = (f"127.0.0.1:{free_port()}" for _ in range(4))
    environ = hermetic(
        TEMPORAL_ADDRESS=temporal,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector}",
        PHOENIX_COLLECTOR_ENDPOINT=f"http://{phoenix}",
        LANGFUSE_BASE_URL=f"http://{langfuse}",
        LANGFUSE_PUBLIC_KEY="pk-lf-1",
        LANGFUSE_SECRET_KEY="sk-lf-1",
    )

    code, found = findings("--task-queue", "research-agent-queue", environ=environ)

    start_temporal = (
        "Start one with `temporal server start-dev`, or name another by --address or TEMPORAL_ADDRESS "
        "(and set TEMPORAL_TLS, TEMPORAL_API_KEY where it needs them)."
    )
    start_phoenix = (
        "Start Phoenix (`phoenix serve`), set PHOENIX_COLLECTOR_ENDPOINT to its address, and PHOENIX_API_KEY if asked."
    )
    assert code == 1
    assert found == [
        ENVIRONMENT,
        (
            "Temporal",
            "failed",
            f"No Temporal server answers at {temporal} (connection refused)",
            start_temporal,
        ),
        ("task queue research-agent-queue", "failed", "unknown: Temporal cannot be reached", "Mend Temporal first."),
        (
            "live spans",
            "ok",
            (
                f"go to http://{collector}/v1/traces (OTEL_EXPORTER_OTLP_ENDPOINT); from there to Langfuse and "
                "Phoenix, if the Collector has the same variables"
            ),
            "",
        ),
        (
            "OTLP endpoint",
            "failed",
            f"http://{collector}/v1/traces cannot be reached",
            "Start the Collector, or set OTEL_EXPORTER_OTLP_ENDPOINT to one that runs (http://host:4318).",
        ),
        (
            "Phoenix",
            "failed",
            f"http://{phoenix}/v1/projects cannot be reached",
            start_phoenix,
        ),
        (
            "Langfuse",
            "failed",
            f"http://{langfuse}/api/public/projects cannot be reached",
            "Check LANGFUSE_BASE_URL and both keys (Langfuse: project settings, API keys).",
        ),
        SPOOL,
        OPENAI,
        *SETTINGS,
    ]


def test_the_doctor_tells_a_silent_and_a_refusing_server_from_an_absent_one(
    recording_backend: RecordingBackend,
) -> None:
    recording_backend.answers = [503]
    recording_backend.start()
    with silent() as phoenix:
        code, found = findings(
            environ=hermetic(
                TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}",
                OTEL_EXPORTER_OTLP_ENDPOINT=recording_backend.url,
                PHOENIX_COLLECTOR_ENDPOINT=phoenix,
            )
        )

    assert code == 1
    assert [(name, state, what) for name, state, what, _ in found[3:5]] == [
        ("OTLP endpoint", "failed", f"{recording_backend.url}/v1/traces answers 503"),
        ("Phoenix", "failed", f"{phoenix}/v1/projects gives no answer within 5 s"),
    ]


def test_the_doctor_finds_all_well_where_everything_runs(
    environ: dict[str, str], empty_namespace: str, collector: CollectorFactory, phoenix: str, eventually: Eventually
) -> None:
    """Langfuse needs a container engine: it is off."""
    running = collector()
    temporal = environ["TEMPORAL_ADDRESS"]
    settings = {
        "TEMPORAL_NAMESPACE": empty_namespace,
        "OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp_http,
        "PHOENIX_COLLECTOR_ENDPOINT": phoenix,
    }
    everything = [
        ENVIRONMENT,
        ("Temporal", "ok", f"{temporal}, namespace {empty_namespace}, server {server_version(temporal)}", ""),
        ("task queue research-agent-queue", "ok", "polled by worker-1", ""),
        (
            "live spans",
            "ok",
            (
                f"go to {running.otlp_http}/v1/traces (OTEL_EXPORTER_OTLP_ENDPOINT); from there to Phoenix, "
                "if the Collector has the same variables"
            ),
            "",
        ),
        ("OTLP endpoint", "ok", f"{running.otlp_http}/v1/traces answers", ""),
        ("Phoenix", "ok", f"{phoenix}/v1/projects answers", ""),
        (
            "Langfuse",
            "off",
            "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set",
            "To send traces to Langfuse, set both keys, and LANGFUSE_BASE_URL to your server.",
        ),
        SPOOL,
        OPENAI,
        *SETTINGS,
    ]
    with working({**environ, **settings}):
        # A worker says that it polls a moment before it does.
        eventually(
            lambda: findings("--task-queue", "research-agent-queue", environ={**environ, **settings}), (0, everything)
        )

    running.stop()
    assert list(read_trace(running.traces_file)) == []  # asking adds no span


def server_version(address: str) -> str:
    async def ask() -> str:
        client = await Client.connect(address)
        return (await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version

    return asyncio.run(ask())


def test_the_doctor_names_task_queues_that_nobody_polls(temporal_server: str, empty_namespace: str) -> None:
    there = hermetic(TEMPORAL_ADDRESS=temporal_server, TEMPORAL_NAMESPACE=empty_namespace)

    code, found = findings("--task-queue", "research-agent-queue", "--task-queue", "other", environ=there)

    mend = "Start a worker for it; the research agent's is `python -m agent.research.worker`."
    assert code == 1
    assert found[2:4] == [
        ("task queue research-agent-queue", "failed", _unpolled(empty_namespace), mend),
        ("task queue other", "failed", _unpolled(empty_namespace), mend),
    ]


def test_the_doctor_names_a_namespace_that_is_not_there(temporal_server: str) -> None:
    code, found = findings(environ=hermetic(TEMPORAL_ADDRESS=temporal_server, TEMPORAL_NAMESPACE="nowhere"))

    assert code == 1
    assert found[1] == (
        "Temporal",
        "failed",
        f"{temporal_server} has no namespace nowhere",
        "Set TEMPORAL_NAMESPACE, or run `temporal operator namespace create --namespace nowhere`.",
    )

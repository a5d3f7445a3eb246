"""A watcher as a process of its own, on a real server: killed, stopped, shut out or cut off, it loses nothing."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from agent.servers.endpoints import free_port
from agent.servers.temporal import start_temporal
from tests.decoding.codecs import Turning
from tests.decoding.test_endpoint import CodecServer
from tests.e2e.conftest import hermetic
from tracing.export.watch.batch_files import batch_numbers, batch_path, read_batch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Eventually, RecordingBackend

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
ENCRYPTED = replace(DataConverter.default, payload_codec=Turning())


@activity.defn
async def shout(text: str) -> str:
    return text.upper()


@workflow.defn
class Shouting:
    """One activity."""

    @workflow.run
    async def run(self, text: str) -> str:
        from datetime import timedelta  # noqa: PLC0415 - the workflow's own

        return await workflow.execute_activity(shout, text, start_to_close_timeout=timedelta(seconds=60))


SHOUTED = ["RunWorkflow:Shouting", "StartActivity:shout", "RunActivity:shout"]


@asynccontextmanager
async def worker(
    address: str, namespace: str, converter: DataConverter = DataConverter.default
) -> AsyncIterator[Client]:
    client = await Client.connect(address, namespace=namespace, data_converter=converter)
    async with Worker(
        client,
        task_queue="shouting",
        workflows=[Shouting],
        activities=[shout],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield client


async def run(client: Client, number: int) -> None:
    await client.execute_workflow(
        Shouting.run, f"hello {number}", id=f"shouting-{number}", task_queue="shouting", run_timeout=None
    )


async def three_runs(address: str, namespace: str, converter: DataConverter = DataConverter.default) -> None:
    """Three runs, one after the other, that visibility shows as closed."""
    async with worker(address, namespace, converter) as client:
        for number in (1, 2, 3):
            await run(client, number)
        closed = "CloseTime > '2000-01-01T00:00:00Z'"
        while (await client.count_workflows(closed)).count < 3:  # noqa: ASYNC110 - visibility tells nobody
            await asyncio.sleep(0.05)


class Watcher:
    """The command line of a watcher, and its environment."""

    def __init__(self, address: str, namespace: str, folder: Path, *arguments: str) -> None:
        self.checkpoint = folder / "checkpoint"
        self.folder = folder
        self.environ = hermetic(TEMPORAL_ADDRESS=address, TEMPORAL_NAMESPACE=namespace, PYTHONPATH=str(ROOT))
        paces = ("--settle", "0", "--interval", "0.1", "--since", "1h")
        self._arguments = ("export", "--watch", "--checkpoint", str(self.checkpoint), *paces, *arguments)

    def start(self, *arguments: str, killed: str = "", **environ: str) -> subprocess.Popen[str]:
        program = ("tests.e2e.killed_watcher", killed) if killed else ("tracing.cli",)
        return subprocess.Popen(
            [sys.executable, "-m", *program, *self._arguments, *arguments],
            env=self.environ | environ,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def once(self, *, killed: str = "", **environ: str) -> tuple[int, str, str]:
        """One pass: exit code, standard output and standard error."""
        process = self.start("--once", killed=killed, **environ)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def pending(self) -> list[bytes]:
        """The bodies that wait in the checkpoint, oldest first."""
        numbers = batch_numbers(self.checkpoint)
        return [read_batch(batch_path(self.checkpoint, number)).batch.body for number in numbers]


@pytest.fixture
def backend(recording_backend: RecordingBackend) -> RecordingBackend:
    recording_backend.start()
    return recording_backend


def bodies(backend: RecordingBackend) -> list[bytes]:
    return [request.body for request in backend.requests]


def workflows(backend: RecordingBackend) -> list[str]:
    """The workflow that each batch is about."""
    found = []
    for body in bodies(backend):
        [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
        span = resource.scope_spans[0].spans[0]
        found.append(next(pair.value.string_value for pair in span.attributes if pair.key == "temporalWorkflowID"))
    return found


@pytest.mark.parametrize(
    ("killed", "sent_before", "waits", "sent_in_all"),
    [
        ("written", 0, 1, ["shouting-1", "shouting-2", "shouting-3"]),
        ("kept", 0, 1, ["shouting-1", "shouting-2", "shouting-3"]),
        ("taken", 1, 1, ["shouting-1", "shouting-1", "shouting-2", "shouting-3"]),
        ("acknowledged", 1, 0, ["shouting-1", "shouting-2", "shouting-3"]),
    ],
)
async def test_a_killed_watcher_sends_what_was_never_acknowledged_byte_by_byte_and_nothing_else_again(
    *,
    temporal_server: str,
    empty_namespace: str,
    backend: RecordingBackend,
    tmp_path: Path,
    killed: str,
    sent_before: int,
    waits: int,
    sent_in_all: list[str],
) -> None:
    await three_runs(temporal_server, empty_namespace)
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url)

    status, _, _ = watcher.once(killed=killed)
    assert status == -signal.SIGKILL
    before, waiting = bodies(backend), watcher.pending()
    assert (len(before), len(waiting)) == (sent_before, waits)
    if killed == "taken":
        assert waiting == before

    # Made today, the bytes would be others: content is on by now.
    status, _, err = watcher.once(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    assert (status, len(err.splitlines())) == (0, 1)
    assert workflows(backend) == sent_in_all
    assert watcher.pending() == []
    has_content = [b"input.value" in body for body in bodies(backend)]
    if killed == "written":  # its run was not recorded, so nothing of it had been sent: it was made anew
        assert has_content == [True, True, True]
    else:
        again = bodies(backend)[sent_before : sent_before + waits]
        assert again == waiting
        assert has_content == [False] * (sent_before + waits) + [True, True]
    assert backend.span_names() == SHOUTED * len(sent_in_all)

    # And it is complete: nothing is sent any more.
    assert watcher.once()[0] == 0
    assert workflows(backend) == sent_in_all


@pytest.mark.parametrize("content", ["off", "on"])
async def test_what_a_codec_hides_lies_on_the_disk_as_the_content_switch_says_and_is_sent_so(
    temporal_server: str, empty_namespace: str, backend: RecordingBackend, tmp_path: Path, content: str
) -> None:
    await three_runs(temporal_server, empty_namespace, ENCRYPTED)
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url, "-o", str(tmp_path / "traces"))
    watcher.environ |= {"DURABLE_TRACE_DECODE_PAYLOADS": content}
    if content == "on":
        watcher.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"

    process = watcher.start("--once", "--codec", "tests.decoding.codecs:codec", killed="kept")
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err.count("cannot be decoded")) == (-signal.SIGKILL, 0)
    [kept] = watcher.checkpoint.glob("*.batch")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (b"HELLO 1" in kept.read_bytes()) is (content == "on")
    waiting = watcher.pending()

    process = watcher.start("--once", "--codec", "tests.decoding.codecs:codec")
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err.count("cannot be decoded")) == (0, 0)
    assert bodies(backend)[:1] == waiting
    assert [f"HELLO {number}".encode() in body for number, body in enumerate(bodies(backend), 1)] == [
        content == "on"
    ] * 3
    # The kill may have come while another run's file was written: what is left of that has no trace file's name.
    traces = [path.read_text() for path in sorted((tmp_path / "traces").glob("[!.]*.otlp.jsonl"))]
    assert [f"HELLO {number}" in trace for number, trace in enumerate(traces, 1)] == [content == "on"] * 3


async def test_a_codec_server_that_is_away_is_waited_for(
    temporal_server: str, empty_namespace: str, backend: RecordingBackend, tmp_path: Path
) -> None:
    await three_runs(temporal_server, empty_namespace, ENCRYPTED)
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url)
    status, out, err = watcher.once(TEMPORAL_CODEC_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert (status, out) == (1, "0 runs; 0 spans sent to OTLP; it had 0 already\n")
    assert "durable-trace: Payloads cannot be decoded: the codec server cannot be reached (" in err
    assert err.endswith("). Run it again: it goes on from here.\n")
    with CodecServer() as server:
        assert watcher.once(TEMPORAL_CODEC_ENDPOINT=server.url)[0] == 0
    assert backend.span_names() == SHOUTED * 3


async def test_a_watcher_takes_runs_as_they_close_and_sigterm_ends_it_with_0(
    temporal_server: str, empty_namespace: str, backend: RecordingBackend, tmp_path: Path, eventually: Eventually
) -> None:
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url, "-o", str(tmp_path / "traces"))
    async with worker(temporal_server, empty_namespace) as client:
        process = watcher.start()
        await run(client, 1)
        eventually(backend.span_names, SHOUTED)
        await run(client, 2)
        eventually(backend.span_names, SHOUTED * 2)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0
    first, second, last = out.splitlines()
    assert re.fullmatch(r"shouting-1 [0-9a-f-]{36}: OTLP lacks 3 spans, has 0", first)
    assert re.fullmatch(r"shouting-2 [0-9a-f-]{36}: OTLP lacks 3 spans, has 0", second)
    assert last == "2 runs; 6 spans sent to OTLP; it had 0 already"
    assert re.fullmatch(rf"Watching namespace {empty_namespace}: runs closed since 20\S+Z\.\n", err)
    assert sorted(path.name[:10] for path in (tmp_path / "traces").iterdir()) == ["shouting-1", "shouting-2"]


async def test_ctrl_c_ends_a_watcher_with_130(
    temporal_server: str, empty_namespace: str, backend: RecordingBackend, tmp_path: Path
) -> None:
    process = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url).start()
    assert process.stderr
    assert process.stderr.readline().startswith("Watching namespace")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (
        130,
        "0 runs; 0 spans sent to OTLP; it had 0 already\n",
        "\nInterrupted.\n",
    )


async def test_a_second_watcher_is_shut_out(
    temporal_server: str, empty_namespace: str, backend: RecordingBackend, tmp_path: Path
) -> None:
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url)
    first = watcher.start()
    assert first.stderr
    assert first.stderr.readline().startswith("Watching namespace")
    assert watcher.once() == (
        1,
        "",
        (
            f"durable-trace: Another watcher uses the checkpoint folder {watcher.checkpoint}: stop it, or give this "
            "one a folder of its own.\n"
        ),
    )
    first.terminate()
    first.communicate(timeout=60)
    assert watcher.once()[0] == 0


async def test_a_query_that_the_server_does_not_understand_is_wrong_usage(
    temporal_server: str, empty_namespace: str, backend: RecordingBackend, tmp_path: Path
) -> None:
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url, "--query", "RunId =")
    status, out, err = watcher.once()
    assert (status, out) == (2, "")
    assert "Error: --query 'RunId =': the server says: invalid query: malformed SQL query" in err


async def test_a_query_narrows_the_runs(
    temporal_server: str, empty_namespace: str, backend: RecordingBackend, tmp_path: Path
) -> None:
    await three_runs(temporal_server, empty_namespace)
    query = "WorkflowId = 'shouting-1' OR WorkflowId = 'shouting-3'"
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", backend.url, "--query", query)
    assert watcher.once()[0] == 0
    assert workflows(backend) == ["shouting-1", "shouting-3"]


async def test_a_backend_that_is_away_gets_everything_when_it_is_back(
    temporal_server: str,
    empty_namespace: str,
    recording_backend: RecordingBackend,
    tmp_path: Path,
    eventually: Eventually,
) -> None:
    await three_runs(temporal_server, empty_namespace)
    watcher = Watcher(temporal_server, empty_namespace, tmp_path, "--to", recording_backend.url)
    process = watcher.start()
    assert process.stderr
    assert process.stderr.readline().startswith("Watching namespace")
    assert re.sub(r"\d{4,}", "PORT", process.stderr.readline()) == (
        "http://127.0.0.1:PORT/v1/traces: cannot be reached: Connection refused. Start it, or check the endpoint. "
        "Trying again until it works.\n"
    )
    eventually(lambda: len(watcher.pending()), 3)
    recording_backend.start()
    eventually(recording_backend.span_names, SHOUTED * 3)
    assert process.stderr.readline() == "The backend answers again.\n"
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


async def test_a_server_that_is_away_is_said_once_and_followed_when_it_is_back(
    backend: RecordingBackend, tmp_path: Path, eventually: Eventually
) -> None:
    with start_temporal(tmp_path / "temporal", environ=hermetic()) as server:
        assert server.process
        await three_runs(server.address, "default")
        watcher = Watcher(server.address, "default", tmp_path, "--to", backend.url)
        process = watcher.start()
        assert process.stderr
        assert process.stderr.readline().startswith("Watching namespace")
        eventually(backend.span_names, SHOUTED * 3)
        server.process.stop()
        assert re.fullmatch(
            r"Temporal cannot be asked for closed runs \(.+\)\. Trying again until it works\.\n",
            process.stderr.readline(),
        )
        server.process.start()
        assert process.stderr.readline() == "Temporal answers again.\n"
        async with worker(server.address, "default") as client:
            await run(client, 4)
            eventually(backend.span_names, SHOUTED * 4)
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")


def test_a_watcher_must_know_where_spans_go(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tracing.cli", "export", "--watch"],
        env=hermetic(PYTHONPATH=str(ROOT)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--watch needs to know where spans go: name a backend with --to, or a folder with -o." in done.stderr
    assert list(tmp_path.iterdir()) == []

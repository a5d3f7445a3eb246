"""A worker as a process: what its probes say, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx2
import pytest
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client
from temporalio.service import RPCError

from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from agent.servers.endpoints import free_port
from tests.agent.conftest import server_process
from tests.deploy.manifests import container, worker_settings
from tests.e2e.conftest import hermetic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from temporalio.client import WorkflowHandle

    from agent.local.serving import LocalServer
    from tests.e2e.conftest import Eventually, RecordingBackend

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[LocalServer, LocalServer]]:
    """The model and the search server."""
    with server_process("agent.local.model_server") as model, server_process("agent.local.search_server") as search:
        yield model, search


@pytest.fixture
async def model(services: tuple[LocalServer, LocalServer]) -> ControlClient:
    """What asks and steers the model server, which has been reset."""
    control = ControlClient(services[0].control)
    await control.reset()
    return control


@pytest.fixture
def environ(
    temporal_server: str, services: tuple[LocalServer, LocalServer], recording_backend: RecordingBackend
) -> dict[str, str]:
    """The settings of a worker, whose spans go to the recording backend."""
    recording_backend.start()
    model, search = services
    return hermetic(
        TEMPORAL_ADDRESS=temporal_server,
        OPENAI_BASE_URL=model.url,
        SEARCH_BASE_URL=search.url,
        OTEL_EXPORTER_OTLP_ENDPOINT=recording_backend.url,
    )


@pytest.fixture
async def held(temporal_server: str, model: ControlClient) -> AsyncIterator[WorkflowHandle[ResearchAgentWorkflow, str]]:
    """A run whose first model call gets no answer until the model is told to give it."""
    await model.arm(Fault(kind="hold"))
    client = await Client.connect(temporal_server)
    run = await client.start_workflow(
        ResearchAgentWorkflow.run, "Is green tea healthy?", id=f"research-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )
    yield run
    with contextlib.suppress(RPCError):  # it may have completed
        await run.terminate()


@contextmanager
def worker(
    environ: dict[str, str], *arguments: str, module: str = "agent.research.worker"
) -> Iterator[subprocess.Popen[str]]:
    """A worker's process; killed in the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


class Relay:
    """Stands between a worker and a server, and can be cut."""

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._server = (host, int(port))
        self._connections: list[socket.socket] = []
        self.port = free_port()

    def __enter__(self) -> Self:
        self.join()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def join(self) -> None:
        """Let connections through from now on."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End all connections, and take no new ones."""
        for each in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._connections.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                ends = (listener.accept()[0], socket.create_connection(self._server))
                self._connections += ends
                for source, sink in (ends, ends[::-1]):
                    threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    @staticmethod
    def _forward(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def probed(port: int) -> dict[str, tuple[int, str]]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        answers = {path: http.get(path) for path in ("/livez", "/readyz")}
    return {path: (answer.status_code, answer.text) for path, answer in answers.items()}


async def test_a_stopped_worker_is_unready_first_ends_its_activity_sends_its_spans_and_exits_with_0(
    environ: dict[str, str],
    held: WorkflowHandle[ResearchAgentWorkflow, str],
    model: ControlClient,
    recording_backend: RecordingBackend,
    eventually: Eventually,
) -> None:
    port = free_port()
    with worker(environ, "--health-port", str(port), "--graceful-shutdown-timeout", "50") as working:
        assert said(working) == f"Health is told at http://127.0.0.1:{port}/livez and http://127.0.0.1:{port}/readyz.\n"
        assert said(working).startswith("Worker polls research-agent-queue in namespace default at ")
        assert probed(port) == {"/livez": (200, "ok\n"), "/readyz": (200, "ok\n")}
        await model.wait(1, state="received")

        working.send_signal(signal.SIGTERM)
        stopping = {"/livez": (200, "ok\n"), "/readyz": (503, "stopping: it takes no new work\n")}
        eventually(lambda: probed(port), stopping)
        assert (await model.counts())["Plan"].received == 1  # the activity still waits for its answer
        await model.release()
        assert ended(working) == (0, "", "")

    assert sorted(recording_backend.span_names()) == ["RunActivity:call_llm", "chat gpt-4o"]
    assert (await model.requests_per_step()) == {"Plan": 1}
    assert [
        event.activity_task_completed_event_attributes.identity.split("@")[0]
        async for event in held.fetch_history_events()
        if event.HasField("activity_task_completed_event_attributes")
    ] == [str(working.pid)]


async def test_an_activity_that_takes_longer_than_the_stop_allows_is_tried_again_elsewhere(
    environ: dict[str, str], held: WorkflowHandle[ResearchAgentWorkflow, str], model: ControlClient
) -> None:
    with worker(environ, "--graceful-shutdown-timeout", "0") as first:
        await model.wait(1, state="received")
        first.send_signal(signal.SIGINT)
        assert ended(first)[0] == 0
    with worker(environ) as second:
        assert (await held.result()).startswith("# Is green tea healthy?")
        second.terminate()
        assert ended(second)[0] == 0
    plan = (await model.counts())["Plan"]
    assert (plan.requests, plan.disconnected, plan.answered) == (2, 1, 1)


def test_a_worker_that_loses_temporal_lives_and_is_not_ready_until_it_is_back(
    environ: dict[str, str], temporal_server: str, eventually: Eventually
) -> None:
    port = free_port()
    with Relay(temporal_server) as relay:
        reaching = {**environ, "TEMPORAL_ADDRESS": f"127.0.0.1:{relay.port}"}
        with worker(reaching, "--health-port", str(port)) as working:
            said(working)
            assert "polls" in said(working)
            relay.cut()
            eventually(lambda: probed(port)["/readyz"][0], 503)
            assert probed(port)["/readyz"][1].startswith("Temporal cannot be reached: ")
            assert probed(port)["/livez"] == (200, "ok\n")
            relay.join()
            eventually(lambda: probed(port)["/readyz"], (200, "ok\n"))
            working.terminate()
            assert ended(working)[0] == 0


def test_a_worker_told_to_stop_before_it_polls_stops(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with worker({**environ, "TEMPORAL_ADDRESS": address}, "--health-port", "0") as working:
            assert said(working).startswith("Health is told at http://127.0.0.1:")
            with silent.accept()[0]:  # which gets no answer
                working.terminate()
                assert ended(working) == (0, "", "")


def test_a_namespace_that_is_not_there_is_said_in_one_sentence(environ: dict[str, str]) -> None:
    with worker({**environ, "TEMPORAL_NAMESPACE": "nobodys"}) as working:
        code, _, err = ended(working)
    assert (code, err) == (
        1,
        (
            "The worker of research-agent-queue cannot start: Namespace nobodys is not found. "
            "Check TEMPORAL_NAMESPACE, and what the key of TEMPORAL_API_KEY may do.\n"
        ),
    )


def test_a_taken_health_port_is_said_in_one_sentence(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with worker(environ, "--health-port", str(port)) as working:
            assert ended(working) == (
                1,
                "",
                (
                    f"Probes cannot be answered on 127.0.0.1:{port}: Address already in use. "
                    "Choose another --health-port, or 0.\n"
                ),
            )


def test_a_worker_of_a_deployment_registers_its_version(
    environ: dict[str, str], temporal_server: str, eventually: Eventually
) -> None:
    name = f"research-{uuid.uuid4()}"

    async def versions() -> list[str]:
        client = await Client.connect(temporal_server)
        request = DescribeWorkerDeploymentRequest(namespace="default", deployment_name=name)
        try:
            described = await client.workflow_service.describe_worker_deployment(request)
        except RPCError as error:
            return [error.message]
        return [version.version for version in described.worker_deployment_info.version_summaries]

    with worker(environ, "--deployment-name", name, "--build-id", "v2") as working:
        assert "polls" in said(working)
        eventually(lambda: asyncio.run(versions()), [f"{name}.v2"])
        working.terminate()
        assert ended(working)[0] == 0


def test_the_worker_of_the_manifests_runs_as_it_stands_there(environ: dict[str, str], tmp_path: Path) -> None:
    described, port, spool = container("worker"), free_port(), tmp_path / "state" / "spool"
    _, _, module = described["command"]
    arguments = [each.replace("$(POD_NAME)", "worker-0") for each in described["args"]]
    # What differs here is where things are.
    here = {
        **environ,
        "WORKER_HEALTH_HOST": "127.0.0.1",
        "WORKER_HEALTH_PORT": str(port),
        "DURABLE_TRACE_SPOOL": str(spool),
    }
    settings = {name: here.get(name, value) for name, value in worker_settings().items()}
    with worker({**environ, **settings}, *arguments, module=module) as working:
        assert said(working).startswith(f"Health is told at http://127.0.0.1:{port}/livez")
        assert "polls research-agent-queue" in said(working)
        probes = {described[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
        assert probed(port) == dict.fromkeys(sorted(probes), (200, "ok\n"))
        assert spool.is_dir()
        working.terminate()
        assert ended(working) == (0, "", "")

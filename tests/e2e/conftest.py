"""Real servers for the tests of this folder: on free ports, with their files in pytest's folders, stopped at the end.

They are always the test's own. What the environment says of other servers is taken away, so that no test can write to
them; their programs are found as `make servers` finds them. With pytest-xdist each worker has its own servers.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest
from google.protobuf.duration_pb2 import Duration
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from agent.servers.collector import Collector, start_collector
from agent.servers.endpoints import free_port
from agent.servers.locate import ServerNotFoundError
from agent.servers.phoenix import start_phoenix
from agent.servers.postgresql import find_postgresql, postgresql
from agent.servers.temporal import start_temporal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Value = TypeVar("Value")

_OF_OTHER_SERVERS = ("TEMPORAL_", "OTEL_", "PHOENIX_", "LANGFUSE_", "COLLECTOR_")


def hermetic(**settings: str) -> dict[str, str]:
    """This environment without a word of other servers, and with these settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OF_OTHER_SERVERS)} | settings


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Temporal dev server with its histories in SQLite."""
    with start_temporal(tmp_path_factory.mktemp("temporal"), environ=hermetic()) as server:
        yield server.address


@pytest.fixture
def empty_namespace(temporal_server: str, eventually: Eventually) -> str:
    """A namespace of that server where no worker has polled: the server remembers pollers for minutes."""
    name = f"empty-{uuid.uuid4()}"

    async def register() -> None:
        client = await Client.connect(temporal_server)
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86_400))
        )

    async def pollers() -> str:
        client = await Client.connect(temporal_server)
        request = DescribeTaskQueueRequest(namespace=name, task_queue=TaskQueue(name="any"))
        try:
            described = await client.workflow_service.describe_task_queue(request)
        except RPCError as error:
            return error.message
        return f"{len(described.pollers)} pollers"

    asyncio.run(register())
    # The server's parts learn of a namespace one after the other, within seconds.
    eventually(lambda: asyncio.run(pollers()), "0 pollers")
    return name


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base address of a Phoenix. It keeps the first span of each ID: let each test have trace IDs of its own."""
    with start_phoenix(tmp_path_factory.mktemp("phoenix"), environ=hermetic()) as server:
        yield server.base_url


@pytest.fixture
def postgresql_database() -> Iterator[str]:
    """URL of a database that DBOS may make on a PostgreSQL of the test's own."""
    try:
        find_postgresql()
    except ServerNotFoundError as error:
        pytest.skip(str(error))
    with postgresql() as url:
        yield f"{url}/agent"


class CollectorFactory(Protocol):
    def __call__(self, **settings: str) -> Collector: ...


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorFactory]:
    """Starts Collectors: `collector(PHOENIX_COLLECTOR_ENDPOINT=phoenix)`. Each call has its own files and queue."""
    started: list[Collector] = []

    def start(**settings: str) -> Collector:
        started.append(start_collector(tmp_path / f"collector-{len(started)}", environ=hermetic(**settings)))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@dataclass
class Request:
    """A request as it came in, its body unpacked."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RecordingBackend:
    """An HTTP server that records the OTLP requests it gets: stands in for a backend that cannot run here.

    It has a port before it listens, so that a test can let it be away at first. Each request takes the next of
    `answers` as its status; when they are used up, the answer is 200.
    """

    port: int = field(default_factory=free_port)
    answers: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def span_names(self) -> list[str]:
        """The names of the spans in the requests that were answered with 200, in their order."""
        names = []
        for request in self.requests:
            batch = ExportTraceServiceRequest.FromString(request.body)
            names += [span.name for r in batch.resource_spans for s in r.scope_spans for span in s.spans]
        return names

    def start(self) -> None:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                status = backend.answers.pop(0) if backend.answers else 200
                if status == 200:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    backend.requests.append(Request(self.path, headers, body))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """The requests are recorded: nothing to print."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def recording_backend() -> Iterator[RecordingBackend]:
    """A recording backend that does not listen yet: call its `start`."""
    backend = RecordingBackend()
    yield backend
    backend.stop()


class Eventually(Protocol):
    def __call__(self, get: Callable[[], Value], expected: Value, *, seconds: float = 60) -> None: ...


@pytest.fixture
def eventually() -> Eventually:
    """Asks until the answer is the expected one, then asserts it: what servers acknowledge they show a moment later."""

    def wait(get: Callable[[], Value], expected: Value, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while (last := get()) != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        assert last == expected

    return wait

"""An OTLP/HTTP receiver on the loopback address, which answers as a test says and keeps what it took."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serving import serving

PROTOBUF = "application/x-protobuf"


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": PROTOBUF})


@dataclass
class Receiver:
    """Gives `answers` one after the other, then 200s.

    Attributes:
        url: Base address.
        answers: What it answers.
        requests: Path and headers (names in lower case) of each request.
        batches: Names of the spans in each request that it answered with 200.
        parents: Parent's span ID of each span in these, by name; None for roots.
    """

    url: str
    answers: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    parents: dict[str, int | None] = field(default_factory=dict)

    def answer(self, status: int = 200, body: bytes = b"", *, kind: str = PROTOBUF, **headers: str) -> None:
        """Give this answer next, after those that were said before; `Retry_After` is the header Retry-After."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(Answer(status, body, {"Content-Type": kind, **named}))

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.requests.append((path, headers))
        answer = self.answers.pop(0) if self.answers else Answer()
        if answer.status == 200:
            content = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            request = ExportTraceServiceRequest.FromString(content)
            spans = [span for r in request.resource_spans for scope in r.scope_spans for span in scope.spans]
            self.batches.append([span.name for span in spans])
            self.parents |= {span.name: int.from_bytes(span.parent_span_id, "big") or None for span in spans}
        return answer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    taken = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = taken.take(self.path, headers, self.rfile.read(int(headers["content-length"])))
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            """Requests are kept, not printed."""

    with serving(Handler) as taken.url:
        yield taken


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited between tries; nobody waits."""
    taken: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", taken.append)
    return taken

"""Live spans straight to Langfuse and Phoenix, chosen by their own variables."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from tests.serving import serving
from tracing.backends.straight import straight_targets, trace_address
from tracing.live.delivery import providers
from tracing.live.delivery.destinations import backend_exporters, resource
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.exporter import PromptBatchProcessor
from tracing.spans.model import Span, SpanKind

if TYPE_CHECKING:
    from pathlib import Path

LANGFUSE = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-2"}
BASIC = "Basic cGstbGYtMTpzay1sZi0y"
PHOENIX = {"PHOENIX_COLLECTOR_ENDPOINT": "http://phoenix:6006"}


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, []),
        (LANGFUSE, ["Langfuse"]),
        (PHOENIX, ["Phoenix"]),
        (LANGFUSE | PHOENIX, ["Langfuse", "Phoenix"]),
        ({**LANGFUSE, "LANGFUSE_SECRET_KEY": ""}, []),
        (LANGFUSE | PHOENIX | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, []),
        (LANGFUSE | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, []),
        (LANGFUSE | {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ["Langfuse"]),
    ],
)
def test_an_otlp_endpoint_wins_over_the_backends_own_variables(environ: dict[str, str], names: list[str]) -> None:
    assert [target.name for target in straight_targets(environ)] == names


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, None),
        (PHOENIX, "http://phoenix:6006/redirects/traces/00000000000000000000000000000011"),
        (LANGFUSE, "https://cloud.langfuse.com/trace/00000000000000000000000000000011"),
        (
            LANGFUSE | PHOENIX | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"},
            "https://cloud.langfuse.com/trace/00000000000000000000000000000011",
        ),
    ],
)
def test_a_traces_address_needs_no_question(environ: dict[str, str], address: str | None) -> None:
    assert trace_address(environ, 0x11) == address


@dataclass
class Backend:
    """Records requests; stands in for a Langfuse, which cannot run here."""

    url: str = ""
    status: int = 200
    requests: list[tuple[str, dict[str, str], ExportTraceServiceRequest]] = field(default_factory=list)


@pytest.fixture
def backend() -> Iterator[Backend]:
    recording = Backend()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            recording.requests.append((self.path, headers, ExportTraceServiceRequest.FromString(body)))
            self.send_response(recording.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The requests are recorded."""

    with serving(Handler) as recording.url:
        yield recording


def emit(environ: dict[str, str], *spans: Span) -> None:
    provider = TracerProvider(shutdown_on_exit=False, resource=resource(environ))
    for exporter in backend_exporters(environ):
        provider.add_span_processor(PromptBatchProcessor(exporter))
    emitter = Emitter(provider)
    for span in spans:
        emitter.emit(span)
    provider.shutdown()


SMALLEST = Span(
    1, 2, None, "RunWorkflow:Research", SpanKind.SERVER, 1_763_884_800_000_000_000, 1_763_884_801_000_000_000, {}
)
"""IDs that are nearly all zeros: one that is malformed makes Langfuse refuse the whole batch."""


def test_langfuse_gets_path_keys_version_and_whole_ids(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for_others = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=of-another-vendor,authorization=Bearer%20other"}
    for name, value in for_others.items():
        monkeypatch.setenv(name, value)
    emit({**LANGFUSE, **for_others, "LANGFUSE_BASE_URL": backend.url}, SMALLEST)
    [(path, headers, request)] = backend.requests
    assert path == "/api/public/otel/v1/traces"
    assert headers["authorization"] == BASIC
    assert headers["x-langfuse-ingestion-version"] == "4"
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["api-key"] == ""
    [span] = request.resource_spans[0].scope_spans[0].spans
    assert (span.trace_id.hex(), span.span_id.hex()) == ("0" * 31 + "1", "0" * 15 + "2")


def test_phoenix_gets_key_and_project(backend: Backend) -> None:
    emit(
        {"PHOENIX_COLLECTOR_ENDPOINT": backend.url, "PHOENIX_API_KEY": "key", "PHOENIX_PROJECT_NAME": "research"},
        SMALLEST,
    )
    [(path, headers, _)] = backend.requests
    assert (path, headers["authorization"], headers["x-project-name"]) == ("/v1/traces", "Bearer key", "research")


def test_keys_that_are_refused_are_named_and_not_shown(backend: Backend, tracing_log: list[str]) -> None:
    backend.status = 401
    emit({**LANGFUSE, "LANGFUSE_BASE_URL": backend.url}, SMALLEST)
    assert tracing_log == [
        (
            f"Spans do not arrive at {backend.url}/api/public/otel/v1/traces (Unauthorized). The agent goes on. "
            "Check LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY; `durable-trace doctor` checks it, "
            "and `durable-trace export --repair` puts back what is missing."
        ),
        f"1 spans were not exported to {backend.url}/api/public/otel/v1/traces.",
    ]


@pytest.mark.parametrize(
    ("environ", "exporters"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, ["http://127.0.0.1:9/v1/traces"]),
        ({}, ["https://cloud.langfuse.com/api/public/otel/v1/traces", "http://phoenix:6006/v1/traces"]),
        ({"OTEL_TRACES_EXPORTER": "none"}, []),
    ],
)
def test_configure_exports_to_them(
    environ: dict[str, str], exporters: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    for name, value in {**LANGFUSE, **PHOENIX, **environ}.items():
        monkeypatch.setenv(name, value)
    found = providers._exporters()
    assert [exporter._endpoint for exporter in found] == exporters
    for exporter in found:
        exporter.shutdown()


class TestTheService:
    def test_has_release_and_environment_as_langfuses_own_sdk_takes_them(self) -> None:
        attributes = resource({"LANGFUSE_RELEASE": "2026.11", "LANGFUSE_TRACING_ENVIRONMENT": "staging"}).attributes
        assert attributes["service.version"] == "2026.11"
        assert attributes["deployment.environment.name"] == "staging"

    def test_is_first_of_all_what_opentelemetrys_variables_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=7,service.name=agents")
        attributes = resource({"LANGFUSE_RELEASE": "2026.11"}).attributes
        assert (attributes["service.version"], attributes["service.name"]) == ("7", "agents")

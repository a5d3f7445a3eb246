"""What `durable-trace doctor` says of where live spans go; with real servers, in `tests/e2e/test_absent_servers.py`."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest

from tests.serving import serving
from tracing.cli.destination_findings import destination_findings
from tracing.cli.findings import Finding

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:secret@127.0.0.1:1/base/"}
GRPC = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-2"}
LANGFUSE = {**KEYS, "LANGFUSE_BASE_URL": "http://127.0.0.1:1"}
PHOENIX = {"PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:1"}


def live(environ: dict[str, str]) -> tuple[str, str, str]:
    finding = destination_findings(environ)[0]
    assert finding.name == "live spans"
    return finding.state, finding.found, finding.mend


MEND = "Set OTEL_EXPORTER_OTLP_ENDPOINT to a Collector's address, or the variables of Phoenix or Langfuse."


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("off", "go to http://localhost:4318/v1/traces, for nothing else is set", MEND)),
        (GRPC, ("off", "go to http://localhost:4317, for nothing else is set", MEND)),
        (COLLECTOR, ("ok", "go to http://127.0.0.1:1/base/v1/traces (OTEL_EXPORTER_OTLP_ENDPOINT)", "")),
        (
            COLLECTOR | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/traces"},
            ("ok", "go to http://127.0.0.1:1/traces (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)", ""),
        ),
        (
            GRPC | {"OTEL_EXPORTER_OTLP_ENDPOINT": "user:secret@127.0.0.1:1"},
            ("ok", "go to 127.0.0.1:1 (OTEL_EXPORTER_OTLP_ENDPOINT)", ""),
        ),
        (LANGFUSE, ("ok", "go straight to Langfuse at http://127.0.0.1:1/api/public/otel/v1/traces", "")),
        (
            LANGFUSE | PHOENIX,
            (
                "ok",
                (
                    "go straight to Langfuse at http://127.0.0.1:1/api/public/otel/v1/traces, and to Phoenix at "
                    "http://127.0.0.1:1/v1/traces"
                ),
                "",
            ),
        ),
        (
            COLLECTOR | LANGFUSE | PHOENIX,
            (
                "ok",
                (
                    "go to http://127.0.0.1:1/base/v1/traces (OTEL_EXPORTER_OTLP_ENDPOINT); from there to Langfuse and "
                    "Phoenix, if the Collector has the same variables"
                ),
                "",
            ),
        ),
        (
            COLLECTOR | {"OTEL_SDK_DISABLED": "True"},
            ("off", "OTEL_SDK_DISABLED is true: none is sent", "Unset OTEL_SDK_DISABLED."),
        ),
        (
            PHOENIX | {"OTEL_TRACES_EXPORTER": "none"},
            ("off", "OTEL_TRACES_EXPORTER is none: none is sent", "Unset OTEL_TRACES_EXPORTER."),
        ),
        (
            COLLECTOR | {"OTEL_TRACES_SAMPLER": "always_off"},
            ("off", "OTEL_TRACES_SAMPLER is always_off: none is sent", "Unset OTEL_TRACES_SAMPLER."),
        ),
    ],
)
def test_where_live_spans_go(environ: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert live(environ) == expected


def test_where_spans_go_straight_no_collector_is_asked_for() -> None:
    found = Finding("OTLP endpoint", "off", "OTEL_EXPORTER_OTLP_ENDPOINT is not set")
    assert destination_findings(PHOENIX)[1] == found


@dataclass
class Server:
    """Answers everything with 200 and records who asked for what."""

    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    recording = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            recording.asked.append((self.command, self.path, headers))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the standard library's name

        def log_message(self, *_: object) -> None:
            """The requests are recorded."""

    with serving(Handler) as recording.url:
        yield recording


def test_each_place_is_asked_with_the_headers_that_spans_are_sent_with(server: Server) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=of-the-collector",
        "PHOENIX_COLLECTOR_ENDPOINT": server.url,
        "PHOENIX_CLIENT_HEADERS": "team=agents",
        "PHOENIX_API_KEY": "key",
        "LANGFUSE_BASE_URL": server.url,
        **KEYS,
    }

    assert [(finding.name, finding.state, finding.found) for finding in destination_findings(environ)[1:]] == [
        ("OTLP endpoint", "ok", f"{server.url}/v1/traces answers"),
        ("Phoenix", "ok", f"{server.url}/v1/projects answers"),
        ("Langfuse", "ok", f"{server.url}/api/public/projects answers"),
    ]

    secrets = ("api-key", "team", "authorization")
    asked = [
        (method, path, {key: headers[key] for key in secrets if key in headers})
        for method, path, headers in server.asked
    ]
    assert asked == [
        ("POST", "/v1/traces", {"api-key": "of-the-collector"}),
        ("GET", "/v1/projects", {"team": "agents", "authorization": "Bearer key"}),
        ("GET", "/api/public/projects", {"authorization": f"Basic {b64encode(b'pk-lf-1:sk-lf-2').decode()}"}),
    ]


def test_for_grpc_it_is_enough_that_something_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        found = destination_findings({**GRPC, "OTEL_EXPORTER_OTLP_ENDPOINT": address})[1]
    assert found == Finding("OTLP endpoint", "ok", f"{address} accepts connections (gRPC)")


def test_without_the_exporter_for_grpc_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.cli.destination_findings.find_spec", lambda _name: None)
    assert destination_findings({**GRPC, **COLLECTOR})[1] == Finding(
        "OTLP endpoint",
        "failed",
        "the exporter for gRPC is not installed: no span is sent",
        "Run `pip install durable-trace[grpc]`, or set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf.",
    )

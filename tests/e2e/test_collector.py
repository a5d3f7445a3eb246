"""The real Collector with the configuration files that docker-compose.yml mounts."""

from __future__ import annotations

import base64
import json
import os
import re
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]  # it has no types
import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from agent.servers.collector import collector_config_files, collector_program, validate_config
from agent.servers.endpoints import free_port
from agent.servers.phoenix import start_phoenix
from agent.servers.phoenix_api import PhoenixReader, PhoenixSpan

if TYPE_CHECKING:
    from pathlib import Path

    from agent.servers.collector import Collector
    from tests.e2e.conftest import CollectorFactory, Eventually, RecordingBackend

pytestmark = pytest.mark.e2e

START = 1_790_000_000_000_000_000

# What comes in, byte for byte as OTLP JSON spells it.
RESEARCH = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "research-agent"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "durable-trace", "version": "0.1.0"},
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "name": "RunWorkflow:ResearchAgentWorkflow",
                            "kind": 2,
                            "startTimeUnixNano": "1790000000000000000",
                            "endTimeUnixNano": "1790000003000000007",
                            "attributes": [
                                {"key": "openinference.span.kind", "value": {"stringValue": "CHAIN"}},
                                {"key": "input.value", "value": {"stringValue": "What is durable execution?"}},
                                {"key": "output.value", "value": {"stringValue": "Code that survives crashes."}},
                            ],
                            "status": {"code": 1},
                        },
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203332",
                            "parentSpanId": "b7ad6b7169203331",
                            "name": "chat gpt-4o",
                            "kind": 3,
                            "startTimeUnixNano": "1790000001000000000",
                            "endTimeUnixNano": "1790000002000000000",
                            "attributes": [
                                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                                {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
                                {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
                                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1000"}},
                                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "200"}},
                                {"key": "gen_ai.request.temperature", "value": {"doubleValue": 0.5}},
                            ],
                            "status": {"message": "rate limited", "code": 2},
                        },
                    ],
                }
            ],
        }
    ]
}


def attribute(key: str, value: str | float) -> KeyValue:
    if isinstance(value, str):
        return KeyValue(key=key, value=AnyValue(string_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    return KeyValue(key=key, value=AnyValue(double_value=value))


def request(*spans: Span) -> ExportTraceServiceRequest:
    scope = ScopeSpans(scope=InstrumentationScope(name="durable-trace", version="0.1.0"), spans=spans)
    resource = Resource(attributes=[attribute("service.name", "research-agent")])
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])


def research() -> ExportTraceServiceRequest:
    """`RESEARCH` as protobuf."""
    trace = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
    return request(
        Span(
            trace_id=trace,
            span_id=bytes.fromhex("b7ad6b7169203331"),
            name="RunWorkflow:ResearchAgentWorkflow",
            kind=Span.SPAN_KIND_SERVER,
            start_time_unix_nano=START,
            end_time_unix_nano=START + 3_000_000_007,
            attributes=[
                attribute("openinference.span.kind", "CHAIN"),
                attribute("input.value", "What is durable execution?"),
                attribute("output.value", "Code that survives crashes."),
            ],
            status=Status(code=Status.STATUS_CODE_OK),
        ),
        Span(
            trace_id=trace,
            span_id=bytes.fromhex("b7ad6b7169203332"),
            parent_span_id=bytes.fromhex("b7ad6b7169203331"),
            name="chat gpt-4o",
            kind=Span.SPAN_KIND_CLIENT,
            start_time_unix_nano=START + 1_000_000_000,
            end_time_unix_nano=START + 2_000_000_000,
            attributes=[
                attribute("gen_ai.operation.name", "chat"),
                attribute("gen_ai.provider.name", "openai"),
                attribute("gen_ai.request.model", "gpt-4o"),
                attribute("gen_ai.usage.input_tokens", 1000),
                attribute("gen_ai.usage.output_tokens", 200),
                attribute("gen_ai.request.temperature", 0.5),
            ],
            status=Status(code=Status.STATUS_CODE_ERROR, message="rate limited"),
        ),
    )


def step(trace_id: str, number: int) -> ExportTraceServiceRequest:
    """A request with one span, `step NUMBER`."""
    return request(
        Span(
            trace_id=bytes.fromhex(trace_id),
            span_id=number.to_bytes(8, "big"),
            name=f"step {number}",
            start_time_unix_nano=START + number * 1_000_000_000,
            end_time_unix_nano=START + number * 1_000_000_000 + 1_000,
        )
    )


def send(collector: Collector, batch: ExportTraceServiceRequest) -> None:
    """Send as OTLP over HTTP with protobuf; the Collector must acknowledge."""
    headers = {"content-type": "application/x-protobuf"}
    httpx2.post(
        f"{collector.otlp_http}/v1/traces", content=batch.SerializeToString(), headers=headers
    ).raise_for_status()


def as_shown(span: PhoenixSpan) -> str:
    line = f"{span.span_id} under {span.parent_id}: {span.kind} {span.name}, {span.status}"
    if span.cost_usd is None:
        return f"{line}, no cost"
    return f"{line}, {span.prompt_tokens} + {span.completion_tokens} tokens, ${span.cost_usd:.4f}"


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def names(file: Path) -> list[str]:
    return [
        span["name"]
        for line in lines(file)
        for resource in line["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


PHOENIX = {"PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:6006"}
PHOENIX_WITH_KEY = {**PHOENIX, "PHOENIX_API_KEY": "phoenix-key"}
LANGFUSE = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"}
METRICS = {"COLLECTOR_PROMETHEUS_ENDPOINT": "127.0.0.1:8889"}


@pytest.mark.parametrize("to_phoenix", [{}, PHOENIX, PHOENIX_WITH_KEY], ids=["", "phoenix", "phoenix with key"])
@pytest.mark.parametrize("to_langfuse", [{}, LANGFUSE], ids=["", "langfuse"])
@pytest.mark.parametrize("to_prometheus", [{}, METRICS], ids=["", "metrics"])
def test_every_combination_of_files_is_valid(
    to_phoenix: dict[str, str], to_langfuse: dict[str, str], to_prometheus: dict[str, str], tmp_path: Path
) -> None:
    folders = {"COLLECTOR_TRACES_DIR": str(tmp_path / "traces"), "COLLECTOR_QUEUE_DIR": str(tmp_path / "queue")}
    settings = to_phoenix | to_langfuse | to_prometheus
    assert validate_config(collector_program().path, collector_config_files(settings), settings | folders) == ""


class TestTraceFile:
    def test_otlp_json_is_written_as_it_came_in(self, collector: CollectorFactory, eventually: Eventually) -> None:
        server = collector()
        httpx2.post(f"{server.otlp_http}/v1/traces", json=RESEARCH).raise_for_status()
        eventually(lambda: lines(server.traces_file), [RESEARCH])

    def test_otlp_protobuf_over_http_is_written_as_json(
        self, collector: CollectorFactory, eventually: Eventually
    ) -> None:
        server = collector()
        send(server, research())
        eventually(lambda: lines(server.traces_file), [RESEARCH])

    def test_otlp_over_grpc_is_written_as_json(self, collector: CollectorFactory, eventually: Eventually) -> None:
        server = collector()
        with grpc.insecure_channel(server.otlp_grpc.removeprefix("http://")) as channel:
            TraceServiceStub(channel).Export(research(), timeout=10)  # type: ignore[no-untyped-call]  # nor has its stub
        eventually(lambda: lines(server.traces_file), [RESEARCH])

    def test_a_collector_that_was_killed_goes_on_writing_the_same_file(
        self, collector: CollectorFactory, eventually: Eventually
    ) -> None:
        server = collector()
        send(server, step("11" * 16, 1))
        server.kill()
        server.start()
        send(server, step("11" * 16, 2))
        eventually(lambda: names(server.traces_file), ["step 1", "step 2"])

    def test_only_its_user_can_look_into_its_folders(self, collector: CollectorFactory) -> None:
        server = collector()
        folders = [server.traces_file.parent, server.traces_file.parent.with_name("queue")]
        assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o700", "0o700"]


class TestPhoenix:
    def test_a_trace_arrives_with_its_tree_tokens_and_cost(
        self, collector: CollectorFactory, phoenix: str, eventually: Eventually
    ) -> None:
        server = collector(PHOENIX_COLLECTOR_ENDPOINT=phoenix)
        send(server, research())
        with PhoenixReader(phoenix) as reader:
            eventually(
                lambda: [as_shown(span) for span in reader.spans("0af7651916cd43dd8448eb211c80319c")],
                [
                    "b7ad6b7169203331 under None: CHAIN RunWorkflow:ResearchAgentWorkflow, OK, no cost",
                    "b7ad6b7169203332 under b7ad6b7169203331: LLM chat gpt-4o, ERROR, 1000 + 200 tokens, $0.0045",
                ],
            )
            root = reader.spans("0af7651916cd43dd8448eb211c80319c")[0]
            assert root.attributes == {
                "input.value": "What is durable execution?",
                "output.value": "Code that survives crashes.",
            }
            assert root.start_time == "2026-09-21T14:13:20+00:00"

    def test_spans_wait_for_a_phoenix_that_starts_later(
        self, collector: CollectorFactory, tmp_path: Path, eventually: Eventually
    ) -> None:
        port = free_port()
        server = collector(PHOENIX_COLLECTOR_ENDPOINT=f"http://127.0.0.1:{port}")
        for number in (1, 2, 3):
            send(server, step("22" * 16, number))
        own = {**os.environ, "PHOENIX_COLLECTOR_ENDPOINT": ""}
        with (
            start_phoenix(tmp_path / "phoenix", environ=own, port=port) as late,
            PhoenixReader(late.base_url) as reader,
        ):
            eventually(lambda: reader.span_ids("22" * 16), {"0000000000000001", "0000000000000002", "0000000000000003"})

    def test_it_is_sent_protobuf_with_its_key_and_again_after_503(
        self, collector: CollectorFactory, recording_backend: RecordingBackend, eventually: Eventually
    ) -> None:
        """What real Phoenix does when its queue is full, which it cannot be made to do on purpose."""
        recording_backend.answers = [503, 503]
        recording_backend.start()
        server = collector(PHOENIX_COLLECTOR_ENDPOINT=recording_backend.url, PHOENIX_API_KEY="phoenix-key")
        send(server, step("33" * 16, 1))
        eventually(recording_backend.span_names, ["step 1"])
        [got] = recording_backend.requests
        assert got.path == "/v1/traces"
        assert got.headers["content-type"] == "application/x-protobuf"
        assert got.headers["authorization"] == "Bearer phoenix-key"
        assert recording_backend.answers == []


def test_the_queue_on_disk_survives_a_killed_collector(
    collector: CollectorFactory, recording_backend: RecordingBackend, eventually: Eventually
) -> None:
    server = collector(PHOENIX_COLLECTOR_ENDPOINT=recording_backend.url)
    for number in (1, 2, 3):
        send(server, step("44" * 16, number))
    server.kill()
    recording_backend.start()
    server.start()
    eventually(lambda: sorted(recording_backend.span_names()), ["step 1", "step 2", "step 3"])


def test_a_stopped_collector_keeps_what_it_could_not_send(
    collector: CollectorFactory, recording_backend: RecordingBackend, eventually: Eventually
) -> None:
    server = collector(PHOENIX_COLLECTOR_ENDPOINT=recording_backend.url)
    send(server, step("55" * 16, 1))
    server.stop()
    recording_backend.start()
    server.start()
    eventually(recording_backend.span_names, ["step 1"])


@pytest.mark.parametrize("variable", ["LANGFUSE_BASE_URL", "LANGFUSE_HOST"])
def test_langfuse_gets_path_keys_and_version(
    variable: str, collector: CollectorFactory, recording_backend: RecordingBackend, eventually: Eventually
) -> None:
    """A recording server stands in for Langfuse, which needs a container engine."""
    recording_backend.start()
    server = collector(
        **{variable: recording_backend.url}, LANGFUSE_PUBLIC_KEY="pk-lf-1", LANGFUSE_SECRET_KEY="sk-lf-1"
    )
    send(server, research())
    eventually(recording_backend.span_names, ["RunWorkflow:ResearchAgentWorkflow", "chat gpt-4o"])
    [got] = recording_backend.requests
    assert got.path == "/api/public/otel/v1/traces"
    assert got.headers["authorization"] == "Basic " + base64.b64encode(b"pk-lf-1:sk-lf-1").decode()
    assert got.headers["x-langfuse-ingestion-version"] == "4"
    assert got.headers["content-type"] == "application/x-protobuf"
    assert ExportTraceServiceRequest.FromString(got.body) == research()


@pytest.mark.parametrize(
    "settings", [{"PHOENIX_COLLECTOR_ENDPOINT": "{url}"}, {**LANGFUSE, "LANGFUSE_BASE_URL": "{url}"}]
)
def test_no_request_is_larger_than_backends_take(
    settings: dict[str, str],
    collector: CollectorFactory,
    recording_backend: RecordingBackend,
    eventually: Eventually,
) -> None:
    recording_backend.start()
    server = collector(**{name: value.format(url=recording_backend.url) for name, value in settings.items()})
    spans = [
        span for number in range(1, 121) for span in step("77" * 16, number).resource_spans[0].scope_spans[0].spans
    ]
    for span in spans:
        span.attributes.append(attribute("input.value", "x" * 100_000))
    send(server, request(*spans))
    eventually(lambda: sorted(recording_backend.span_names()), sorted(span.name for span in spans))
    assert len(recording_backend.requests) > 1
    assert max(len(got.body) for got in recording_backend.requests) <= 8_000_000


def test_one_backend_away_keeps_nothing_from_another(
    collector: CollectorFactory, recording_backend: RecordingBackend, phoenix: str, eventually: Eventually
) -> None:
    server = collector(
        PHOENIX_COLLECTOR_ENDPOINT=phoenix,
        LANGFUSE_BASE_URL=recording_backend.url,
        LANGFUSE_PUBLIC_KEY="pk-lf-1",
        LANGFUSE_SECRET_KEY="sk-lf-1",
    )
    send(server, step("66" * 16, 6))
    with PhoenixReader(phoenix) as reader:
        eventually(lambda: reader.span_ids("66" * 16), {"0000000000000006"})
    assert names(server.traces_file) == ["step 6"]
    assert recording_backend.requests == []
    recording_backend.start()
    eventually(recording_backend.span_names, ["step 6"])


def test_spans_are_counted_for_prometheus(collector: CollectorFactory, eventually: Eventually) -> None:
    port = free_port()
    server = collector(COLLECTOR_PROMETHEUS_ENDPOINT=f"127.0.0.1:{port}", COLLECTOR_METRICS_INTERVAL="1s")
    send(server, research())

    def calls() -> dict[str, str]:
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
        found = re.findall(r'^traces_span_metrics_calls_total\{.*span_name="([^"]+)".*\} (\d+)$', text, re.MULTILINE)
        return dict(found)

    eventually(calls, {"RunWorkflow:ResearchAgentWorkflow": "1", "chat gpt-4o": "1"})

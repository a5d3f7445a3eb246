"""Metrics and logs are set up where OpenTelemetry's own variables ask for them, safe against replays."""

from __future__ import annotations

import logging

import pytest
from opentelemetry import _logs, metrics
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.sdk.resources import Resource
from opentelemetry.util._once import Once
from temporalio.contrib.opentelemetry import ReplaySafeLoggerProvider, ReplaySafeMeterProvider

from tracing.live.delivery import other_signals
from tracing.live.delivery.other_signals import set_up_logs, set_up_metrics

RESOURCE = Resource({"service.name": "agents"})


# Providers that end send what they have to nobody, which is said where there is something.
pytestmark = pytest.mark.usefixtures("tracing_log")


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """No provider is set, and none stays set: they can be set once in a process."""
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", None)
    monkeypatch.setattr(
        metrics._internal, "_METER_PROVIDER_SET_ONCE", type(metrics._internal._METER_PROVIDER_SET_ONCE)()
    )
    # What is set is also what the stand-ins of earlier callers turn to.
    monkeypatch.setattr(metrics._internal, "_PROXY_METER_PROVIDER", type(metrics._internal._PROXY_METER_PROVIDER)())
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", None)
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER_SET_ONCE", Once())
    for name in ("OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")


def test_nobody_asks() -> None:
    set_up_metrics(RESOURCE)
    set_up_logs(RESOURCE)
    assert (metrics._internal._METER_PROVIDER, _logs._internal._LOGGER_PROVIDER) == (None, None)


def test_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    set_up_metrics(RESOURCE)
    provider = metrics.get_meter_provider()
    assert isinstance(provider, ReplaySafeMeterProvider)
    assert provider._sdk_config.resource == RESOURCE
    provider.shutdown()


@pytest.mark.parametrize(("protocol", "exporter"), [("http/protobuf", HttpLogs), ("grpc", GrpcLogs)])
def test_logs(protocol: str, exporter: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    set_up_logs(RESOURCE)
    provider = _logs.get_logger_provider()
    assert isinstance(provider, ReplaySafeLoggerProvider)
    [processor] = provider._multi_log_record_processor._log_record_processors
    assert isinstance(processor._batch_processor._exporter, exporter)
    provider.shutdown()


@pytest.mark.parametrize("signal", ["METRICS", "LOGS"])
def test_the_applications_own_stay(signal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "otlp")
    own = metrics.NoOpMeterProvider(), _logs.NoOpLoggerProvider()
    metrics.set_meter_provider(own[0])
    _logs.set_logger_provider(own[1])
    set_up_metrics(RESOURCE)
    set_up_logs(RESOURCE)
    assert (metrics.get_meter_provider(), _logs.get_logger_provider()) == own


def test_without_the_grpc_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setattr(other_signals, "import_module", missing)
    set_up_metrics(RESOURCE)
    assert tracing_log == [
        "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs `pip install durable-trace[grpc]`: no metrics are exported"
    ]


REFUSED = (
    "Transient error HTTPConnectionPool(host='collector', port=4318): Max retries exceeded (Caused by "
    'NewConnectionError("[Errno 111] Connection refused")) encountered while exporting metrics batch, retrying in 0.9s.'
)
GAVE_UP = "Failed to export metrics batch due to timeout, max retries or shutdown."


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["Failed to export metrics batch code: 404, reason: Not Found"], "Not Found"),
        ([REFUSED, REFUSED, GAVE_UP], "Connection refused"),
    ],
)
def test_metrics_that_do_not_arrive_are_told_of_once_with_what_to_do(
    words: list[str], reason: str, tracing_log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    once = other_signals._Once("METRICS", "http://ada:secret@collector:4318/v1/metrics")
    for each in words * 3:
        assert not once.filter(logging.LogRecord("exporter", logging.WARNING, "", 0, each, None, None))
    [said] = tracing_log
    assert said == (
        f"Metrics do not arrive at http://collector:4318/v1/metrics ({reason}). The agent goes on. Give the Collector "
        "there collector/metrics.yaml (docs/metrics.md), or unset OTEL_METRICS_EXPORTER."
    )
    assert capsys.readouterr().err == ""


def test_the_exporters_of_metrics_and_logs_speak_that_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "otlp")
    set_up_metrics(RESOURCE)
    set_up_logs(RESOURCE)
    for module in ("metric_exporter", "_log_exporter"):
        filters = logging.getLogger(f"opentelemetry.exporter.otlp.proto.http.{module}").filters
        assert [type(each) for each in filters].count(other_signals._Once) == 1
    metrics.get_meter_provider().shutdown()  # type: ignore[attr-defined] # the SDK's
    _logs.get_logger_provider().shutdown()  # type: ignore[attr-defined] # the SDK's

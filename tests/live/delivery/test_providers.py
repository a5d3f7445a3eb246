"""How tracing is set up from `OTEL_*` variables, where the application has not done so itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider

from tracing import TracingConfig, configure
from tracing.live.delivery import providers
from tracing.live.delivery.exporter import ReportingExporter
from tracing.live.workflows.replay_safe import sdk_provider

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class Global:
    """OpenTelemetry's global provider, which can be set once in a process, for one test."""

    def __init__(self, provider: trace.TracerProvider) -> None:
        self.provider = provider

    def set(self, provider: trace.TracerProvider) -> None:
        self.provider = provider


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL", CONTENT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> Global:
    """No provider is set yet."""
    state = Global(trace.ProxyTracerProvider())
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: state.provider)
    monkeypatch.setattr(trace, "set_tracer_provider", state.set)
    return state


def exporters(provider: trace.TracerProvider | None) -> list[type]:
    assert isinstance(provider, TracerProvider)
    processors = provider._active_span_processor._span_processors
    found = [p.span_exporter for p in processors if isinstance(p, BatchSpanProcessor)]
    provider.shutdown()
    # Each is wrapped in what tells the user of spans that do not arrive.
    return [type(exporter._exporter) for exporter in found if isinstance(exporter, ReportingExporter)]


def test_one_is_made_that_sends_otlp_over_http(unset: Global) -> None:
    provider = configure(instrument=False)
    assert isinstance(unset.provider, ReplaySafeTracerProvider)
    assert provider is sdk_provider(unset.provider)
    assert exporters(provider) == [HttpExporter]


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
@pytest.mark.usefixtures("unset")
def test_or_over_grpc(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "grpc")
    assert exporters(configure(instrument=False)) == [GrpcExporter]


@pytest.mark.usefixtures("unset")
def test_without_the_grpc_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setattr(providers, "import_module", missing)
    assert exporters(configure(instrument=False)) == []
    assert tracing_log == [
        "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs `pip install durable-trace[grpc]`: no span is exported"
    ]


@pytest.mark.usefixtures("unset")
def test_or_nothing_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert exporters(configure(instrument=False)) == []


@pytest.mark.usefixtures("unset")
def test_an_exporter_that_is_not_known_here_is_named(monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    assert exporters(configure(instrument=False)) == [HttpExporter]
    assert tracing_log == [
        "OTEL_TRACES_EXPORTER=zipkin is not known here: using otlp. Set a tracer provider for others."
    ]


def test_a_disabled_sdk_stays_disabled(unset: Global, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert configure() is None
    assert isinstance(unset.provider, trace.ProxyTracerProvider)


def test_the_applications_provider_is_respected_and_records_what_happens_inside_attempts(unset: Global) -> None:
    own = TracerProvider(shutdown_on_exit=False)
    unset.provider = own
    assert configure(instrument=False) is own
    assert own.sampler.get_description().startswith("AttemptSampler{")
    assert exporters(own) == []


def test_a_provider_that_is_not_the_sdks_is_left_alone(unset: Global) -> None:
    unset.provider = trace.NoOpTracerProvider()
    assert configure(instrument=False) is None


@pytest.mark.parametrize(
    ("config", "before", "after"),
    [
        (TracingConfig(capture_content=True), None, "SPAN_ONLY"),
        (TracingConfig(capture_content=True), "SPAN_AND_EVENT", "SPAN_AND_EVENT"),
        (TracingConfig(), None, None),
    ],
)
@pytest.mark.usefixtures("unset")
def test_one_switch_turns_content_on_for_the_model_client_too(
    config: TracingConfig, before: str | None, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {} if before is None else {CONTENT: before}
    monkeypatch.setattr(os, "environ", environ | {"OTEL_TRACES_EXPORTER": "none"})
    configure(config, instrument=False)
    assert os.environ.get(CONTENT) == after


class Instrumentor:
    """Stands in for the OpenAI client's: it would change the client for the whole process."""

    is_instrumented_by_opentelemetry = False
    calls: list[dict[str, object]]

    def instrument(self, **given: object) -> None:
        self.calls.append(given)


@pytest.mark.parametrize("already", [False, True])
def test_the_openai_client_is_instrumented_once(
    *, already: bool, unset: Global, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, object]] = []

    def module(_: str) -> object:
        attributes = {"calls": calls, "is_instrumented_by_opentelemetry": already}
        return type("Module", (), {"OpenAIInstrumentor": type("OpenAIInstrumentor", (Instrumentor,), attributes)})

    own = TracerProvider(shutdown_on_exit=False)
    unset.provider = own
    monkeypatch.setattr(providers, "import_module", module)
    configure()
    assert [call["tracer_provider"] for call in calls] == ([] if already else [own])


def test_without_its_instrumentation_nothing_happens(unset: Global, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    own = TracerProvider(shutdown_on_exit=False)
    unset.provider = own
    monkeypatch.setattr(providers, "import_module", missing)
    assert configure() is own


def test_an_instrumentation_that_cannot_be_imported_does_not_stop_the_worker(
    monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
) -> None:
    def refuses(name: str) -> None:
        raise ValueError(f"{name}: Propagator b4 not found. It is either misspelled or not installed.")

    monkeypatch.setattr(providers, "import_module", refuses)
    providers.instrument_openai(TracerProvider(shutdown_on_exit=False))
    assert len(tracing_log) == 1
    assert "the instrumentation of the OpenAI client" in tracing_log[0]


class TestASpool:
    """Spans are kept in the folder that the settings name, whoever made the provider."""

    def test_is_put_before_the_exporter(self, unset: Global, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DURABLE_TRACE_SPOOL", str(tmp_path / "spool"))
        monkeypatch.setattr(HttpExporter, "export", lambda _, __: SpanExportResult.SUCCESS)
        provider = configure(instrument=False)
        assert provider is not None
        assert sdk_provider(unset.provider) is provider
        provider.get_tracer("test").start_span("chat gpt-4o").end()
        [file] = (tmp_path / "spool").glob("*.spool")
        assert b"chat gpt-4o" in file.read_bytes()
        provider.shutdown()
        assert list((tmp_path / "spool").iterdir()) == []

    def test_is_made_once(self, unset: Global, tmp_path: Path) -> None:
        unset.provider = own = TracerProvider(shutdown_on_exit=False)
        exporter = InMemorySpanExporter()
        own.add_span_processor(SimpleSpanProcessor(exporter))
        for _ in range(2):
            configure(TracingConfig(spool=str(tmp_path)), instrument=False)
        own.get_tracer("test").start_span("chat gpt-4o").end()
        own.shutdown()
        assert [span.name for span in exporter.get_finished_spans()] == ["chat gpt-4o"]
        assert list(tmp_path.iterdir()) == []

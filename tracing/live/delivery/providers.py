"""How is OpenTelemetry set up, where an application has not done so itself?"""

from __future__ import annotations

# Its fork handlers must be registered before those of a tracer provider, which starts threads by it in a forked child
# and would wait there for ever for a lock that is held while the parent forks.
import concurrent.futures.thread  # noqa: F401 - see above
import os
import sys
from importlib import import_module
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider, create_tracer_provider

from tracing.config import TracingConfig, logger
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.delivery.destinations import backend_exporters, redacted_resource, resource
from tracing.live.delivery.emitter import sdk_disabled
from tracing.live.delivery.exporter import PromptBatchProcessor, ReportingExporter
from tracing.live.delivery.other_signals import set_up_logs, set_up_metrics
from tracing.live.delivery.spool.setup import add_spool
from tracing.live.failopen import fail_open
from tracing.live.workflows.replay_safe import sdk_provider

_CONTENT_VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def configure(config: TracingConfig | None = None, *, instrument: bool = True) -> TracerProvider | None:
    """Set up tracing from OpenTelemetry's `OTEL_*` variables; optional.

    A tracer provider that the application has set is respected: it is only told to record what happens inside attempts.
    Else one is made, with the OTLP exporter that ``OTEL_EXPORTER_OTLP_PROTOCOL`` names (http/protobuf by default),
    unless ``OTEL_TRACES_EXPORTER`` is ``none`` or ``OTEL_SDK_DISABLED`` is true. It flushes when the process ends,
    for a few seconds at most, and is replay-safe: workflow code may trace with it. Metrics and logs are set up likewise
    where ``OTEL_METRICS_EXPORTER`` or ``OTEL_LOGS_EXPORTER`` is ``otlp``. Where no OTLP endpoint is set, but Langfuse
    or Phoenix by their own variables (``LANGFUSE_PUBLIC_KEY`` and ``LANGFUSE_SECRET_KEY``,
    ``PHOENIX_COLLECTOR_ENDPOINT``), spans go straight there.

    Where ``DURABLE_TRACE_SPOOL`` names a folder, spans are kept there until they have arrived, also those of an
    application's own provider: call this after its exporters were added. What a killed process left there is sent now,
    in the background.

    Args:
        config: Settings; from the environment where not given.
        instrument: Whether to instrument the OpenAI client, where its instrumentation is installed.

    Returns:
        The provider in use, inside the replay-safe one that is set globally; None where the SDK is disabled or the
        application's provider is not the SDK's.
    """
    config = config or TracingConfig.from_environment()
    if config.capture_content:
        # One switch: the model client's instrumentation reads this variable itself, at each call.
        os.environ.setdefault(_CONTENT_VARIABLE, "SPAN_ONLY")
    if sdk_disabled():
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        provider = _new_provider(config)
        trace.set_tracer_provider(provider)
    provider = sdk_provider(provider)
    prepare_provider(provider)
    if isinstance(provider, TracerProvider):
        add_spool(provider, config)
        set_up_metrics(provider.resource)
        set_up_logs(provider.resource)
    if instrument:
        instrument_openai(provider)
    return provider if isinstance(provider, TracerProvider) else None


def _new_provider(config: TracingConfig) -> ReplaySafeTracerProvider:
    # Replay-safe, so that users may trace in workflow code.
    provider = create_tracer_provider(resource=redacted_resource(config, resource(os.environ)))
    for exporter in _exporters():
        provider.add_span_processor(PromptBatchProcessor(exporter))
    return provider


def _exporters() -> list[ReportingExporter]:
    straight = backend_exporters(os.environ) if _exports() else []
    otlp = None if straight else _exporter()
    return straight or ([otlp] if otlp is not None else [])


def _exports() -> bool:
    return os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() != "none"


def _exporter() -> ReportingExporter | None:
    names = os.environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    if names == "none":
        return None
    if names != "otlp":
        logger.warning(
            "OTEL_TRACES_EXPORTER=%s is not known here: using otlp. Set a tracer provider for others.", names
        )
    protocol = _variable("PROTOCOL")
    if protocol == "grpc":
        try:
            module = import_module("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")
        except ImportError:
            logger.warning(
                "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs `pip install durable-trace[grpc]`: no span is exported"
            )
            return None
        endpoint = _variable("ENDPOINT") or "http://localhost:4317"
        return ReportingExporter(module.OTLPSpanExporter(), endpoint, "opentelemetry.exporter.otlp.proto.grpc.exporter")
    module = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318"
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or f"{base.rstrip('/')}/v1/traces"
    return ReportingExporter(module.OTLPSpanExporter(), endpoint, module.__name__)


def _variable(name: str) -> str | None:
    """A setting of the exporter: for traces, else for all signals."""
    return os.environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}")


def openai_instrumented() -> bool:
    """Whether the OpenAI client of this process is instrumented."""
    module = sys.modules.get("opentelemetry.instrumentation.genai.openai")
    return module is not None and bool(module.OpenAIInstrumentor().is_instrumented_by_opentelemetry)


def instrument_openai(provider: trace.TracerProvider) -> None:
    """Instrument the OpenAI client of this process, where its instrumentation is installed; once."""
    # Its import may fail by more than its absence: by a variable that OpenTelemetry does not understand, say.
    with fail_open("the instrumentation of the OpenAI client"):
        try:
            module = import_module("opentelemetry.instrumentation.genai.openai")
        except ImportError:
            return
        instrumentor = module.OpenAIInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(tracer_provider=provider, meter_provider=metrics.get_meter_provider())

"""How is OpenTelemetry set up, where an application has not done so itself?"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider

from tracing.config import TracingConfig, logger
from tracing.live.emitter import sdk_disabled
from tracing.live.exporter import PromptBatchProcessor, ReportingExporter
from tracing.live.failopen import fail_open
from tracing.live.recorder import prepare_provider

_CONTENT_VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def configure(config: TracingConfig | None = None, *, instrument: bool = True) -> TracerProvider | None:
    """Set up tracing from OpenTelemetry's `OTEL_*` variables; optional.

    A tracer provider that the application has set is respected: it is only told to record what happens inside attempts.
    Else one is made, with the OTLP exporter that ``OTEL_EXPORTER_OTLP_PROTOCOL`` names (http/protobuf by default),
    unless ``OTEL_TRACES_EXPORTER`` is ``none`` or ``OTEL_SDK_DISABLED`` is true. It flushes when the process ends,
    for a few seconds at most.

    Args:
        config: Settings; from the environment where not given.
        instrument: Whether to instrument the OpenAI client, where its instrumentation is installed.

    Returns:
        The provider in use; None where the SDK is disabled or the application's provider is not the SDK's.
    """
    config = config or TracingConfig.from_environment()
    if config.capture_content:
        # One switch: the model client's instrumentation reads this variable itself, at each call.
        os.environ.setdefault(_CONTENT_VARIABLE, "SPAN_ONLY")
    if sdk_disabled():
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        provider = _new_provider()
        trace.set_tracer_provider(provider)
    prepare_provider(provider)
    if instrument:
        _instrument_openai(provider)
    return provider if isinstance(provider, TracerProvider) else None


def _new_provider() -> TracerProvider:
    provider = TracerProvider()
    exporter = _exporter()
    if exporter is not None:
        provider.add_span_processor(PromptBatchProcessor(exporter))
    return provider


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


def _instrument_openai(provider: trace.TracerProvider) -> None:
    try:
        module = import_module("opentelemetry.instrumentation.genai.openai")
    except ImportError:
        return
    with fail_open("the instrumentation of the OpenAI client"):
        instrumentor = module.OpenAIInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(tracer_provider=provider, meter_provider=metrics.get_meter_provider())

"""How do metrics and logs get out, beside spans? Where the user asks for them, by OpenTelemetry's own variables.

Their providers are the Temporal SDK's replay-safe ones: what workflow code counts and logs is not repeated by a replay.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from importlib import import_module
from typing import Any, Final

from opentelemetry import _logs, metrics
from opentelemetry.sdk.resources import Resource
from temporalio.contrib.opentelemetry import ReplaySafeLoggerProvider, ReplaySafeMeterProvider

from tracing.config import logger
from tracing.live.delivery.exporter import reason_of, without_secrets

_PACKAGE: Final = "opentelemetry.exporter.otlp.proto"
_MEND: Final = {
    "METRICS": "Give the Collector there collector/metrics.yaml (docs/metrics.md), or unset OTEL_METRICS_EXPORTER",
    "LOGS": "Give the Collector there a pipeline for logs, or unset OTEL_LOGS_EXPORTER",
}


def set_up_metrics(resource: Resource) -> None:
    """Set a meter provider, where ``OTEL_METRICS_EXPORTER`` is ``otlp`` and the application has set none."""
    if not _asked_for("METRICS") or not isinstance(
        metrics.get_meter_provider(),
        metrics._internal._ProxyMeterProvider,  # noqa: SLF001 - it has no public name
    ):
        return
    exporter = _exporter("METRICS", "metric_exporter", "OTLPMetricExporter")
    if exporter is not None:
        sdk, export = import_module("opentelemetry.sdk.metrics"), import_module("opentelemetry.sdk.metrics.export")
        provider = sdk.MeterProvider([export.PeriodicExportingMetricReader(exporter)], resource)
        metrics.set_meter_provider(ReplaySafeMeterProvider(provider))


def set_up_logs(resource: Resource) -> None:
    """Set a logger provider, where ``OTEL_LOGS_EXPORTER`` is ``otlp`` and the application has set none."""
    if not _asked_for("LOGS") or not isinstance(_logs.get_logger_provider(), _logs._internal.ProxyLoggerProvider):  # noqa: SLF001 - it has no public name
        return
    exporter = _exporter("LOGS", "_log_exporter", "OTLPLogExporter")
    if exporter is not None:
        sdk, export = import_module("opentelemetry.sdk._logs"), import_module("opentelemetry.sdk._logs.export")
        provider = sdk.LoggerProvider(resource)
        provider.add_log_record_processor(export.BatchLogRecordProcessor(exporter))
        _logs.set_logger_provider(ReplaySafeLoggerProvider(provider))


def _asked_for(signal: str) -> bool:
    return os.environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "otlp"


def _exporter(signal: str, module: str, name: str) -> Any | None:
    """OpenTelemetry's own exporter of a signal, which reads its endpoint and headers from the variables itself."""
    protocol = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    transport = "grpc" if protocol == "grpc" else "http"
    try:
        found = import_module(f"{_PACKAGE}.{transport}.{module}")
    except ImportError:
        logger.warning(
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs `pip install durable-trace[grpc]`: no %s are exported",
            signal.lower(),
        )
        return None
    if transport == "http":
        _say_once(signal, found.__name__)
    return getattr(found, name)()


@cache
def _say_once(signal: str, log: str) -> None:
    """Let an exporter's own logger say once what a user needs; it says every failure of every interval."""
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318"
    endpoint = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or f"{base.rstrip('/')}/v1/{signal.lower()}"
    logging.getLogger(log).addFilter(_Once(signal, endpoint))


class _Once(logging.Filter):
    """Says of the first failure of an exporter why, and what to do, and keeps its own words as debug messages."""

    def __init__(self, signal: str, endpoint: str) -> None:
        super().__init__()
        self._what = f"{signal.capitalize()} do not arrive at {without_secrets(endpoint)}"
        self._mend = _MEND[signal]
        self._tried = ""
        self._said = False

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        words = record.getMessage()
        logger.debug("%s", words)
        if words.startswith("Transient error"):  # it tries again
            self._tried = words
        elif not self._said:
            self._said = True
            reason = reason_of(self._tried if "max retries or shutdown" in words else words)
            logger.warning("%s (%s). The agent goes on. %s.", self._what, reason, self._mend)
        return False

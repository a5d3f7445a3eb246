"""How do live spans get straight to Langfuse or Phoenix, and as which release and environment?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS
from opentelemetry.sdk.resources import Resource
from opentelemetry.util.re import parse_env_headers

from tracing import conventions as c
from tracing.backends.client import as_it_is
from tracing.backends.langfuse import ENVIRONMENT
from tracing.backends.straight import straight_targets
from tracing.backends.target import Target
from tracing.config import TracingConfig
from tracing.live.delivery.exporter import ReportingExporter

_OF_LANGFUSE: Final = {"LANGFUSE_RELEASE": c.SERVICE_VERSION, ENVIRONMENT: c.ENVIRONMENT}
"""Variables of Langfuse's own SDK, and the resource attributes that say the same to everybody."""


def backend_exporters(environ: Mapping[str, str]) -> list[ReportingExporter]:
    """An exporter for each backend that live spans go straight to."""
    return [_exporter(target, environ) for target in straight_targets(environ)]


def resource(environ: Mapping[str, str]) -> Resource:
    """The service as OpenTelemetry's variables describe it; what they leave open, as Langfuse's do."""
    given = {key: environ[name] for name, key in _OF_LANGFUSE.items() if environ.get(name)}
    return Resource(given).merge(Resource.create())


def redacted_resource(config: TracingConfig, described: Resource) -> Resource:
    """A resource as it may leave the process: a detector of processes puts command lines into it."""
    if config.redact is None:
        return described
    told = {
        key: config.redacted(key, value)
        if isinstance(value, str)
        else [config.redacted(key, item) if isinstance(item, str) else item for item in value]
        if isinstance(value, (tuple, list))
        else value
        for key, value in described.attributes.items()
    }
    return Resource(told, described.schema_url)


def _exporter(target: Target, environ: Mapping[str, str]) -> ReportingExporter:
    session = requests.Session()
    # Without an `auth` of its own, requests takes one from .netrc, over our Authorization header.
    session.auth = as_it_is
    settings = target.settings
    exporter = http.OTLPSpanExporter(
        endpoint=target.endpoint,
        # The exporter adds OTEL_EXPORTER_OTLP_HEADERS to all requests: keys for somebody else do not go here.
        headers={**dict.fromkeys(_for_others(environ), ""), **settings.headers},
        timeout=settings.timeout,
        compression=Compression.Gzip if target.compression == "gzip" else Compression.NoCompression,
        session=session,
    )
    mend = f"Check {settings.address}, {settings.credentials}"
    return ReportingExporter(exporter, target.endpoint, http.__name__, mend)


def _for_others(environ: Mapping[str, str]) -> list[str]:
    text = environ.get(OTEL_EXPORTER_OTLP_TRACES_HEADERS) or environ.get(OTEL_EXPORTER_OTLP_HEADERS, "")
    return list(parse_env_headers(text, liberal=True))

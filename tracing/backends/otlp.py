"""Which OTLP endpoint do the ``OTEL_EXPORTER_OTLP_*`` variables name, and with what settings?

Read as OpenTelemetry's own exporter reads them: a variable for traces wins over the one for all signals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_CERTIFICATE,
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE,
    OTEL_EXPORTER_OTLP_CLIENT_KEY,
    OTEL_EXPORTER_OTLP_COMPRESSION,
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS,
    OTEL_EXPORTER_OTLP_PROTOCOL,
    OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE,
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY,
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
)
from opentelemetry.util.re import parse_env_headers

from tracing.backends.target import Settings, Target, TargetError

DEFAULT_ENDPOINT: Final = "http://localhost:4318"
DEFAULT_TIMEOUT: Final = 10.0

TRACES_PATH: Final = "/v1/traces"


def otlp_target(environ: Mapping[str, str], endpoint: str | None = None) -> Target:
    """A plain OTLP endpoint, such as a Collector's.

    Args:
        environ: Environment variables.
        endpoint: Address, with or without ``/v1/traces``; None for the environment's.

    Raises:
        TargetError: When the address is no HTTP one, or a variable cannot be read.
    """
    if endpoint is not None:
        url = endpoint if endpoint.rstrip("/").endswith(TRACES_PATH) else endpoint.rstrip("/") + TRACES_PATH
    elif traces := environ.get(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT):
        url = traces
    else:
        url = (environ.get(OTEL_EXPORTER_OTLP_ENDPOINT) or DEFAULT_ENDPOINT).rstrip("/") + TRACES_PATH
    if endpoint is None and _value(environ, *_PROTOCOL) == "grpc":
        raise TargetError(
            f"{OTEL_EXPORTER_OTLP_PROTOCOL} is grpc, and traces are sent by HTTP only: name the HTTP endpoint, "
            f"for a Collector usually {DEFAULT_ENDPOINT}."
        )
    if urlsplit(url).scheme not in {"http", "https"}:
        # An address may hold credentials, with or without a scheme before them.
        shown = re.sub(r"[^/]*@", "", url.partition("?")[0])
        raise TargetError(f"{shown!a} is no OTLP/HTTP endpoint: it must begin with http:// or https://.")
    settings = Settings(
        headers=parse_env_headers(_value(environ, *_HEADERS), liberal=True),
        timeout=_timeout(environ),
        certificate=_value(environ, *_CERTIFICATE) or None,
        client_certificate=_value(environ, *_CLIENT_CERTIFICATE) or None,
        client_key=_value(environ, *_CLIENT_KEY) or None,
        credentials=OTEL_EXPORTER_OTLP_HEADERS,
        address="the endpoint" if endpoint is not None else OTEL_EXPORTER_OTLP_ENDPOINT,
    )
    compression = _value(environ, *_COMPRESSION).strip().lower()
    # "deflate" is allowed too; sending without compression is always right.
    return Target(name="OTLP", endpoint=url, settings=settings, compression="gzip" if compression == "gzip" else None)


_PROTOCOL: Final = (OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_PROTOCOL)
_HEADERS: Final = (OTEL_EXPORTER_OTLP_TRACES_HEADERS, OTEL_EXPORTER_OTLP_HEADERS)
_TIMEOUT: Final = (OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT)
_COMPRESSION: Final = (OTEL_EXPORTER_OTLP_TRACES_COMPRESSION, OTEL_EXPORTER_OTLP_COMPRESSION)
_CERTIFICATE: Final = (OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE, OTEL_EXPORTER_OTLP_CERTIFICATE)
_CLIENT_CERTIFICATE: Final = (OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE)
_CLIENT_KEY: Final = (OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY, OTEL_EXPORTER_OTLP_CLIENT_KEY)


def _value(environ: Mapping[str, str], *names: str) -> str:
    """The first variable that is set."""
    return next((environ[name] for name in names if environ.get(name)), "")


def _timeout(environ: Mapping[str, str]) -> float:
    text = _value(environ, *_TIMEOUT)
    try:
        timeout = float(text) if text else DEFAULT_TIMEOUT
    except ValueError:
        timeout = -1.0
    if not 0 < timeout < float("inf"):
        raise TargetError(f"{OTEL_EXPORTER_OTLP_TIMEOUT} is {text!a}: give a number of seconds.")
    return timeout

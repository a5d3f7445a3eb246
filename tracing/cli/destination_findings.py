"""Where do the live spans of a worker go, and does each place answer?"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

import requests

from tracing.backends.client import as_it_is, shown
from tracing.backends.langfuse import PUBLIC_KEY, SECRET_KEY, langfuse_target
from tracing.backends.langfuse import base_address as langfuse_address
from tracing.backends.otlp import DEFAULT_ENDPOINT, TRACES_PATH, otlp_target
from tracing.backends.phoenix import ENDPOINT as PHOENIX_ENDPOINT
from tracing.backends.phoenix import base_address as phoenix_address
from tracing.backends.phoenix import phoenix_target
from tracing.backends.straight import has_langfuse, has_phoenix, straight_targets
from tracing.backends.target import Target, TargetError
from tracing.cli.findings import Finding

_SECONDS: Final = 5.0
_GRPC_PORT: Final = 4317
_LIVE: Final = "live spans"
_OTLP: Final = "OTLP endpoint"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SWITCHES: Final = {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "none", "OTEL_TRACES_SAMPLER": "always_off"}
_MEND_OTLP: Final = "Start the Collector, or set OTEL_EXPORTER_OTLP_ENDPOINT to one that runs (http://host:4318)."


def destination_findings(environ: Mapping[str, str]) -> list[Finding]:
    """Look at where spans go, and at the OTLP endpoint, Phoenix and Langfuse as far as they are set."""
    return [_live(environ), _otlp(environ), _phoenix(environ), _langfuse(environ)]


def _live(environ: Mapping[str, str]) -> Finding:
    """Where `tracing.configure()` sends the spans of a worker."""
    for switch, off in _SWITCHES.items():
        if environ.get(switch, "").strip().lower() == off:
            return Finding(_LIVE, "off", f"{switch} is {off}: none is sent", f"Unset {switch}.")
    variable = next((name for name in _ENDPOINTS if environ.get(name)), None)
    if variable is not None:
        backends = [name for name, on in (("Langfuse", has_langfuse(environ)), ("Phoenix", has_phoenix(environ))) if on]
        rest = f"; from there to {' and '.join(backends)}, if the Collector has the same variables" if backends else ""
        return Finding(_LIVE, "ok", f"go to {_shown(_endpoint(environ))} ({variable}){rest}")
    straight = straight_targets(environ)
    if straight:
        places = ", and to ".join(f"{target.name} at {shown(target.endpoint)}" for target in straight)
        return Finding(_LIVE, "ok", f"go straight to {places}")
    default = f"http://localhost:{_GRPC_PORT}" if _grpc(environ) else DEFAULT_ENDPOINT + TRACES_PATH
    mend = "Set OTEL_EXPORTER_OTLP_ENDPOINT to a Collector's address, or the variables of Phoenix or Langfuse."
    return Finding(_LIVE, "off", f"go to {default}, for nothing else is set", mend)


def _otlp(environ: Mapping[str, str]) -> Finding:
    if not any(environ.get(name) for name in _ENDPOINTS):
        mend = "Start a Collector (`docker compose up -d collector`), and set it to its address."
        straight = bool(straight_targets(environ))
        return Finding(_OTLP, "off", "OTEL_EXPORTER_OTLP_ENDPOINT is not set", "" if straight else mend)
    if _grpc(environ):
        if find_spec("opentelemetry.exporter.otlp.proto.grpc") is None:
            mend = "Run `pip install durable-trace[grpc]`, or set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf."
            return Finding(_OTLP, "failed", "the exporter for gRPC is not installed: no span is sent", mend)
        return _accepts(_OTLP, _endpoint(environ))
    try:
        target = otlp_target(environ)
    except TargetError as error:
        return Finding(_OTLP, "failed", str(error), "Mend the OTEL_EXPORTER_OTLP_* variables.")
    # An empty request is a valid one: it adds nothing.
    headers = {**target.settings.headers, "content-type": "application/x-protobuf"}
    return _ask(_OTLP, "POST", target.endpoint, headers, _MEND_OTLP)


def _grpc(environ: Mapping[str, str]) -> bool:
    return next((environ[name] for name in _PROTOCOLS if environ.get(name)), "") == "grpc"


def _endpoint(environ: Mapping[str, str]) -> str:
    """The address of the exporter, as OpenTelemetry's own exporters make it of the variables."""
    traces, base = (environ.get(name, "") for name in _ENDPOINTS)
    return traces or (base if _grpc(environ) else base.rstrip("/") + TRACES_PATH)


def _shown(endpoint: str) -> str:
    """An address without credentials; for gRPC it may be a host and a port alone."""
    return shown(_with_host(endpoint)).removeprefix("//")


def _with_host(endpoint: str) -> str:
    return endpoint if "://" in endpoint else f"//{endpoint}"


def _accepts(name: str, endpoint: str) -> Finding:
    """Whether something listens: nothing is sent."""
    address = _shown(endpoint)
    try:
        parts = urlsplit(_with_host(endpoint))
        socket.create_connection((parts.hostname or "localhost", parts.port or _GRPC_PORT), _SECONDS).close()
    except (OSError, ValueError) as error:
        return Finding(name, "failed", f"{address}: {type(error).__name__}", _MEND_OTLP)
    return Finding(name, "ok", f"{address} accepts connections (gRPC)")


def _phoenix(environ: Mapping[str, str]) -> Finding:
    if not has_phoenix(environ):
        return Finding(
            "Phoenix",
            "off",
            f"{PHOENIX_ENDPOINT} is not set",
            "To see traces in Phoenix, run `phoenix serve`, and set it to http://localhost:6006.",
        )
    mend = (
        "Start Phoenix (`phoenix serve`), set PHOENIX_COLLECTOR_ENDPOINT to its address, and PHOENIX_API_KEY if asked."
    )
    return _backend(environ, phoenix_target, f"{phoenix_address(environ)}/v1/projects", mend)


def _langfuse(environ: Mapping[str, str]) -> Finding:
    missing = [name for name in (PUBLIC_KEY, SECRET_KEY) if not environ.get(name)]
    if missing:
        return Finding(
            "Langfuse",
            "off",
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
            "To send traces to Langfuse, set both keys, and LANGFUSE_BASE_URL to your server.",
        )
    mend = "Check LANGFUSE_BASE_URL and both keys (Langfuse: project settings, API keys)."
    return _backend(environ, langfuse_target, f"{langfuse_address(environ)}/api/public/projects", mend)


def _backend(environ: Mapping[str, str], target: Callable[[Mapping[str, str]], Target], url: str, mend: str) -> Finding:
    """Ask a backend something harmless with the headers that spans are sent with."""
    made = target(environ)
    return _ask(made.name, "GET", url, made.settings.headers, mend)


def _ask(name: str, method: str, url: str, headers: Mapping[str, str], mend: str) -> Finding:
    address = shown(url)
    try:
        # Without an `auth` of its own, requests takes one from .netrc, over our Authorization header.
        answer = requests.request(method, url, headers=dict(headers), auth=as_it_is, timeout=_SECONDS)
    except requests.Timeout:
        return Finding(name, "failed", f"{address} gives no answer within {_SECONDS:g} s", mend)
    except requests.RequestException as error:
        why = "cannot be reached" if isinstance(error, requests.ConnectionError) else f"fails: {type(error).__name__}"
        return Finding(name, "failed", f"{address} {why}", mend)
    if not answer.ok:
        return Finding(name, "failed", f"{address} answers {answer.status_code}", mend)
    return Finding(name, "ok", f"{address} answers")

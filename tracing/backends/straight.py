"""Which backends do a worker's live spans go to, where no Collector is between?

``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``…_TRACES_ENDPOINT``) wins: then they go there and nowhere else. Else they go to
each backend whose own variables are set, the same that turn it on in the Collector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT

from tracing.backends import langfuse, phoenix
from tracing.backends.target import Target

_ENDPOINTS: Final = (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT)


def straight_targets(environ: Mapping[str, str]) -> list[Target]:
    """The backends that spans go straight to; none where an OTLP endpoint is set, or nothing is."""
    if any(environ.get(name) for name in _ENDPOINTS):
        return []
    makers: list[Callable[[Mapping[str, str]], Target]] = []
    if has_langfuse(environ):
        makers.append(langfuse.langfuse_target)
    if has_phoenix(environ):
        makers.append(phoenix.phoenix_target)
    return [maker(environ) for maker in makers]


def trace_address(environ: Mapping[str, str], trace_id: int) -> str | None:
    """Address of a trace in the backend that the environment names, straight or behind a Collector; nothing is asked.

    Where both are named, Langfuse's: it is the one that people are sent to, Phoenix the one on their own machine.
    """
    if has_langfuse(environ):
        return langfuse.trace_address(langfuse.base_address(environ), trace_id)
    if has_phoenix(environ):
        return phoenix.trace_address(phoenix.base_address(environ), trace_id)
    return None


def has_langfuse(environ: Mapping[str, str]) -> bool:
    """Whether the environment has Langfuse's keys."""
    return bool(environ.get(langfuse.PUBLIC_KEY) and environ.get(langfuse.SECRET_KEY))


def has_phoenix(environ: Mapping[str, str]) -> bool:
    """Whether the environment says where Phoenix is."""
    return bool(environ.get(phoenix.ENDPOINT))

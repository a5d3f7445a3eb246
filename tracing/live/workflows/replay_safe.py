"""Where is OpenTelemetry's SDK, when providers are wrapped so that workflow code can use them?

The Temporal SDK wraps the providers of traces, metrics and logs: what workflow code traces, counts and logs while it is
replayed is dropped, and span IDs are the same in each replay. The wrappers are none of the SDK's own classes.
"""

from __future__ import annotations

from opentelemetry import trace
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider


def sdk_provider(provider: trace.TracerProvider) -> trace.TracerProvider:
    """The provider inside the replay-safe one; one that is not wrapped is given back."""
    if isinstance(provider, ReplaySafeTracerProvider):
        # It has no public name for it, and hands out tracers of its own, which cannot tell sampler and processors.
        return provider._tracer_provider  # noqa: SLF001 - see above
    return provider

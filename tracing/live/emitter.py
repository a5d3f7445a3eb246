"""How does a span of ours get to the application's exporters?

Handed to the provider's span processors as a finished ``ReadableSpan``: an SDK span would choose its own ID. The
sampling decision is the run's, made once; processors' ``on_start`` hooks do not see these spans.
"""

from __future__ import annotations

import os

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision

from tracing import conventions as c
from tracing.config import logger
from tracing.live.sdk_spans import to_sdk_span
from tracing.runs import AttributeValue
from tracing.spans.model import Span
from tracing.version import VERSION


def sdk_disabled() -> bool:
    """Whether the user has turned OpenTelemetry off."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


class Emitter:
    """Emits finished spans through a tracer provider.

    Args:
        provider: The provider; None is the global one, looked up when first needed, so that it may be set later.
    """

    def __init__(self, provider: trace.TracerProvider | None = None) -> None:
        self._given = provider
        self._sdk: SdkTracer | None = None
        self._warned = False

    @property
    def provider(self) -> trace.TracerProvider:
        """The provider in use."""
        return self._given or trace.get_tracer_provider()

    def _tracer(self) -> SdkTracer | None:
        if self._sdk is None:
            tracer = self.provider.get_tracer(c.SCOPE_NAME, VERSION)
            if isinstance(tracer, SdkTracer):
                self._sdk = tracer
            elif not self._warned and not sdk_disabled():
                self._warned = True
                logger.warning(
                    "No OpenTelemetry tracer provider is set, so no span is exported: call tracing.configure() first, "
                    "or set one with opentelemetry.trace.set_tracer_provider()."
                )
        return self._sdk

    def samples(self, trace_id: int, name: str) -> bool:
        """The sampler's decision for a trace that begins here."""
        tracer = self._tracer()
        if tracer is None:
            return True
        # An empty context: the trace begins here, whatever span the worker itself was started under.
        return tracer.sampler.should_sample(Context(), trace_id, name).decision is Decision.RECORD_AND_SAMPLE

    def resource(self) -> dict[str, AttributeValue]:
        """The service identity of this process, as headers and ledgers carry it."""
        tracer = self._tracer()
        if tracer is None:
            return {}
        attributes = tracer.resource.attributes
        return {key: str(attributes[key]) for key in c.SERVICE_KEYS if key in attributes}

    def emit(self, span: Span) -> None:
        """Hand a finished span to the span processors."""
        tracer = self._tracer()
        if tracer is not None:
            tracer.span_processor.on_end(to_sdk_span(span, tracer.resource))

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Ask the provider to export what it has; False where it did not manage in time."""
        provider = self.provider
        return not isinstance(provider, TracerProvider) or provider.force_flush(int(timeout_seconds * 1000))

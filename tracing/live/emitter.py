"""How does a span of ours get to the application's exporters?

Handed to the provider's span processors as a finished ``ReadableSpan``: an SDK span would choose its own ID. The
sampling decision is the run's, made once; processors' ``on_start`` hooks do not see these spans.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link as ApiLink
from opentelemetry.trace import SpanContext, Status, TraceFlags

from tracing import conventions as c
from tracing.config import logger
from tracing.runs import AttributeValue
from tracing.spans.model import Span, SpanKind, StatusCode
from tracing.version import VERSION

_KINDS = {
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
    SpanKind.SERVER: trace.SpanKind.SERVER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
    SpanKind.PRODUCER: trace.SpanKind.PRODUCER,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
}
_STATUSES = {
    StatusCode.UNSET: trace.StatusCode.UNSET,
    StatusCode.OK: trace.StatusCode.OK,
    StatusCode.ERROR: trace.StatusCode.ERROR,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope(c.SCOPE_NAME, VERSION)


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
            elif not self._warned:
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
        return tracer.sampler.should_sample(None, trace_id, name).decision is Decision.RECORD_AND_SAMPLE

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
        if tracer is None:
            return
        tracer.span_processor.on_end(
            ReadableSpan(
                name=span.name,
                context=SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED),
                parent=SpanContext(span.trace_id, span.parent_id, is_remote=True, trace_flags=_SAMPLED)
                if span.parent_id
                else None,
                resource=tracer.resource,
                attributes=span.attributes,
                events=[SdkEvent(e.name, e.attributes, e.time) for e in span.events],
                links=[
                    ApiLink(SpanContext(link.trace_id, link.span_id, is_remote=True), link.attributes)
                    for link in span.links
                ],
                kind=_KINDS[span.kind],
                status=Status(_STATUSES[span.status], span.status_message or None),
                start_time=span.start,
                end_time=span.end,
                instrumentation_scope=_SCOPE,
            )
        )

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Ask the provider to export what it has; False where it did not manage in time."""
        provider = self.provider
        return not isinstance(provider, TracerProvider) or provider.force_flush(int(timeout_seconds * 1000))

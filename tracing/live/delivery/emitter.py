"""How does a span of ours get to the application's exporters?

Handed to the provider's span processors as a finished ``ReadableSpan``: an SDK span would choose its own ID. The
sampling decision is the run's, made once; processors' ``on_start`` hooks do not see these spans.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision

from tracing import conventions as c
from tracing.config import logger
from tracing.live.delivery.sdk_spans import to_sdk_span
from tracing.live.delivery.spool.encoding import span_key
from tracing.live.delivery.spool.holders import OUTBOX
from tracing.live.delivery.spool.registry import spool_of
from tracing.live.delivery.spool.store import Spool
from tracing.live.workflows.replay_safe import sdk_provider
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
        self._service: dict[str, AttributeValue] | None = None
        self._warned = False

    @property
    def provider(self) -> trace.TracerProvider:
        """The provider in use."""
        return self._given or trace.get_tracer_provider()

    def _tracer(self) -> SdkTracer | None:
        if self._sdk is None:
            tracer = sdk_provider(self.provider).get_tracer(c.SCOPE_NAME, VERSION)
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
        if self._service is None:
            attributes = tracer.resource.attributes
            self._service = {key: str(attributes[key]) for key in c.SERVICE_KEYS if key in attributes}
        return self._service

    def emit(self, span: Span) -> None:
        """Hand a finished span to the span processors."""
        tracer, spool = self._tracer(), self._spool()
        if tracer is None:
            return
        try:
            tracer.span_processor.on_end(to_sdk_span(span, tracer.resource))
        finally:
            if spool is not None:
                spool.delivered([_key(span)], OUTBOX)

    def started(self, get_span: Callable[[], Span]) -> None:
        """Note in the spool, where there is one, that a span has begun: should this process die, it ended with it.

        Args:
            get_span: Gives the span as far as it is known, open. Its end must come by `keep`, or by `dismiss`.
        """
        tracer, spool = self._tracer(), self._spool()
        if tracer is not None and spool is not None:
            spool.started(to_sdk_span(get_span(), tracer.resource))

    def dismiss(self, trace_id: int, span_id: int) -> None:
        """Take a note of a start back: the span will not end in this process."""
        spool = self._spool()
        if spool is not None:
            spool.ended(span_key(trace_id, span_id))

    def keep(self, span: Span) -> None:
        """Write a finished span into the spool, where there is one; `emit` or `fail` follows."""
        tracer, spool = self._tracer(), self._spool()
        if tracer is not None and spool is not None:
            spool.keep(to_sdk_span(span, tracer.resource), OUTBOX)

    def fail(self, span: Span) -> None:
        """A span that was kept could not be emitted: the spool sends it."""
        spool = self._spool()
        if spool is not None:
            spool.failed([_key(span)], OUTBOX)

    def _spool(self) -> Spool | None:
        return spool_of(sdk_provider(self.provider))

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Ask the provider to export what it has; False where it did not manage in time."""
        provider = sdk_provider(self.provider)
        return not isinstance(provider, TracerProvider) or provider.force_flush(int(timeout_seconds * 1000))


def _key(span: Span) -> bytes:
    return span_key(span.trace_id, span.span_id)

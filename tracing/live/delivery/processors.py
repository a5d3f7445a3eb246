"""How does a span processor of ours see each span in the thread and context that it starts in?

The SDK's ``ConcurrentMultiSpanProcessor`` calls its processors on threads of its own, where nobody knows in which
attempt a span started. So ours are put around it.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, SynchronousMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan


class AroundProcessor(SpanProcessor):
    """Calls some processors in the caller's thread, and the provider's own as it did before.

    Args:
        inner: The provider's own; processors that are added later are added to it.
    """

    def __init__(self, inner: SpanProcessor) -> None:
        self.inner = inner
        self._own: tuple[SpanProcessor, ...] = ()

    def add(self, processor: SpanProcessor) -> None:
        """Call a processor in the caller's thread."""
        self._own += (processor,)

    def add_span_processor(self, processor: SpanProcessor) -> None:
        """See the SDK's multi processors."""
        self.inner.add_span_processor(processor)  # type: ignore[attr-defined] # a multi processor

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """See the SDK."""
        for processor in self._own:
            processor.on_start(span, parent_context)
        self.inner.on_start(span, parent_context)

    def _on_ending(self, span: SdkSpan) -> None:
        for processor in (*self._own, self.inner):
            processor._on_ending(span)  # noqa: SLF001 - the SDK's (experimental) hook

    def on_end(self, span: ReadableSpan) -> None:
        """See the SDK."""
        for processor in (self.inner, *self._own):
            processor.on_end(span)

    def shutdown(self) -> None:
        """See the SDK."""
        for processor in (self.inner, *self._own):
            processor.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See the SDK."""
        return self.inner.force_flush(timeout_millis)


def add_processor(provider: TracerProvider, processor: SpanProcessor) -> None:
    """Add a processor of ours, so that it is called in the thread and context that a span starts in."""
    active: SpanProcessor = provider._active_span_processor  # noqa: SLF001 - there is no other way to see what it is
    if isinstance(active, SynchronousMultiSpanProcessor):
        provider.add_span_processor(processor)
        return
    if not isinstance(active, AroundProcessor):
        active = AroundProcessor(active)
        provider._active_span_processor = active  # type: ignore[assignment] # noqa: SLF001 - see above
        # Tracers that exist already keep the processor they were made with.
        for tracer in list(getattr(provider, "_tracers", {}).values()):
            tracer.span_processor = active
    active.add(processor)

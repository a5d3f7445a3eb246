"""How does the spool learn that a span inside an attempt has begun?"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import Link

from tracing.config import TracingConfig
from tracing.live.attempts.recorder import current_recorder
from tracing.live.delivery.sdk_spans import from_sdk_span, told_attributes
from tracing.live.delivery.spool.encoding import key_of
from tracing.live.delivery.spool.store import Spool
from tracing.live.failopen import fail_open
from tracing.spans.content import shown
from tracing.spans.inner import derived_attributes


class StartNotes(SpanProcessor):
    """Notes starts of spans inside attempts, and closes the spool with the provider.

    Args:
        spool: The spool.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """See the SDK."""
        recorder = current_recorder(parent_context)
        if recorder is None or not span.get_span_context().trace_flags.sampled:
            return
        with fail_open("the spool"):
            self._spool.started(as_begun(recorder.config, span))

    def on_end(self, span: ReadableSpan) -> None:
        """See the SDK."""
        with fail_open("the spool"):
            self._spool.ended(key_of(span))

    def shutdown(self) -> None:
        """See the SDK."""
        with fail_open("the spool"):
            self._spool.close()


def as_begun(config: TracingConfig, span: SdkSpan) -> ReadableSpan:
    """What may be told of a span that has begun: its content redacted, or left out where content is off."""
    begun = shown(config, from_sdk_span(span))
    kept = told_attributes(span.attributes, begun.attributes)
    links = [
        Link(link.context, told_attributes(link.attributes, told.attributes))
        for link, told in zip(span.links, begun.links, strict=True)
    ]
    return ReadableSpan(
        name=begun.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=kept | derived_attributes(config, begun.attributes, begun.start),
        links=links,
        kind=span.kind,
        start_time=span.start_time,
        instrumentation_scope=span.instrumentation_scope,
    )

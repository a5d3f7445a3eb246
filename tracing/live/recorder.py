"""Which spans ended inside an attempt, and what of them goes into its ledger?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link as ApiLink
from opentelemetry.trace import Status, TraceState
from opentelemetry.util.types import Attributes as ApiAttributes

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.ledger import LedgerSpan, ledger_span
from tracing.live.failopen import fail_open
from tracing.live.sdk_spans import from_sdk_span
from tracing.pricing import price_of_call
from tracing.runs import Run
from tracing.spans.content import shown
from tracing.spans.inner import derived_attributes, inner_common_attributes
from tracing.usage import is_model_call

_RECORDER: Final = otel_context.create_key("durable-trace-recorder")
MAX_SPANS: Final = 1_000
"""Inner spans that one attempt records; more are counted as cut."""
_REPLACED: Final = c.CONTENT_KEYS | {c.COST, c.COST_SOURCE}


class Recorder:
    """Collects the inner spans of one attempt; used from any thread.

    Args:
        config: Settings.
        run: The run.
        activity_id: Activity ID.
        attempt_span_id: Span ID of the attempt.
        provider: The plugin's tracer provider, for spans that our wrappers make; the global one where None.
    """

    def __init__(
        self,
        config: TracingConfig,
        run: Run,
        activity_id: str,
        attempt_span_id: int,
        provider: trace.TracerProvider | None = None,
    ) -> None:
        self.config = config
        self.provider = provider or trace.get_tracer_provider()
        self.attempt_span_id = attempt_span_id
        self.common = inner_common_attributes(run, activity_id)
        self._lock = threading.Lock()
        self._spans: list[LedgerSpan] = []
        self._left_out = 0

    def add(self, span: LedgerSpan) -> None:
        """Record an inner span that has ended."""
        with self._lock:
            if len(self._spans) < MAX_SPANS:
                self._spans.append(span)
            else:
                self._left_out += 1

    def spans(self) -> tuple[list[LedgerSpan], int]:
        """The spans recorded so far, in the order they ended, and how many were left out."""
        with self._lock:
            return list(self._spans), self._left_out

    def attach(self, context: Context) -> Context:
        """A context in which spans are recorded here."""
        return otel_context.set_value(_RECORDER, self, context)


def current_recorder(context: Context | None = None) -> Recorder | None:
    """The recorder of the attempt around this code or in a context."""
    recorder = otel_context.get_value(_RECORDER, context)
    return recorder if isinstance(recorder, Recorder) else None


class AttemptSpanProcessor(SpanProcessor):
    """Adds the run's identity to spans inside attempts as they start; price and what backends need as they end."""

    def __init__(self) -> None:
        self._recorders: WeakKeyDictionary[SdkSpan, Recorder] = WeakKeyDictionary()

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """See the SDK."""
        recorder = current_recorder(parent_context)
        if recorder is None:
            return
        with fail_open("the start of an inner span"):
            self._recorders[span] = recorder
            # What the span says itself stays: a StartWorkflow in here has another run's identity.
            own = span.attributes or {}
            span.set_attributes({key: value for key, value in recorder.common.items() if key not in own})

    def _on_ending(self, span: SdkSpan) -> None:
        # The SDK's (experimental) hook before a span is made read-only: the last moment to add the price to it.
        recorder = self._recorders.pop(span, None)
        if recorder is None:
            return
        with fail_open("the end of an inner span"):
            end_inner_span(recorder, span)


def end_inner_span(recorder: Recorder, span: SdkSpan) -> None:
    """Price an inner span, give it what backends need, withhold content that is off, and record it."""
    config = recorder.config
    ended = shown(config, from_sdk_span(span))
    if is_model_call(ended.attributes):
        price = price_of_call(ended.attributes, ended.start)
        if price is not None:
            ended.attributes.update({c.COST: float(price.cost), c.COST_SOURCE: price.source})
    recorder.add(ledger_span(ended, recorder.attempt_span_id, content=config.capture_content))
    # What is ours is replaced, the rest stays as its instrumentation typed it.
    ours = {key: value for key, value in ended.attributes.items() if key in _REPLACED}
    kept = {key: value for key, value in (span.attributes or {}).items() if key not in c.CONTENT_KEYS}
    # The SDK calls this hook when a span has ended but is not yet handed on, and then refuses `set_attribute`, against
    # the specification of OnEnding; replacing what the span holds is what is left.
    span._attributes = kept | ours | derived_attributes(config, ended.attributes)  # noqa: SLF001
    span._status = Status(span.status.status_code, ended.status_message or None)  # noqa: SLF001
    if span.events:
        span._events = [SdkEvent(event.name, event.attributes, event.time) for event in ended.events]  # noqa: SLF001


class AttemptSampler(Sampler):
    """Records spans inside attempts that the sampler drops: not exported, but their usage is in the history."""

    def __init__(self, inner: Sampler) -> None:
        self.inner = inner

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: trace.SpanKind | None = None,
        attributes: ApiAttributes = None,
        links: Sequence[ApiLink] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See the SDK."""
        result = self.inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is Decision.DROP and current_recorder(parent_context) is not None:
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return result

    def get_description(self) -> str:
        """See the SDK."""
        return f"AttemptSampler{{{self.inner.get_description()}}}"


_prepared: WeakSet[TracerProvider] = WeakSet()
_prepare_lock = threading.Lock()


def prepare_provider(provider: trace.TracerProvider) -> None:
    """Make a provider record what happens inside attempts; once for each provider."""
    if not isinstance(provider, TracerProvider):
        return
    with _prepare_lock:
        if provider in _prepared:
            return
        _prepared.add(provider)
        provider.sampler = sampler = AttemptSampler(provider.sampler)
        # Tracers that exist already keep the sampler they were made with; instrumentations make theirs early.
        for tracer in list(getattr(provider, "_tracers", {}).values()):
            tracer.sampler = sampler
        provider.add_span_processor(AttemptSpanProcessor())

"""Which spans ended inside an attempt, and what of them goes into its ledger?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

import temporalio.workflow
from msgspec.structs import replace
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link as ApiLink
from opentelemetry.trace import TraceState
from opentelemetry.util.types import Attributes as ApiAttributes

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.ledger import LedgerSpan
from tracing.ledger_spans import ledger_span
from tracing.live.delivery.forks import in_forked_child
from tracing.live.delivery.processors import add_processor
from tracing.live.delivery.sdk_spans import from_sdk_span, plain_attributes, tell, told_attributes, withhold
from tracing.live.failopen import fail_open
from tracing.live.metrics.attempts import AttemptMetrics, current_metrics
from tracing.live.model_calls.retries import watch_http_clients
from tracing.live.workflows.context import current_workflow_code
from tracing.live.workflows.replay_safe import sdk_provider
from tracing.live.workflows.spans import WorkflowSpanProcessor
from tracing.pricing import price_list, price_of_call
from tracing.runs import Attributes, Run
from tracing.spans.content import shown
from tracing.spans.hook import with_added
from tracing.spans.inner import derived_attributes, inner_common_attributes
from tracing.usage import NO_USAGE, is_model_call, usage_of_call

_RECORDER: Final = otel_context.create_key("durable-trace-recorder")
MAX_SPANS: Final = 1_000
"""Inner spans that one attempt records; more are counted as cut."""
if not temporalio.workflow.unsafe.in_sandbox():
    # While the worker starts, and not in its first attempt. The sandbox of a worker without the plugin, whose workflows
    # import a name of ours, refuses what the price list needs.
    price_list()
_COST: Final = frozenset({c.COST, c.INPUT_COST, c.OUTPUT_COST, c.COST_SOURCE})


class Recorder:
    """Collects the inner spans of one attempt; used from any thread.

    Args:
        config: Settings.
        run: The run.
        activity_id: Activity ID.
        attempt_span_id: Span ID of the attempt.
        provider: The plugin's tracer provider, for spans that our wrappers make; the global one where None.
        exports: Whether this process exports the spans; else they are only recorded, and another one does.
        metrics: What counts inside; what counts in the attempt around this code where None.
    """

    def __init__(
        self,
        config: TracingConfig,
        run: Run,
        activity_id: str,
        attempt_span_id: int,
        provider: trace.TracerProvider | None = None,
        *,
        exports: bool = True,
        metrics: AttemptMetrics | None = None,
    ) -> None:
        self.config = config
        self.exports = exports
        self.provider = provider or trace.get_tracer_provider()
        self.attempt_span_id = attempt_span_id
        self._run = run
        self._activity_id = activity_id
        self._lock = threading.Lock()
        self._spans: list[LedgerSpan] = []
        self._left_out = 0
        self._rest = NO_USAGE
        self._metrics = metrics or current_metrics()

    @cached_property
    def common(self) -> Attributes:
        """What every span inside repeats of run and activity."""
        return inner_common_attributes(self._run, self._activity_id)

    @property
    def sampled(self) -> bool:
        """The run's sampling decision."""
        return self._run.sampled

    def add(self, span: LedgerSpan) -> None:
        """Record an inner span that has ended."""
        with self._lock:
            if len(self._spans) < MAX_SPANS:
                self._spans.append(span)
            else:
                self._left_out += 1
                self._rest += usage_of_call(span.attributes)  # type: ignore[arg-type] # lists are not read
        if self._metrics is not None:
            self._metrics.inner(span)

    @property
    def records(self) -> bool:
        """Whether spans inside are seen at all: only the OpenTelemetry SDK's providers tell of them."""
        return isinstance(sdk_provider(self.provider), TracerProvider)

    @property
    def empty(self) -> bool:
        """Whether nothing has ended inside, recorded or left out."""
        return not self._spans and not self._left_out

    def rest(self) -> dict[str, int | float]:
        """What the spans that were left out have used."""
        if not self._left_out:
            return {}
        with self._lock:
            return {key: value for key, value in self._rest.attributes().items() if isinstance(value, (int, float))}

    def stored(self, size: int) -> None:
        """The ledger has been written, of this size in bytes."""
        if self._metrics is not None:
            self._metrics.ledger(size)

    def leave_out(self, count: int) -> None:
        """Count inner spans that were not recorded elsewhere either."""
        with self._lock:
            self._left_out += count

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
            watch_http_clients()
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
            return
        withhold(span, recorder.common)


def end_inner_span(recorder: Recorder, span: SdkSpan) -> None:
    """Price an inner span, give it what backends need, withhold content that is off, and record it."""
    config = recorder.config
    ended = shown(config, from_sdk_span(span))
    if is_model_call(ended.attributes):
        price = price_of_call(ended.attributes, ended.start, config.prices)
        if price is not None:
            ended.attributes.update(price.attributes())
    recorder.add(ledger_span(ended, recorder.attempt_span_id, content=config.capture_content))
    cost = {key: value for key, value in ended.attributes.items() if key in _COST}
    derived = derived_attributes(config, ended.attributes, ended.start)
    told = told_attributes(span.attributes, ended.attributes) | cost | derived
    if config.add_attributes is not None:
        told |= with_added(config, replace(ended, attributes=plain_attributes(told))).attributes
    tell(span, ended, told)


class AttemptSampler(Sampler):
    """Records spans inside attempts that the sampler drops: not exported, but their usage is in the history.

    What the run leaves out, inside attempts and in workflow code, a sampler that does not look at parents
    (``always_on``, ``traceidratio``) cannot take in; nor can one drop, by a trace ID of a continued run, what is in.
    """

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
        decision = result.decision
        recorder, code = current_recorder(parent_context), current_workflow_code(parent_context)
        run = recorder if recorder is not None else code.run if code is not None else None
        if run is not None and not run.sampled:
            decision = Decision.DROP
        elif run is not None and isinstance(self.inner, TraceIdRatioBased):
            decision = Decision.RECORD_AND_SAMPLE
        if recorder is not None and (decision is Decision.DROP or not recorder.exports):
            decision = Decision.RECORD_ONLY
        return result if decision is result.decision else SamplingResult(decision, attributes, result.trace_state)

    def get_description(self) -> str:
        """See the SDK."""
        return f"AttemptSampler{{{self.inner.get_description()}}}"


_prepared: WeakSet[TracerProvider] = WeakSet()
_prepare_lock = threading.Lock()


def _renew_lock() -> None:
    """In a forked child: a thread of the parent's may have held it, and nobody would ever let it go."""
    global _prepare_lock  # noqa: PLW0603 - one for each process
    _prepare_lock = threading.Lock()


in_forked_child(_renew_lock)


def prepare_provider(provider: trace.TracerProvider) -> None:
    """Make a provider record what happens inside attempts and workflow code; once for each provider."""
    provider = sdk_provider(provider)
    if not isinstance(provider, TracerProvider) or provider in _prepared:
        return
    with _prepare_lock:
        if provider in _prepared:  # by another thread, meanwhile
            return
        _prepared.add(provider)
        provider.sampler = sampler = AttemptSampler(provider.sampler)
        # Tracers that exist already keep the sampler they were made with; instrumentations make theirs early.
        for tracer in list(getattr(provider, "_tracers", {}).values()):
            tracer.sampler = sampler
        add_processor(provider, AttemptSpanProcessor())
        add_processor(provider, WorkflowSpanProcessor())

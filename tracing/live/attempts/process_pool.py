"""How is an activity traced that runs in another process (``activity_executor=ProcessPoolExecutor(…)``)?

Context variables do not cross over to it. So the executor is wrapped, for one attempt: what it is given runs in the
other process inside the attempt's context, with a recorder; the spans that ended there come back with the result, or as
an attribute of the exception, which pickles with it. The parent puts them into the ledger and sends them, exactly as
the export makes them of the ledger. The user's function, its result and its exceptions stay as they are.

Recorded are `llm_call`, `@tool` and `@agent`, the OpenAI client where the parent has instrumented it, and spans of the
global tracer provider, where the other process has set one. No span is exported over there. A redactor that cannot be
pickled cannot be called there: content is withheld then.
"""

from __future__ import annotations

import concurrent.futures
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.util.types import Attributes

from tracing.config import TracingConfig
from tracing.ledger import LedgerSpan
from tracing.live.attempts.attempt import Attempt
from tracing.live.attempts.recorder import AttemptSpanProcessor, Recorder, prepare_provider
from tracing.live.delivery.providers import instrument_openai, openai_instrumented
from tracing.live.failopen import fail_open
from tracing.runs import Run

_WHERE: Final = "an activity in another process"
_ON_EXCEPTION: Final = "_durable_trace_spans"


class _Inner(msgspec.Struct):
    """What comes back: the spans that ended there, and how many more there were."""

    spans: list[LedgerSpan] = []
    left_out: int = 0


@dataclass(frozen=True)
class _Returned:
    """A result, with what comes back beside it."""

    result: Any
    inner: bytes


@dataclass(frozen=True)
class _Child:
    """What the other process must know of an attempt."""

    config: TracingConfig
    run: Run
    activity_id: str
    span_context: trace.SpanContext
    instrument: bool

    @classmethod
    def of(cls, attempt: Attempt) -> _Child | None:
        """Of this attempt."""
        run = attempt.place.run
        return cls(
            config=_picklable(attempt.recorder.config),
            # Its resource may be anything, and it is needed in the parent only.
            run=replace(run, resource={}),
            activity_id=attempt.activity_id,
            span_context=attempt.span_context(),
            instrument=openai_instrumented(),
        )

    def recorder(self) -> Recorder | None:
        """A recorder for the spans over there."""
        provider = _local_provider()
        prepare_provider(trace.get_tracer_provider())
        if self.instrument:
            instrument_openai(provider)
        return Recorder(self.config, self.run, self.activity_id, self.span_context.span_id, provider, exports=False)


class _PooledExecutor(concurrent.futures.Executor):
    """The worker's executor, for one attempt."""

    def __init__(self, inner: concurrent.futures.Executor, attempt: Attempt) -> None:
        self._inner = inner
        self._attempt = attempt

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        """See the standard library."""
        child: _Child | None = None
        with fail_open(_WHERE):
            child = _Child.of(self._attempt)
        if child is None:
            return self._inner.submit(fn, *args, **kwargs)
        return _unpacked(self._inner.submit(run_in_child, child, fn, *args, **kwargs), self._attempt)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's signature
        """See the standard library."""
        self._inner.shutdown(wait, cancel_futures=cancel_futures)


def pooled_executor(
    executor: concurrent.futures.Executor | None, attempt: Attempt
) -> concurrent.futures.Executor | None:
    """What is to run a sync activity: an executor that is no pool of threads is wrapped."""
    if executor is None or isinstance(executor, concurrent.futures.ThreadPoolExecutor):
        return executor
    return _PooledExecutor(executor, attempt)


def run_in_child(child: _Child, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run in the other process what the SDK runs there, inside the attempt's context.

    Raises:
        Whatever it raises, with the spans as an attribute.
    """
    recorder: Recorder | None = None
    with fail_open(_WHERE):
        recorder = child.recorder()
    if recorder is None:
        return fn(*args, **kwargs)
    span = trace.NonRecordingSpan(child.span_context)
    token = otel_context.attach(recorder.attach(trace.set_span_in_context(span)))
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:
        with fail_open(_WHERE):
            setattr(error, _ON_EXCEPTION, _packed(recorder))
        raise
    finally:
        otel_context.detach(token)
    inner = b""
    with fail_open(_WHERE):
        inner = _packed(recorder)
    return _Returned(result, inner)


def _packed(recorder: Recorder) -> bytes:
    return msgspec.json.encode(_Inner(*recorder.spans()))


def _unpacked(pooled: concurrent.futures.Future[Any], attempt: Attempt) -> concurrent.futures.Future[Any]:
    """The future of what the SDK gave to run, from that of what was run."""
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def done(pooled: concurrent.futures.Future[Any]) -> None:
        if pooled.cancelled():
            future.cancel()
        if not future.set_running_or_notify_cancel():
            return
        error = pooled.exception()
        if error is not None:
            with fail_open(_WHERE):
                _receive(attempt, vars(error).pop(_ON_EXCEPTION, b""))
            future.set_exception(error)
            return
        returned = pooled.result()
        if isinstance(returned, _Returned):
            with fail_open(_WHERE):
                _receive(attempt, returned.inner)
            returned = returned.result
        future.set_result(returned)

    future.add_done_callback(lambda done: pooled.cancel() if done.cancelled() else None)
    pooled.add_done_callback(done)
    return future


def _receive(attempt: Attempt, data: bytes) -> None:
    if data:
        inner = msgspec.json.decode(data, type=_Inner)
        attempt.add_inner(inner.spans, inner.left_out)


def _picklable(config: TracingConfig) -> TracingConfig:
    try:
        pickle.dumps(config)
    except Exception:  # noqa: BLE001 - a user's redactor raises what it likes
        return replace(config, redact=None, add_attributes=None, capture_content=False)
    return config


class _RecordAll(Sampler):
    """Records all spans; what they call on is told the run's own sampling decision."""

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,  # noqa: ARG002
        name: str,  # noqa: ARG002
        kind: trace.SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[trace.Link] | None = None,  # noqa: ARG002
        trace_state: trace.TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        """See the SDK."""
        sampled = trace.get_current_span(parent_context).get_span_context().trace_flags.sampled
        return SamplingResult(Decision.RECORD_AND_SAMPLE if sampled else Decision.RECORD_ONLY, attributes)

    def get_description(self) -> str:
        """See the SDK."""
        return "RecordAll"


_provider: TracerProvider | None = None


def _local_provider() -> TracerProvider:
    """A provider of this process without an exporter: its spans are recorded, whatever the sampling."""
    global _provider  # noqa: PLW0603 - one for each process
    if _provider is None:
        _provider = TracerProvider(sampler=_RecordAll(), shutdown_on_exit=False)
        _provider.add_span_processor(AttemptSpanProcessor())
    return _provider

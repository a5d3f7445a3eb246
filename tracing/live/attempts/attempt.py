"""What do we know of one attempt of an activity while it runs, and what is left of it when it ends?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from temporalio.api.failure.v1 import Failure as FailureProto

from tracing.config import TracingConfig
from tracing.failures import Failure, failure_from_proto
from tracing.ledger import Ledger, LedgerSpan, count_attributes, fit_ledger, ledger_forms
from tracing.live.attempts.place import AttemptPlace
from tracing.live.attempts.recorder import Recorder
from tracing.payloads import PayloadMessage
from tracing.recognisers import may_show_calls, recognised_calls
from tracing.runs import AttributeValue
from tracing.spans.activity import attempt_span
from tracing.spans.inner import inner_span, ledger_usage
from tracing.spans.model import NS_PER_US, Span
from tracing.usage import Usage, is_model_call

_closing: ContextVar[Attempt | None] = ContextVar("durable_trace_closing_attempt", default=None)


def closing_attempt() -> Attempt | None:
    """The attempt whose outcome is being encoded by this task, and has not been yet."""
    attempt = _closing.get()
    return attempt if attempt is not None and attempt.open else None


@dataclass(frozen=True)
class AttemptWorker:
    """What the attempts of a worker share.

    Attributes:
        config: Settings.
        put: Takes the attempts' spans.
        identity: Identity of the worker.
        build_id: Its build ID, or "".
        resource: Its service identity.
        provider: The plugin's tracer provider; the global one where None.
        clock: Its own clock, monotonic, in ns.
    """

    config: TracingConfig
    put: Callable[[Span], None]
    identity: str
    build_id: str = ""
    resource: dict[str, AttributeValue] = field(default_factory=dict)
    provider: trace.TracerProvider | None = None
    clock: Callable[[], int] = time.monotonic_ns

    @cached_property
    def told_resource(self) -> dict[str, str]:
        """Its service identity as ledgers tell it."""
        return {key: str(value) for key, value in self.resource.items()}


class Attempt:
    """One attempt, from its start on the worker until its outcome is encoded.

    Args:
        worker: What it shares with others.
        place: Where it stands.
        ledger_left: Bytes that its ledger may take, where the run's budget is running out.
    """

    def __init__(self, worker: AttemptWorker, place: AttemptPlace, ledger_left: int | None = None) -> None:
        self.open = True
        self.place = place
        self.heartbeats = 0
        self.given: Sequence[Any] = ()
        self.recorder = Recorder(
            worker.config.inside(), place.run, place.activity.activity_id, place.span_id, worker.provider
        )
        self._worker = worker
        limits = [worker.config.max_ledger_bytes, ledger_left]
        self._ledger_left = min(limit for limit in limits if limit is not None)
        self._overridden: FailureProto | None = None
        self._put = worker.put
        self._begun = worker.clock()
        self._duration = 0
        self._cut = 0

    @property
    def activity_id(self) -> str:
        """Its activity ID."""
        return self.place.activity.activity_id

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return self.place.number

    def context(self) -> Context:
        """The current context with the attempt as parent span and recorder of what happens inside."""
        return self.recorder.attach(
            trace.set_span_in_context(trace.NonRecordingSpan(self.span_context()), otel_context.get_current())
        )

    def span_context(self) -> trace.SpanContext:
        """What spans inside have as parent."""
        run = self.place.run
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if run.sampled else trace.TraceFlags.DEFAULT)
        return trace.SpanContext(run.trace_id, self.place.span_id, is_remote=False, trace_flags=flags)

    def finish(self) -> None:
        """The activity's code is done; what is encoded next in this task is its outcome."""
        self.stop_clock()
        _closing.set(self)

    def stop_clock(self) -> None:
        """It has taken until now."""
        self._duration = max(0, self._worker.clock() - self._begun)

    def override(self, outcome: FailureProto) -> None:
        """The server will not take what the code ends with, or sees it as something else: as this failure."""
        self._overridden = outcome

    @contextmanager
    def completing(self) -> Iterator[None]:
        """Within this block its outcome is encoded and told to the server, by a client and not by its worker.

        Raises:
            Whatever the code inside raises; the attempt is then open again, for the outcome may be told once more.
        """
        held: list[Span] = []
        put, self._put = self._put, held.append
        self.stop_clock()
        token = _closing.set(self)
        try:
            yield
        except BaseException:
            self.open = True
            raise
        else:
            for span in held:
                put(span)
        finally:
            self._put = put
            _closing.reset(token)

    def add_inner(self, spans: list[LedgerSpan], left_out: int) -> None:
        """Record spans of another process, which exports none itself: put them into the ledger, and send them."""
        for recorded in spans:
            self.recorder.add(recorded)
        self.recorder.leave_out(left_out)
        place = self.place
        if not place.run.sampled:
            return
        ledger = self._record()
        for recorded in spans:
            span = inner_span(self._worker.config, place.run, ledger, recorded, place.span_id)
            if span is not None:
                self._put(span)

    def recognise(
        self, result: Sequence[PayloadMessage], encode: Callable[[Sequence[Any]], Sequence[PayloadMessage]]
    ) -> None:
        """Record the model calls that its result shows, if none is; ``encode`` makes payloads of values."""
        if not may_show_calls(result):
            return
        place = self.place
        recorded, _ = self.recorder.spans()
        if any(is_model_call(span.attributes) for span in recorded):  # type: ignore[arg-type] # lists are not read
            return
        start = place.started_us * NS_PER_US
        found = recognised_calls(
            place.activity.activity_type,
            attempt_span_id=place.span_id,
            start=start,
            end=start + self._duration,
            given=lambda: encode(self.given),
            result=result,
            prices=self._worker.config.prices,
        )
        if found:
            self.add_inner(found, 0)

    def may_be_retried(self, failure: FailureProto) -> bool:
        """Whether the server may try again after a failure: then it keeps that in little room."""
        activity, info = self.place.activity, failure.application_failure_info
        if info.non_retryable or info.type in self.place.final_errors:
            return False
        return not activity.local and not 0 < activity.max_attempts <= self.number

    def ledger(self, max_bytes: int | None = None) -> bytes | None:
        """The ledger as stored; None where ledgers are off, none fits, or nobody could see what happened inside.

        A ledger without model calls says that there were none. Without one, history says that they are unknown.

        Args:
            max_bytes: Room that there is where it is to stand; None where only the settings limit it.
        """
        if not self._has_ledger:
            return None
        limit = self._ledger_left if max_bytes is None else min(self._ledger_left, max_bytes)
        data, self._cut = fit_ledger(self._record(), limit)
        if data is not None:
            self.recorder.stored(len(data))
        return data

    def ledger_sizes(self) -> list[int]:
        """Bytes of each form that the ledger may be stored in, the fullest first; none where there is no ledger."""
        if not self._has_ledger:
            return []
        return [size for data, _ in ledger_forms(self._record()) if (size := len(data)) <= self._ledger_left]

    @property
    def _has_ledger(self) -> bool:
        return self._worker.config.ledger and (self.recorder.records or not self.recorder.empty)

    def leave_out_ledger(self) -> None:
        """The ledger had to give way to the result: say so on the attempt's span."""
        self._cut = count_attributes(self._record())

    def close(self, failure: FailureProto | None) -> None:
        """The outcome is encoded: let the attempt's span go.

        Args:
            failure: Its failure; None where the attempt succeeded.
        """
        if not self.open:
            return
        self.open = False
        failure = self._overridden or failure
        if self.place.run.sampled:
            self._put(
                self._span(
                    end=self.place.started_us * NS_PER_US + self._duration,
                    failure=failure_from_proto(failure) if failure is not None else None,
                    usage=ledger_usage(None if self.recorder.empty else self._record()),
                )
            )

    def as_begun(self) -> Span:
        """Its span as far as it is known at its beginning: open, and without what it will use."""
        return self._span(end=None)

    def _span(self, *, end: int | None, failure: Failure | None = None, usage: Usage = Usage()) -> Span:  # noqa: B008 - frozen
        place, worker = self.place, self._worker
        return attempt_span(
            worker.config,
            place.run,
            place.activity,
            attempt=place.number,
            started_us=place.started_us,
            end=end,
            worker_identity=worker.identity,
            build_id=worker.build_id,
            scheduled_us=place.scheduled_us,
            failure=failure,
            usage=usage,
            heartbeats=self.heartbeats,
            ledger_cut=self._cut,
        )

    def _record(self) -> Ledger:
        spans, left_out = self.recorder.spans()
        place, worker = self.place, self._worker
        return Ledger(
            run=place.run.run_id,
            activity=self.activity_id,
            attempt=place.number,
            started=place.started_us,
            duration=self._duration,
            identity=worker.identity,
            build=worker.build_id,
            scheduled=place.scheduled_us if place.history_lacks_scheduled else 0,
            heartbeats=self.heartbeats,
            resource=worker.told_resource,
            spans=spans,
            cut=left_out,
            rest=self.recorder.rest(),
        )

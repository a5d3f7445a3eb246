"""What do we know of one attempt of an activity while it runs, and what is left of it when it ends?"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import temporalio.activity
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from tracing.config import TracingConfig
from tracing.failures import failure_from_proto
from tracing.headers import TraceHeader
from tracing.identity import attempt_span_id, run_trace_id, step_span_id
from tracing.ledger import Ledger, count_attributes, fit_ledger
from tracing.live.recorder import Recorder
from tracing.runs import AttributeValue, Run
from tracing.spans.activity import Activity, attempt_span
from tracing.spans.inner import ledger_usage
from tracing.spans.model import NS_PER_US, Span

_closing: ContextVar[Attempt | None] = ContextVar("durable_trace_closing_attempt", default=None)


def closing_attempt() -> Attempt | None:
    """The attempt whose outcome is being encoded by this task, and has not been yet."""
    attempt = _closing.get()
    return attempt if attempt is not None and attempt.open else None


class Attempt:
    """One attempt, from its start on the worker until its outcome is encoded.

    Args:
        config: Settings.
        info: The SDK's activity info.
        header: Our header from the step, or None (a workflow worker without the plugin).
        worker_identity: Identity of the worker.
        resource: Service identity of the worker.
        sampled: The sampling decision where no header carries one.
        put: Takes the attempt's span.
        provider: The plugin's tracer provider; the global one where None.
        clock: The worker's own clock, monotonic, in ns.
    """

    def __init__(
        self,
        config: TracingConfig,
        info: temporalio.activity.Info,
        header: TraceHeader | None,
        *,
        worker_identity: str,
        resource: dict[str, AttributeValue],
        sampled: bool,
        put: Callable[[Span], None],
        provider: trace.TracerProvider | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        run_id = info.workflow_run_id or ""
        parent = header.parent if header else None
        if header is not None and parent is not None:
            sampled = parent.sampled
            own = step_span_id(run_id, "activity", info.activity_id, header.nth)
            if parent.span_id != own:
                # A reset copies the header of an activity that was open: it names the base run's step.
                parent = None
        self.open = True
        self.activity_id = info.activity_id
        self.number = info.attempt
        self._config = config
        self._identity = worker_identity
        self._put = put
        self._clock = clock
        self._resource = resource
        self._ledger_left = config.max_ledger_bytes
        if header is not None and header.ledger_left is not None:
            self._ledger_left = min(self._ledger_left, header.ledger_left)
        self._started_us = _microseconds(info.started_time)
        self._scheduled_us = _microseconds(info.scheduled_time)
        self._activity = Activity(
            activity_id=info.activity_id,
            activity_type=info.activity_type,
            task_queue=info.task_queue,
            max_attempts=info.retry_policy.maximum_attempts if info.retry_policy else 0,
            span_id=parent.span_id if parent else None,
            nth=header.nth if header else 1,
        )
        self._run = Run(
            namespace=info.namespace,
            workflow_id=info.workflow_id or "",
            run_id=run_id,
            workflow_type=info.workflow_type or "",
            trace_id=parent.trace_id if parent else run_trace_id(run_id),
            sampled=sampled,
            session_id=header.session or "" if header else "",
            user_id=header.user or "" if header else "",
            tags=header.tags if header else (),
            resource=resource,
        )
        self._span_id = attempt_span_id(run_id, info.activity_id, info.attempt, self._started_us)
        self._recorder = Recorder(config, self._run, info.activity_id, self._span_id, provider)
        self._begun = clock()
        self._duration = 0
        self._cut = 0

    def context(self) -> Context:
        """The current context with the attempt as parent span and recorder of what happens inside."""
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if self._run.sampled else trace.TraceFlags.DEFAULT)
        span = trace.NonRecordingSpan(
            trace.SpanContext(self._run.trace_id, self._span_id, is_remote=False, trace_flags=flags)
        )
        return self._recorder.attach(trace.set_span_in_context(span, otel_context.get_current()))

    def finish(self) -> None:
        """The activity's code is done; what is encoded next in this task is its outcome."""
        self._duration = max(0, self._clock() - self._begun)
        _closing.set(self)

    def ledger(self) -> bytes | None:
        """The ledger as stored; None where ledgers are off, or none fits."""
        if not self._config.ledger:
            return None
        data, self._cut = fit_ledger(self._record(), self._ledger_left)
        return data

    def leave_out_ledger(self) -> None:
        """The ledger had to give way to the result: say so on the attempt's span."""
        self._cut = count_attributes(self._record())

    def close(self, failure: Any) -> None:
        """The outcome is encoded: let the attempt's span go.

        Args:
            failure: The failure as a ``temporal.api.failure.v1.Failure`` message; None where the attempt succeeded.
        """
        if not self.open:
            return
        self.open = False
        if not self._run.sampled:
            return
        self._put(
            attempt_span(
                self._config,
                self._run,
                self._activity,
                attempt=self.number,
                started_us=self._started_us,
                end=self._started_us * NS_PER_US + self._duration,
                worker_identity=self._identity,
                scheduled_us=self._scheduled_us,
                failure=failure_from_proto(failure) if failure is not None else None,
                usage=ledger_usage(self._record()),
                ledger_cut=self._cut,
            )
        )

    def _record(self) -> Ledger:
        spans, left_out = self._recorder.spans()
        return Ledger(
            run=self._run.run_id,
            activity=self.activity_id,
            attempt=self.number,
            started=self._started_us,
            duration=self._duration,
            identity=self._identity,
            resource={key: str(value) for key, value in self._resource.items()},
            spans=spans,
            cut=left_out,
        )


def _microseconds(moment: Any) -> int:
    # datetime.timestamp() is a float and loses µs in this century: count in integers.
    seconds = int(moment.replace(microsecond=0).timestamp())
    return seconds * 1_000_000 + int(moment.microsecond)

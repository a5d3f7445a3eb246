"""What do we know of one attempt of a step while it runs, and what is left of it when it ends?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos.attempt_spans import recorded_attempt_span
from tracing.dbos.ledgers import RecordedAttempt, entry_of
from tracing.dbos.runs import DbosRun
from tracing.dbos_live.encoding import json_payload
from tracing.dbos_live.executions import Execution, in_span
from tracing.failures import Failure
from tracing.identity import attempt_span_id
from tracing.ledger import Ledger, fit_ledger
from tracing.live.attempts.recorder import Recorder
from tracing.live.failopen import fail_open
from tracing.live.metrics.attempts import AttemptMetrics
from tracing.live.metrics.instruments import Metrics
from tracing.recognisers import MAX_BYTES, recognised_calls
from tracing.runs import AttributeValue
from tracing.spans.inner import inner_span
from tracing.spans.model import NS_PER_S, NS_PER_US, Span
from tracing.usage import is_model_call


@dataclass(frozen=True, slots=True)
class AttemptProcess:
    """What the attempts of a process share.

    Attributes:
        config: Settings.
        put: Takes spans.
        executor: ID of DBOS's executor.
        version: Version of the application.
        resource: Service identity of the process.
        provider: Tracer provider for spans of our wrappers; the global one where None.
        metrics: The instruments; None counts nothing.
        protects: Whether ledgers are written by the user's serialiser.
    """

    config: TracingConfig
    put: Callable[[Span], None]
    executor: str = ""
    version: str = ""
    resource: Mapping[str, AttributeValue] = field(default_factory=dict)
    provider: trace.TracerProvider | None = None
    metrics: Metrics | None = None
    protects: bool = False


class Attempt:
    """One attempt of a step, from the call of its function until that returns or raises.

    Args:
        process: What it shares with others.
        execution: The execution of the workflow it belongs to.
        function_id: Number of the step.
        step: Name of the step.
        number: Number of the attempt, from 1.
    """

    def __init__(self, process: AttemptProcess, execution: Execution, function_id: int, step: str, number: int) -> None:
        self.execution = execution
        self.function_id = function_id
        self.number = number
        self._process = process
        self._step = step
        self._started_us = time.time_ns() // NS_PER_US
        self._begun = time.monotonic_ns()
        self._duration = 0
        self._cut = 0
        self._size = 0
        self._failure: Failure | None = None
        self.span_id = attempt_span_id(execution.run.run_id, str(function_id), number, self._started_us)
        self._counts = _counts(process.metrics, execution.run, step)
        self._recorder = Recorder(
            process.config.inside(),
            execution.run,
            str(function_id),
            self.span_id,
            process.provider,
            metrics=self._counts,
        )

    @property
    def workflow_id(self) -> str:
        """Workflow ID."""
        return self.execution.run.workflow_id

    @property
    def protects(self) -> bool:
        """Whether its ledger is written by the user's serialiser."""
        return self._process.protects

    def context(self) -> Context:
        """The current context with the attempt as parent span and recorder of what happens inside."""
        return self._recorder.attach(in_span(self.execution.run, self.span_id))

    def as_begun(self) -> Span:
        """Its span as far as it is known at its beginning: open."""
        return recorded_attempt_span(self._process.config, self.execution.run, self._record(), ended=False)

    def returned(self, given: tuple[Any, ...], result: Any) -> None:
        """Its function has returned."""
        self._stop()
        self._count("completed")
        recorded, _ = self._recorder.spans()
        if any(is_model_call(span.attributes) for span in recorded):  # type: ignore[arg-type] # lists are not read
            return
        start = self._started_us * NS_PER_US
        for call in recognised_calls(
            self._step,
            attempt_span_id=self.span_id,
            start=start,
            end=start + self._duration,
            given=lambda: [json_payload(value) for value in given],
            result=[json_payload(result, longest=MAX_BYTES)],
            prices=self._process.config.prices,
        ):
            self._recorder.add(call)
            span = inner_span(self._process.config, self.execution.run, self._ledger(), call, self.span_id)
            if span is not None and self.execution.run.sampled:
                self._process.put(span)

    def raised(self, error: BaseException) -> None:
        """Its function has raised."""
        self._stop()
        if isinstance(error, asyncio.CancelledError):
            self._count("canceled")
        elif isinstance(error, Exception):  # anything else is no outcome: DBOS's own, or the end of the process
            self._count("failed", type(error).__name__)
        config = self._process.config
        message = ""
        if config.capture_content:
            with fail_open("the message of an exception"):  # which the user's code makes
                # It is written as well: redacted, as everything is that leaves the process.
                message = config.content(c.EXCEPTION_MESSAGE, str(error))
        self._failure = Failure(kind="application", type=type(error).__name__, message=message)

    @property
    def recorded_nothing(self) -> bool:
        """Whether it is one of the most: the first, without failure, and nothing happened inside that we know of."""
        return self.number == 1 and self._failure is None and self._recorder.empty

    def entry(self) -> dict[str, Any] | None:
        """What is to be written beside the step; None where nothing is."""
        config = self._process.config
        if not config.ledger or (self.recorded_nothing and (self.execution.vouched or not self._recorder.records)):
            return None
        data, self._cut = fit_ledger(self._ledger(), config.max_ledger_bytes)
        if data is None:
            return None
        self._size = len(data)
        return entry_of(self._record(), data)

    def close(self, *, written: bool) -> bool:
        """Let its span go.

        Args:
            written: Whether its entry was written.

        Returns:
            False where it recorded nothing and wrote nothing: its span is made of the step's row, as by the exporter.
        """
        if self.recorded_nothing and not written:
            return False
        if written:
            self._recorder.stored(self._size)
            self.execution.vouched |= self._recorder.records
        if self.execution.run.sampled:
            run = self.execution.run
            self._process.put(recorded_attempt_span(self._process.config, run, self._record(), cut=self._cut))
        return True

    def _count(self, outcome: str, error: str | None = None) -> None:
        if self._counts is not None:
            self._counts.ended(outcome, seconds=self._duration / NS_PER_S, error=error)

    def _stop(self) -> None:
        self._duration = max(0, time.monotonic_ns() - self._begun)

    def _record(self) -> RecordedAttempt:
        execution = self.execution
        # Where nobody sees what happens inside, it must not say of others that nothing did.
        number = execution.number if self._recorder.records else 0
        return RecordedAttempt(self._step, self._ledger(), self._failure, number, execution.since)

    def _ledger(self) -> Ledger:
        spans, left_out = self._recorder.spans()
        process = self._process
        return Ledger(
            run=self.execution.run.run_id,
            activity=str(self.function_id),
            attempt=self.number,
            started=self._started_us,
            duration=self._duration,
            identity=process.executor,
            build=process.version,
            resource={key: str(value) for key, value in process.resource.items()},
            spans=spans,
            cut=left_out,
            rest=self._recorder.rest(),
        )


def _counts(metrics: Metrics | None, run: DbosRun, step: str) -> AttemptMetrics | None:
    """What counts inside an attempt; None where nobody records metrics."""
    if metrics is None or not metrics.are_recorded:
        return None
    return AttemptMetrics(metrics, {c.ENGINE: c.ENGINE_DBOS, c.WORKFLOW_TYPE: run.workflow_type, c.ACTIVITY_TYPE: step})

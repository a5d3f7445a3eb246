"""What is counted of attempts of activities, and of what ends inside them?"""

from __future__ import annotations

import time
from typing import Any, Final

import temporalio.activity
import temporalio.exceptions
import temporalio.worker
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from tracing import conventions as c
from tracing.failures import error_type
from tracing.ledger import LedgerSpan
from tracing.live.failopen import fail_open
from tracing.live.metrics.instruments import Metrics
from tracing.runs import Attributes
from tracing.spans.model import NS_PER_S
from tracing.usage import is_model_call, usage_of_call

_PLACE: Final = otel_context.create_key("durable-trace-metrics")


class AttemptMetrics:
    """What is counted inside one attempt.

    Args:
        metrics: The instruments.
        place: Namespace, workflow type, activity type and task queue.
    """

    def __init__(self, metrics: Metrics, place: Attributes) -> None:
        self._metrics = metrics
        self._place = place
        self._spent: list[tuple[float, Attributes]] = []

    def attach(self, context: Context | None = None) -> Context:
        """A context in which this is what counts."""
        return otel_context.set_value(_PLACE, self, context)

    def started(self, queue_seconds: float) -> None:
        """The attempt has begun, after it was ready for a worker for so long."""
        with fail_open("the metrics of an attempt"):
            self._metrics.record(c.ATTEMPT_QUEUE_TIME, max(0.0, queue_seconds), self._place)

    def ended(self, outcome: str, *, seconds: float = 0.0, error: str | None = None) -> None:
        """The attempt has ended.

        Args:
            outcome: completed, failed or canceled.
            seconds: How long it took.
            error: The type of the error that it failed with.
        """
        with fail_open("the metrics of an attempt"):
            told = self._place | {c.METRIC_OUTCOME: outcome} | ({c.ERROR_TYPE: error} if error else {})
            self._metrics.add(c.ATTEMPTS_MADE, 1, told)
            self._metrics.record(c.ATTEMPT_DURATION, seconds, told)
            if outcome != "completed":
                for cost, known in self._spent:
                    self._metrics.add(c.FAILED_COST, cost, known)

    def ledger(self, size: int) -> None:
        """The attempt's ledger has been written."""
        with fail_open("the metrics of a ledger"):
            self._metrics.record(c.LEDGER_SIZE, size, self._place)

    def inner(self, span: LedgerSpan) -> None:
        """A span has ended inside."""
        with fail_open("the metrics of an inner span"):
            attributes: Any = span.attributes
            if is_model_call(attributes):
                self._model_call(span, attributes)
            elif span.scope == c.SCOPE_NAME:
                self._declared(span, attributes)

    def _model_call(self, span: LedgerSpan, attributes: Attributes) -> None:
        usage = usage_of_call(attributes)
        known = attributes | self._place
        self._metrics.add(c.CALLS_MADE, 1, known)
        self._metrics.add(c.SPENT, float(usage.cost), known)
        self._spent.append((float(usage.cost), known))
        self._metrics.add(c.UNKNOWN_COST, usage.unknown_cost_calls, known)
        self._metrics.add(c.RETRIES, usage.client_retries, known)
        for kind, key in _TOKENS:
            tokens = attributes.get(key)
            if isinstance(tokens, int) and tokens >= 0:
                self._metrics.add(c.TOKENS_USED, tokens, known | {c.TOKEN_TYPE: kind})
                if span.scope == c.SCOPE_NAME:  # else its instrumentation records it by itself, as what follows
                    self._metrics.record(c.TOKEN_USAGE, tokens, known | {c.TOKEN_TYPE: kind})
        if span.scope != c.SCOPE_NAME:
            return
        self._metrics.record(c.OPERATION_DURATION, _seconds(span), attributes)
        wait = attributes.get(c.TIME_TO_FIRST_CHUNK)
        if isinstance(wait, (int, float)):
            self._metrics.record(c.FIRST_CHUNK, wait, attributes)

    def _declared(self, span: LedgerSpan, attributes: Attributes) -> None:
        operation = attributes.get(c.OPERATION)
        name = {"execute_tool": c.TOOL_DURATION, "invoke_agent": c.AGENT_DURATION}.get(str(operation))
        if name is not None:
            self._metrics.record(name, _seconds(span), attributes)


_TOKENS: Final = (("input", c.USAGE_INPUT), ("output", c.USAGE_OUTPUT))


def current_metrics() -> AttemptMetrics | None:
    """What counts in the attempt around this code; None where nothing does."""
    found = otel_context.get_value(_PLACE)
    return found if isinstance(found, AttemptMetrics) else None


class MetricsInterceptor(temporalio.worker.Interceptor):
    """Counts attempts, and lets what happens inside them be counted. It stands outside of the interceptor that traces.

    Args:
        metrics: The instruments.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def intercept_activity(
        self,
        next: temporalio.worker.ActivityInboundInterceptor,  # noqa: A002 - the SDK's name
    ) -> temporalio.worker.ActivityInboundInterceptor:
        """See the SDK."""
        return _Inbound(next, self._metrics)


class _Inbound(temporalio.worker.ActivityInboundInterceptor):
    def __init__(self, next: temporalio.worker.ActivityInboundInterceptor, metrics: Metrics) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._metrics = metrics

    async def execute_activity(self, input: temporalio.worker.ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        if not self._metrics.are_recorded:  # an agent without a meter provider pays nothing
            return await self.next.execute_activity(input)
        attempt = AttemptMetrics(self._metrics, _place())
        begun = time.monotonic()
        _started(attempt)
        token = otel_context.attach(attempt.attach())
        try:
            result = await self.next.execute_activity(input)
        except BaseException as error:
            if (outcome := _outcome_of(error)) is not None:
                told = _error_type(error) if outcome == "failed" else None
                attempt.ended(outcome, seconds=time.monotonic() - begun, error=told)
            raise
        finally:
            otel_context.detach(token)
        attempt.ended("completed", seconds=time.monotonic() - begun)
        return result


def _place() -> Attributes:
    place: Attributes = {}
    with fail_open("the metrics of an attempt"):
        info = temporalio.activity.info()
        place = {c.NAMESPACE: info.namespace, c.ACTIVITY_TYPE: info.activity_type, c.TASK_QUEUE: info.task_queue}
        if info.workflow_type:
            place[c.WORKFLOW_TYPE] = info.workflow_type
    return place


def _started(attempt: AttemptMetrics) -> None:
    with fail_open("the metrics of an attempt"):
        info = temporalio.activity.info()
        if not info.is_local:  # which no server puts into a queue
            scheduled = info.scheduled_time if info.attempt == 1 else info.current_attempt_scheduled_time
            attempt.started((info.started_time - scheduled).total_seconds())


def _outcome_of(error: BaseException) -> str | None:
    if temporalio.exceptions.is_cancelled_exception(error):
        return "canceled"
    # Anything else is no outcome: an activity that is completed later, or an interpreter that is going down.
    return "failed" if isinstance(error, Exception) else None


def _error_type(error: BaseException) -> str:
    """As the failure that the SDK makes of it is named, on the attempt's span as well."""
    if isinstance(error, temporalio.exceptions.ApplicationError):
        return error_type("application", error.type or "")
    return type(error).__name__


def _seconds(span: LedgerSpan) -> float:
    return max(0, span.end - span.start) / NS_PER_S

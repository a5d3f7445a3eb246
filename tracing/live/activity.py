"""What does a worker do around each attempt of an activity?"""

from __future__ import annotations

import asyncio
from typing import Any

import temporalio.activity
import temporalio.converter
import temporalio.exceptions
import temporalio.worker
from opentelemetry import context as otel_context
from temporalio.api.failure.v1 import Failure as FailureProto

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import read_header
from tracing.identity import run_trace_id
from tracing.live.attempt import Attempt
from tracing.live.emitter import Emitter
from tracing.live.failopen import fail_open
from tracing.live.outbox import Outbox
from tracing.live.recorder import prepare_provider


class WorkerInterceptor(temporalio.worker.Interceptor):
    """Gives attempts a span, a context for what happens inside, and a ledger.

    Args:
        config: Settings.
        emitter: Knows the sampler and the service.
        outbox: Takes the spans.
        worker_identity: Identity of the worker.
        ledgered: Whether the client's data converter takes ledgers along; else the span is let go without one.
    """

    def __init__(
        self, config: TracingConfig, emitter: Emitter, outbox: Outbox, worker_identity: str, *, ledgered: bool
    ) -> None:
        self.config = config
        self.emitter = emitter
        self.outbox = outbox
        self.worker_identity = worker_identity
        self.ledgered = ledgered

    def intercept_activity(
        self,
        next: temporalio.worker.ActivityInboundInterceptor,  # noqa: A002 - the SDK's name
    ) -> temporalio.worker.ActivityInboundInterceptor:
        """See the SDK."""
        return _ActivityInbound(next, self)


class _ActivityInbound(temporalio.worker.ActivityInboundInterceptor):
    def __init__(self, next: temporalio.worker.ActivityInboundInterceptor, worker: WorkerInterceptor) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._worker = worker

    async def execute_activity(self, input: temporalio.worker.ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """Run the activity inside its attempt's context."""
        attempt: Attempt | None = None
        with fail_open("the start of an attempt"):
            attempt = self._begin(input)
        if attempt is None:
            return await self.next.execute_activity(input)
        token = otel_context.attach(attempt.context())
        error: BaseException | None = None
        try:
            return await self.next.execute_activity(input)
        except BaseException as raised:
            error = raised
            raise
        finally:
            otel_context.detach(token)
            attempt.finish()
            if not self._worker.ledgered:
                with fail_open("the end of an attempt"):
                    _close(attempt, error)

    def _begin(self, input: temporalio.worker.ExecuteActivityInput) -> Attempt | None:  # noqa: A002 - the SDK's name
        info = temporalio.activity.info()
        if info.is_local or info.workflow_run_id is None:
            return None
        worker = self._worker
        prepare_provider(worker.emitter.provider)
        header = read_header(input.headers)
        sampled = True
        if header is None or header.parent is None:
            name = c.run_workflow(info.workflow_type or "")
            sampled = worker.emitter.samples(run_trace_id(info.workflow_run_id), name)
        return Attempt(
            worker.config,
            info,
            header,
            worker_identity=worker.worker_identity,
            resource=worker.emitter.resource(),
            sampled=sampled,
            put=worker.outbox.put,
            provider=worker.emitter.provider,
        )


def _close(attempt: Attempt, error: BaseException | None) -> None:
    """Let the attempt's span go where no data converter of ours sees the outcome."""
    if error is None:
        attempt.close(None)
    elif isinstance(error, asyncio.CancelledError):
        _close_failed(attempt, temporalio.exceptions.CancelledError("Cancelled"))
    elif isinstance(error, Exception):
        _close_failed(attempt, error)
    # Anything else is no outcome: an activity that is completed later, or an interpreter that is going down.


def _close_failed(attempt: Attempt, error: Exception) -> None:
    converter = temporalio.converter.DataConverter.default
    failure = FailureProto()
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    attempt.close(failure)

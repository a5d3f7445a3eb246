"""What does a worker do around each attempt of an activity?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import temporalio.activity
import temporalio.converter
import temporalio.exceptions
import temporalio.worker
from opentelemetry import context as otel_context
from temporalio.api.failure.v1 import Failure as FailureProto
from temporalio.api.failure.v1 import TimeoutFailureInfo

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import TraceHeader, read_header
from tracing.live.attempts.async_completion import CANCELED, completes_later, open_attempts
from tracing.live.attempts.attempt import Attempt, AttemptWorker
from tracing.live.attempts.kept_context import keep_context
from tracing.live.attempts.place import own_trace_id, place_attempt
from tracing.live.attempts.process_pool import pooled_executor
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.outbox import Outbox
from tracing.live.failopen import fail_open
from tracing.live.nexus import NexusOperationInbound
from tracing.spans.hook import with_added
from tracing.spans.model import Span


class WorkerInterceptor(temporalio.worker.Interceptor):
    """Gives attempts a span, a context for what happens inside, and a ledger.

    Args:
        config: Settings.
        emitter: Knows the sampler and the service.
        outbox: Takes the spans.
        worker_identity: Identity of the worker.
        build_id: Its build ID, or "".
        ledgered: Whether the client's data converter takes ledgers along; else the span is let go without one.
        converter: The client's data converter, which says how its failures look in the history.
    """

    def __init__(
        self,
        config: TracingConfig,
        emitter: Emitter,
        outbox: Outbox,
        worker_identity: str,
        *,
        build_id: str = "",
        ledgered: bool,
        converter: temporalio.converter.DataConverter = temporalio.converter.DataConverter.default,
    ) -> None:
        self.config = config
        self.emitter = emitter
        self.outbox = outbox
        self.worker_identity = worker_identity
        self.build_id = build_id
        self.ledgered = ledgered
        self.converter = converter
        self._shared: AttemptWorker | None = None

    def intercept_activity(
        self,
        next: temporalio.worker.ActivityInboundInterceptor,  # noqa: A002 - the SDK's name
    ) -> temporalio.worker.ActivityInboundInterceptor:
        """See the SDK."""
        return _ActivityInbound(next, self)

    def intercept_nexus_operation(
        self,
        next: temporalio.worker.NexusOperationInboundInterceptor,  # noqa: A002 - the SDK's name
    ) -> temporalio.worker.NexusOperationInboundInterceptor:
        """See the SDK."""
        return NexusOperationInbound(next, self.config, self.emitter)

    def begin(self, input: temporalio.worker.ExecuteActivityInput) -> Attempt | None:  # noqa: A002 - the SDK's name
        """An attempt begins: of an activity, a local activity or a standalone one."""
        info = temporalio.activity.info()
        header = read_header(input.headers)
        worker = self._attempts_worker()
        place = place_attempt(self.config, info, header, resource=worker.resource, sampled=self._samples(info, header))
        attempt = Attempt(worker, place, header.ledger_left if header else None)
        if place.run.sampled:
            with fail_open("the spool"):
                self.emitter.started(attempt.as_begun)
        if not info.is_local:
            # From the start: a client may be quicker than the code that hands over to it.
            open_attempts.add(info.task_token, attempt)
        return attempt

    def _attempts_worker(self) -> AttemptWorker:
        provider, resource = self.emitter.provider, self.emitter.resource()
        worker = self._shared
        # An application may set its provider after its worker has begun.
        if worker is None or worker.provider is not provider or worker.resource is not resource:
            prepare_provider(provider)
            worker = self._shared = AttemptWorker(
                self.config,
                self.put,
                identity=self.worker_identity,
                build_id=self.build_id,
                resource=resource,
                provider=provider,
            )
        return worker

    def put(self, span: Span) -> None:
        """Send the span of an attempt; where there is a spool, it is there before this returns."""
        span = with_added(self.config, span)
        with fail_open("the spool"):
            self.emitter.keep(span)
        self.outbox.put(span)

    def _samples(self, info: temporalio.activity.Info, header: TraceHeader | None) -> bool:
        """The sampling decision where the header carries none."""
        if header is not None and header.parent is not None:
            return True
        if header is not None and header.sampled is not None:
            return header.sampled
        config, workflow_type = self.config, info.workflow_type
        if not config.traces_activity(info.activity_type):
            return False
        if workflow_type is not None and not config.traces_workflow(workflow_type):
            return False
        name = c.run_activity(info.activity_type) if workflow_type is None else c.run_workflow(workflow_type)
        return self.emitter.samples(own_trace_id(info), name)


class _ActivityInbound(temporalio.worker.ActivityInboundInterceptor):
    def __init__(self, next: temporalio.worker.ActivityInboundInterceptor, worker: WorkerInterceptor) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._worker = worker
        self._attempt: Attempt | None = None

    def init(self, outbound: temporalio.worker.ActivityOutboundInterceptor) -> None:
        """Count heartbeats on their way out."""
        super().init(_ActivityOutbound(outbound, self._count_heartbeat))

    async def execute_activity(self, input: temporalio.worker.ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """Run the activity inside its attempt's context."""
        attempt: Attempt | None = None
        with fail_open("the start of an attempt"):
            attempt = self._worker.begin(input)
        if attempt is None:
            return await self.next.execute_activity(input)
        self._attempt = attempt
        attempt.given = input.args
        with fail_open("an activity in another process"):
            input.executor = pooled_executor(input.executor, attempt)
        token = otel_context.attach(attempt.context())
        with fail_open("the context of an activity"):
            keep_context(input, self.next, attempt.context)
        error: BaseException | None = None
        try:
            return await self.next.execute_activity(input)
        except BaseException as raised:
            error = raised
            raise
        finally:
            otel_context.detach(token)
            with fail_open("the end of an attempt"):
                self._end(attempt, error)

    def _end(self, attempt: Attempt, error: BaseException | None) -> None:
        if completes_later(error):
            # Perhaps in another process: should this one die, the attempt need not have ended with it.
            self._worker.emitter.dismiss(attempt.place.run.trace_id, attempt.place.span_id)
            return
        open_attempts.take(temporalio.activity.info().task_token)
        seen = _as_the_server_sees_it(error)
        if seen is not None:
            attempt.override(seen)
        attempt.finish()
        if not self._worker.ledgered:
            _close(attempt, error, self._worker.converter)

    def _count_heartbeat(self) -> None:
        if self._attempt is not None:
            self._attempt.heartbeats += 1


class _ActivityOutbound(temporalio.worker.ActivityOutboundInterceptor):
    def __init__(
        self,
        next: temporalio.worker.ActivityOutboundInterceptor,  # noqa: A002 - the SDK's name
        count_heartbeat: Callable[[], None],
    ) -> None:
        super().__init__(next)
        self._count_heartbeat = count_heartbeat

    def heartbeat(self, *details: Any) -> None:
        """See the SDK."""
        self._count_heartbeat()
        super().heartbeat(*details)


def _as_the_server_sees_it(error: BaseException | None) -> FailureProto | None:
    """How an attempt ended that was told to stop; None where it ended as its code did."""
    details = temporalio.activity.cancellation_details()
    if details is None or details.paused or details.reset:
        return None
    if details.timed_out:
        # Whatever the code made of it: it came too late.
        return FailureProto(message="activity timed out", timeout_failure_info=TimeoutFailureInfo())
    if isinstance(error, (asyncio.CancelledError, temporalio.exceptions.CancelledError)):
        # The SDK makes an error of it where nobody asked to cancel: where the server knows no more of the attempt.
        return CANCELED
    return None


def _close(attempt: Attempt, error: BaseException | None, converter: temporalio.converter.DataConverter) -> None:
    """Let the attempt's span go where no data converter of ours sees the outcome."""
    if error is None:
        attempt.close(None)
    elif isinstance(error, asyncio.CancelledError):
        attempt.close(CANCELED)
    elif isinstance(error, Exception):
        _close_failed(attempt, error, converter)
    # Anything else is no outcome: an interpreter that is going down.


def _close_failed(attempt: Attempt, error: Exception, converter: temporalio.converter.DataConverter) -> None:
    failure = FailureProto()
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    attempt.close(failure)

"""What does a worker do around its Nexus operation handlers?

Each start and each cancellation that a handler works on is a span, the current one inside, so that a run which the
handler starts goes on in its trace. Nexus operations may be called from elsewhere, another namespace or another tool:
the request's headers say which span called. Live only: no history has an event of a handler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import nexusrpc.handler
import temporalio.nexus
import temporalio.worker
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import MAX_BYTES, SpanReference
from tracing.live.delivery.emitter import Emitter
from tracing.live.failopen import fail_open
from tracing.live.model_calls.scoped import scoped_span
from tracing.runs import Attributes


class NexusOperationInbound(temporalio.worker.NexusOperationInboundInterceptor):
    """Gives handlers a span.

    Args:
        next: The next interceptor.
        config: Settings.
        emitter: Knows the tracer provider.
    """

    def __init__(
        self,
        next: temporalio.worker.NexusOperationInboundInterceptor,  # noqa: A002 - the SDK's name
        config: TracingConfig,
        emitter: Emitter,
    ) -> None:
        super().__init__(next)
        self._config = config
        self._emitter = emitter

    async def execute_nexus_operation_start(
        self,
        input: temporalio.worker.ExecuteNexusOperationStartInput,  # noqa: A002 - the SDK's name
    ) -> nexusrpc.handler.StartOperationResultSync[Any] | nexusrpc.handler.StartOperationResultAsync:
        """Start an operation."""
        name = c.run_start_nexus_operation_handler(input.ctx.service, input.ctx.operation)
        with self._handling(name, input.ctx):
            return await self.next.execute_nexus_operation_start(input)

    async def execute_nexus_operation_cancel(
        self,
        input: temporalio.worker.ExecuteNexusOperationCancelInput,  # noqa: A002 - the SDK's name
    ) -> None:
        """Cancel an operation."""
        name = c.run_cancel_nexus_operation_handler(input.ctx.service, input.ctx.operation)
        with self._handling(name, input.ctx):
            await self.next.execute_nexus_operation_cancel(input)

    @contextmanager
    def _handling(self, name: str, request: nexusrpc.handler.OperationContext) -> Iterator[None]:
        caller: trace.Span = trace.INVALID_SPAN
        with fail_open("the headers of a Nexus request"):
            caller = calling_span(request.headers)
        attributes: Attributes = {c.OPENINFERENCE_KIND: "CHAIN"}
        with fail_open("the facts of a Nexus request"):
            attributes |= {c.NEXUS_SERVICE: request.service, c.NEXUS_OPERATION: request.operation}
            if temporalio.nexus.in_operation():
                info = temporalio.nexus.info()
                # Older servers do not tell the endpoint.
                of_worker = {
                    c.NEXUS_ENDPOINT: info.endpoint,
                    c.NAMESPACE: info.namespace,
                    c.TASK_QUEUE: info.task_queue,
                }
                attributes |= {key: value for key, value in of_worker.items() if value}
        config = self._config.inside()
        # Also where nobody called: the trace begins here, whatever span the worker itself was started under.
        token = otel_context.attach(trace.set_span_in_context(caller))
        try:
            with scoped_span(
                self._emitter.provider,
                name,
                SpanKind.SERVER,
                attributes,
                content=config.capture_content,
                text=lambda text: config.content(c.EXCEPTION_MESSAGE, text),
            ):
                yield
        finally:
            otel_context.detach(token)


def calling_span(headers: Mapping[str, str]) -> trace.Span:
    """The span that called: by our header, else by W3C Trace Context's; the invalid span where neither names one."""
    lowered = {name.lower(): value for name, value in headers.items() if len(value) <= MAX_BYTES}
    ours = SpanReference.parse(lowered.get(c.HEADER, ""))
    if ours is not None:
        flags = TraceFlags(TraceFlags.SAMPLED if ours.sampled else TraceFlags.DEFAULT)
        return NonRecordingSpan(SpanContext(ours.trace_id, ours.span_id, is_remote=True, trace_flags=flags))
    # On top of an empty context, or the span around this code would be found where there is no header.
    return trace.get_current_span(TraceContextTextMapPropagator().extract(lowered, otel_context.Context()))

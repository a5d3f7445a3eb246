"""Which span is the current one in workflow code? The run's own.

What users and libraries trace, count and log in workflow code then belongs to the run's trace, below the run's span;
the SDK's replay-safe providers see to it that a replay repeats none of it. The context is attached around each
activation, and asyncio hands it on to all that starts inside. Nothing here does any I/O, which the sandbox forbids.
Steps are not concerned: their parents follow from activations and commands (see ``tracker``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cached_property
from typing import Any, Final

import temporalio.worker
import temporalio.workflow
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from tracing.config import TracingConfig
from tracing.identity import run_trace_id
from tracing.live.workflows.asking import AskingInterceptor
from tracing.runs import Run
from tracing.spans.model import Span

_KEY: Final = otel_context.create_key("durable-trace-run")


@dataclasses.dataclass(frozen=True, eq=False)
class WorkflowCode:
    """The workflow code of one run.

    Attributes:
        run: The run.
        config: Settings.
        add: Takes what makes a span; it is made, and held until its workflow task is committed, of what happens now.
        asked: Gives the steps that a piece of a library's work asked for, by the library's ID of it: types by span ID.
    """

    run: Run
    config: TracingConfig
    add: Callable[[Callable[[], Span]], None] = lambda _: None
    asked: Callable[[str], Mapping[int, str]] = lambda _: {}

    @cached_property
    def span(self) -> trace.SpanContext:
        """The run's span."""
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if self.run.sampled else trace.TraceFlags.DEFAULT)
        return trace.SpanContext(self.run.trace_id, self.run.span_id, is_remote=False, trace_flags=flags)


_activated: ContextVar[WorkflowCode | None] = ContextVar("durable_trace_activated_code", default=None)


def current_workflow_code(context: Context | None = None) -> WorkflowCode | None:
    """The workflow code that this is, or that a context is of."""
    code = otel_context.get_value(_KEY, context)
    return code if isinstance(code, WorkflowCode) else None


@contextmanager
def activated(code: WorkflowCode) -> Iterator[None]:
    """Let an activation, and all that it starts, run below the run's span."""
    activation = _activated.set(code)
    token = otel_context.attach(_below(code, Context()))
    try:
        yield
    finally:
        otel_context.detach(token)
        _activated.reset(activation)


def with_workflow_context(
    details: temporalio.worker.WorkflowInstanceDetails,
) -> temporalio.worker.WorkflowInstanceDetails:
    """Details of a workflow instance with our interceptor innermost, whatever other plugins add, and when."""
    return dataclasses.replace(details, interceptor_classes=[*details.interceptor_classes, WorkflowContextInterceptor])


class WorkflowContextInterceptor(temporalio.worker.WorkflowInboundInterceptor):
    """Puts the run's span back where another interceptor has put another context in its place.

    Temporal's own OpenTelemetry interceptors attach what their header says, or nothing at all. A context that was
    derived from ours, such as that of a span which an interceptor made, stays.
    """

    def init(self, outbound: temporalio.worker.WorkflowOutboundInterceptor) -> None:
        """See the SDK."""
        super().init(AskingInterceptor(outbound))

    async def execute_workflow(self, input: temporalio.worker.ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """See the SDK."""
        with self._kept():
            return await super().execute_workflow(input)

    async def handle_signal(self, input: temporalio.worker.HandleSignalInput) -> None:  # noqa: A002 - the SDK's name
        """See the SDK."""
        with self._kept():
            await super().handle_signal(input)

    async def handle_query(self, input: temporalio.worker.HandleQueryInput) -> Any:  # noqa: A002 - the SDK's name
        """See the SDK."""
        with self._kept():
            return await super().handle_query(input)

    def handle_update_validator(self, input: temporalio.worker.HandleUpdateInput) -> None:  # noqa: A002 - the SDK's name
        """See the SDK."""
        with self._kept():
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: temporalio.worker.HandleUpdateInput) -> Any:  # noqa: A002 - the SDK's name
        """See the SDK."""
        with self._kept():
            return await super().handle_update_handler(input)

    def _code(self) -> WorkflowCode | None:
        return _activated.get()

    @contextmanager
    def _kept(self) -> Iterator[None]:
        code = self._code()
        if code is None or current_workflow_code() is code:
            yield
            return
        token = otel_context.attach(_below(code, otel_context.get_current()))
        try:
            yield
        finally:
            # A handler of an evicted run is ended by the garbage collector, in a context that the token is not of;
            # OpenTelemetry's own `detach` would log that as an error.
            with suppress(ValueError):
                token.var.reset(token)


class SilentReplayInterceptor(temporalio.worker.Interceptor):
    """For replayers: what workflow code traces there is below the run's span, and not sampled.

    The SDK's replay-safe providers alone are not silent: the last task of a run that is still open, or of a history
    that was cut, does not count as a replay.
    """

    def workflow_interceptor_class(
        self,
        input: temporalio.worker.WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's signature
    ) -> type[temporalio.worker.WorkflowInboundInterceptor]:
        """See the SDK."""
        return _SilentReplay


class _SilentReplay(WorkflowContextInterceptor):
    def _code(self) -> WorkflowCode | None:
        info = temporalio.workflow.info()
        run = Run(
            namespace=info.namespace,
            workflow_id=info.workflow_id,
            run_id=info.run_id,
            workflow_type=info.workflow_type,
            trace_id=run_trace_id(info.run_id),
            sampled=False,
        )
        return WorkflowCode(run, TracingConfig())


def _below(code: WorkflowCode, context: Context) -> Context:
    return otel_context.set_value(_KEY, code, trace.set_span_in_context(trace.NonRecordingSpan(code.span), context))

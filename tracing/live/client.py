"""What does a client add when it starts a run?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import temporalio.client
from opentelemetry import trace
from temporalio.api.common.v1 import Payload

from tracing import conventions as c
from tracing.headers import ClientStart, SpanReference, TraceHeader
from tracing.live.emitter import Emitter
from tracing.live.failopen import fail_open
from tracing.live.scoped import scoped_span
from tracing.live.session import current_session
from tracing.runs import Attributes, Run
from tracing.spans.model import NS_PER_US


class ClientInterceptor(temporalio.client.Interceptor):
    """Adds our header to starts; with an active span also the span ``StartWorkflow:T``."""

    def __init__(self, emitter: Emitter, namespace: str) -> None:
        self._emitter = emitter
        self._namespace = namespace

    def intercept_client(self, next: temporalio.client.OutboundInterceptor) -> temporalio.client.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """See the SDK."""
        return _ClientOutbound(next, self._emitter, self._namespace)


class _ClientOutbound(temporalio.client.OutboundInterceptor):
    def __init__(self, next: temporalio.client.OutboundInterceptor, emitter: Emitter, namespace: str) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._emitter = emitter
        self._namespace = namespace

    async def start_workflow(
        self,
        input: temporalio.client.StartWorkflowInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.WorkflowHandle[Any, Any]:
        """Start a run, with a signal or without; under an active span within a span of its own."""
        with self._starting(input) as span:
            handle = await super().start_workflow(input)
            if handle.first_execution_run_id:
                span.set_attribute(c.RUN_ID, handle.first_execution_run_id)
            return handle

    async def start_update_with_start_workflow(
        self,
        input: temporalio.client.StartWorkflowUpdateWithStartInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.WorkflowUpdateHandle[Any]:
        """Update a run, which may have to be started for it."""
        with self._starting(input.start_workflow_input) as span:
            handle = await super().start_update_with_start_workflow(input)
            if handle.workflow_run_id:
                span.set_attribute(c.RUN_ID, handle.workflow_run_id)
            return handle

    @contextmanager
    def _starting(
        self, start: temporalio.client.StartWorkflowInput | temporalio.client.UpdateWithStartStartWorkflowInput
    ) -> Iterator[trace.Span]:
        """Give a start our header; under an active span also a span of its own, in which the header continues."""
        outer = trace.get_current_span().get_span_context()
        if not outer.is_valid:
            # The run's own span is the root then: a client's span of some ms above it would hide the run's real
            # duration, input and output, which backends take from the root.
            with fail_open("start_workflow"):
                start.headers = with_header(start.headers, session_header())
            yield trace.INVALID_SPAN
            return
        name, attributes = c.start_workflow(start.workflow), self._attributes(start.workflow, start.id)
        with scoped_span(self._emitter.provider, name, trace.SpanKind.CLIENT, attributes) as span:
            with fail_open("start_workflow"):
                start.headers = with_header(start.headers, session_header(span, outer.span_id))
            yield span

    def _attributes(self, workflow_type: str, workflow_id: str) -> Attributes:
        """What the spans of the run to come repeat, but its run ID, which the server has not given yet."""
        current = current_session()
        run = Run(
            namespace=self._namespace,
            workflow_id=workflow_id,
            run_id="",
            workflow_type=workflow_type,
            trace_id=0,
            session_id=current.id or "",
            user_id=current.user or "",
            tags=current.tags,
        )
        attributes = {**run.common_attributes(), c.OPENINFERENCE_KIND: "CHAIN"}
        del attributes[c.RUN_ID]
        return attributes


def session_header(span: trace.Span | None = None, outer_span_id: int = 0) -> TraceHeader:
    """Our header for a start, with the session around the call and, under a span, where the trace goes on."""
    session = current_session()
    traceparent, start = None, None
    if span is not None and span.get_span_context().is_valid:
        context = span.get_span_context()
        traceparent = str(SpanReference(context.trace_id, context.span_id, context.trace_flags.sampled))
        started = getattr(span, "start_time", None)  # a span that is not recorded has none
        if isinstance(started, int):
            start = ClientStart(started // NS_PER_US, f"{outer_span_id:016x}")
    return TraceHeader(traceparent=traceparent, session=session.id, user=session.user, tags=session.tags, start=start)


def with_header(headers: Any, header: TraceHeader) -> dict[str, Payload]:
    """Temporal header fields with ours added."""
    return {**headers, c.HEADER: header_payload(header)}


def header_payload(header: TraceHeader) -> Payload:
    """Our header as a payload that every SDK's default converter can read."""
    return Payload(metadata={"encoding": b"json/plain"}, data=header.encode())

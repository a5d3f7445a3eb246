"""The span of a run: ``RunWorkflow:T``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.payloads import PayloadMessage
from tracing.runs import Attributes, Run
from tracing.spans.content import error, input_output
from tracing.spans.langfuse import langfuse_trace
from tracing.spans.model import Event, Link, Span, SpanKind, not_before, truncate_us
from tracing.spans.streams import StreamTraffic
from tracing.usage import NO_USAGE, Usage

RunStatus = Literal["running", "completed", "failed", "canceled", "terminated", "timed_out", "continued_as_new"]


def run_span(
    config: TracingConfig,
    run: Run,
    *,
    start: int,
    end: int | None,
    status: RunStatus,
    task_queue: str,
    attempt: int,
    given: Sequence[PayloadMessage],
    result: Sequence[PayloadMessage] | None = None,
    failure: Failure | None = None,
    usage: Usage = NO_USAGE,
    history_length: int = 0,
    worker_identity: str = "",
    build_id: str = "",
    events: tuple[Event, ...] = (),
    links: tuple[Link, ...] = (),
    traffic: StreamTraffic = StreamTraffic(),  # noqa: B008 - never changed here
) -> Span:
    """Build the span of a run.

    Args:
        config: Settings.
        run: The run.
        start: When it was started by the server, in ns since the epoch.
        end: When it closed, in ns; None while it goes on.
        status: How it stands.
        task_queue: Its task queue.
        attempt: Attempt of the workflow, from 1.
        given: Its input.
        result: Its result, or what it passes on to the run that continues it.
        failure: Why it failed.
        usage: Sum over the model calls that its steps' results recorded.
        history_length: Number of events before its last workflow task was done; 0 is unknown.
        worker_identity: Worker that did the last workflow task.
        build_id: Build ID of that worker, or "".
        events: Signals, failed workflow tasks and the like.
        traffic: What its stream carried.
        links: To the run it continues, the base run of a reset, another tool's trace.
    """
    start = truncate_us(start)
    attributes: Attributes = {
        **run.common_attributes(),
        c.TASK_QUEUE: task_queue,
        c.ATTEMPT: attempt,
        c.RUN_STATUS: status,
        c.OPENINFERENCE_KIND: "CHAIN",
        **langfuse_trace(run),
        **input_output(config, given, result),
        **usage.attributes(),
        **traffic.attributes(),
    }
    if history_length:
        attributes[c.HISTORY_LENGTH] = history_length
    if worker_identity:
        attributes[c.WORKER_IDENTITY] = worker_identity
    if build_id:
        attributes[c.BUILD_ID] = build_id
    if run.start is not None:
        attributes[c.CLIENT_START_CALL] = run.start.call
        attributes[c.CLIENT_START_TIME] = run.start.time_us
        attributes[c.CLIENT_START_PARENT] = run.start.parent
    end = None if end is None else not_before(start, end)
    code, message, error_attributes, exceptions = error(config, failure, end if end is not None else start)
    return Span(
        trace_id=run.trace_id,
        span_id=run.span_id,
        parent_id=run.parent,
        name=c.run_workflow(run.workflow_type),
        kind=SpanKind.SERVER,
        start=start,
        end=end,
        attributes=attributes | error_attributes,
        status=code,
        status_message=message,
        events=events + exceptions,
        links=links,
        resource=run.resource,
    )

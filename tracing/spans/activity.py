"""The spans of an activity: the step (``StartActivity:T``) and each attempt (``RunActivity:T``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.identity import attempt_span_id, step_span_id
from tracing.payloads import PayloadMessage
from tracing.runs import Attributes, AttributeValue, Run
from tracing.spans.content import error, input_output
from tracing.spans.model import NS_PER_S, NS_PER_US, Link, Span, SpanKind, not_before, truncate_us
from tracing.usage import Usage


@dataclass(frozen=True, slots=True)
class Activity:
    """What a workflow asked for, known before any attempt.

    Attributes:
        activity_id: Activity ID.
        activity_type: Activity type.
        task_queue: Task queue.
        max_attempts: Limit of the retry policy; 0 is no limit.
        span_id: Span ID of the step where a header of ours carries it; else None, and it is computed.
        nth: Which use of the activity ID in the run, from 1.
    """

    activity_id: str
    activity_type: str
    task_queue: str
    max_attempts: int = 0
    span_id: int | None = None
    nth: int = 1

    def step_id(self, run: Run) -> int:
        """Span ID of the step."""
        return self.span_id or step_span_id(run.run_id, "activity", self.activity_id, self.nth)

    def attributes(self) -> Attributes:
        """What step and attempts share."""
        return {
            c.ACTIVITY_ID: self.activity_id,
            c.ACTIVITY_TYPE: self.activity_type,
            c.TASK_QUEUE: self.task_queue,
            c.MAX_ATTEMPTS: self.max_attempts,
            c.OPENINFERENCE_KIND: "CHAIN",
        }


def activity_step_span(
    config: TracingConfig,
    run: Run,
    activity: Activity,
    *,
    start: int,
    end: int | None,
    given: Sequence[PayloadMessage],
    result: Sequence[PayloadMessage] | None = None,
    failure: Failure | None = None,
    attempts: int = 0,
    usage: Usage = Usage(),  # noqa: B008 - frozen
    reused: bool = False,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of an activity step, issued until closed.

    Args:
        config: Settings.
        run: The run.
        activity: The activity.
        start: Start of the workflow task that issued it, in ns since the epoch (workflow time, live).
        end: When it closed, in ns; None while open.
        given: Its input.
        result: Its result; None where it failed.
        failure: Its failure, with or without the wrapper that workflow code sees.
        attempts: Attempts it took, where its result's ledger says so; 0 is unknown.
        usage: Model calls of the attempt that closed it, from the ledger of its result.
        reused: Whether its result was taken over from a base run: it then carries no usage.
        links: To the base run's step, where reused.
    """
    start = truncate_us(start)
    end = None if end is None else not_before(start, end)
    code, message, error_attributes, exceptions = error(config, failure, end if end is not None else start)
    attributes: Attributes = {
        **run.common_attributes(),
        **activity.attributes(),
        **input_output(config, given, result),
        **({} if reused else usage.attributes()),
        **error_attributes,
    }
    if attempts:
        attributes[c.ATTEMPTS] = attempts
    if reused:
        attributes[c.REUSED] = True
    if failure is not None and failure.retry_state:
        attributes[c.RETRY_STATE] = failure.retry_state
    return Span(
        trace_id=run.trace_id,
        span_id=activity.step_id(run),
        parent_id=run.span_id,
        name=c.start_activity(activity.activity_type),
        kind=SpanKind.CLIENT,
        start=start,
        end=end,
        attributes=attributes,
        status=code,
        status_message=message,
        events=exceptions,
        links=links,
        resource=run.resource,
    )


def attempt_span(
    config: TracingConfig,
    run: Run,
    activity: Activity,
    *,
    attempt: int,
    started_us: int,
    end: int | None,
    worker_identity: str,
    scheduled_us: int | None = None,
    failure: Failure | None = None,
    usage: Usage = Usage(),  # noqa: B008 - frozen
    ledger_cut: int = 0,
    resource: Mapping[str, AttributeValue] | None = None,
) -> Span:
    """Build the span of one attempt.

    Args:
        config: Settings.
        run: The run.
        activity: The activity.
        attempt: Number of the attempt, from 1.
        started_us: The server's started time, in µs since the epoch.
        end: Its end, in ns: started time plus the duration by the worker's own clock where that is known, so that the
            difference of the two clocks does not show; else the time of the closing event; None while open.
        worker_identity: Worker that ran it.
        scheduled_us: The server's scheduled time, in µs; gives the queue time of first attempts.
        failure: Why it failed.
        usage: Model calls inside.
        ledger_cut: Attributes that its ledger left out.
        resource: Resource attributes of its worker; the run's where None.
    """
    start = started_us * NS_PER_US
    end = None if end is None else not_before(start, end)
    code, message, error_attributes, exceptions = error(config, failure, end if end is not None else start)
    attributes: Attributes = {
        **run.common_attributes(),
        **activity.attributes(),
        c.ATTEMPT: attempt,
        c.WORKER_IDENTITY: worker_identity,
        **usage.attributes(),
        **error_attributes,
    }
    if attempt == 1 and scheduled_us is not None:
        # Later attempts are scheduled by the server's retry timer, whose time history does not keep.
        attributes[c.QUEUE_TIME] = max(0, started_us - scheduled_us) * NS_PER_US / NS_PER_S
    if ledger_cut:
        attributes[c.LEDGER_CUT] = ledger_cut
    return Span(
        trace_id=run.trace_id,
        span_id=attempt_span_id(run.run_id, activity.activity_id, attempt, started_us),
        parent_id=activity.step_id(run),
        name=c.run_activity(activity.activity_type),
        kind=SpanKind.SERVER,
        start=start,
        end=end,
        attributes=attributes,
        status=code,
        status_message=message,
        events=exceptions,
        resource=run.resource if resource is None else resource,
    )

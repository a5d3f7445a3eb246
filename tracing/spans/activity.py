"""The spans of an activity: the step (``StartActivity:T``) and each attempt (``RunActivity:T``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.identity import StepKind, attempt_span_id, step_span_id
from tracing.payloads import PayloadMessage
from tracing.runs import Attributes, AttributeValue, Run, StandaloneRun
from tracing.spans.content import error, input_output, summary_of
from tracing.spans.model import NS_PER_S, NS_PER_US, Link, Span, SpanKind, not_before
from tracing.spans.step import Outcome, step_span
from tracing.usage import NO_USAGE, Usage


class Activity(msgspec.Struct, frozen=True, gc=False):
    """What a workflow asked for, known before any attempt.

    Attributes:
        activity_id: Activity ID.
        activity_type: Activity type.
        task_queue: Task queue.
        max_attempts: Limit of the retry policy; 0 is no limit.
        span_id: Span ID of the step where a header of ours carries it; else None, and it is computed.
        nth: Which use of the activity ID in the run, from 1.
        local: Whether it is a local activity.
    """

    activity_id: str
    activity_type: str
    task_queue: str
    max_attempts: int = 0
    span_id: int | None = None
    nth: int = 1
    local: bool = False

    def step_id(self, run: Run) -> int:
        """Span ID of the step."""
        kind: StepKind = "local_activity" if self.local else "activity"
        return self.span_id or step_span_id(run.run_id, kind, self.activity_id, self.nth)

    def attributes(self) -> Attributes:
        """What step and attempts share."""
        attributes: Attributes = {
            c.ACTIVITY_ID: self.activity_id,
            c.ACTIVITY_TYPE: self.activity_type,
            c.TASK_QUEUE: self.task_queue,
            c.OPENINFERENCE_KIND: "CHAIN",
        }
        if self.local:
            attributes[c.LOCAL] = True  # its retry policy is not in the history
        else:
            attributes[c.MAX_ATTEMPTS] = self.max_attempts
        return attributes


def activity_step_span(
    config: TracingConfig,
    run: Run,
    activity: Activity,
    *,
    start: int,
    outcome: Outcome,
    given: Sequence[PayloadMessage],
    attempts: int = 0,
    usage: Usage = NO_USAGE,
    summary: PayloadMessage | None = None,
    handoff_to: str = "",
    reused: bool = False,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of an activity step, issued until closed.

    Args:
        config: Settings.
        run: The run.
        activity: The activity.
        start: Start of the workflow task that issued it, in ns since the epoch (workflow time, live).
        outcome: How it ended.
        given: Its input.
        attempts: Attempts it took, where its result's ledger says so; 0 is unknown.
        usage: Model calls of the attempt that closed it, from the ledger of its result.
        summary: Summary that the workflow's code gave.
        handoff_to: Agent to which the answer of the model that it called hands over, or "".
        reused: Whether its result was taken over from a base run: it then carries no usage.
        links: To the base run's step, where reused.
    """
    attributes = activity.attributes()
    if config.capture_content:
        attributes |= input_output(config, given, outcome.result)
    if usage.calls and not reused:
        attributes |= usage.attributes()
    if summary is not None:
        attributes |= summary_of(config, summary)
    if attempts:
        attributes[c.ATTEMPTS] = attempts
    if handoff_to:
        attributes[c.HANDOFF_TO] = handoff_to
    if reused:
        attributes[c.REUSED] = True
    if outcome.failure is not None and outcome.failure.retry_state and not activity.local:
        # What Core says of a local activity is not in its marker.
        attributes[c.RETRY_STATE] = outcome.failure.retry_state
    return step_span(
        config,
        run,
        span_id=activity.step_id(run),
        name=c.start_activity(activity.activity_type),
        kind=SpanKind.CLIENT,
        start=start,
        outcome=outcome,
        attributes=attributes,
        links=links,
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
    build_id: str = "",
    scheduled_us: int | None = None,
    failure: Failure | None = None,
    usage: Usage = NO_USAGE,
    heartbeats: int = 0,
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
        build_id: Build ID of that worker, or "".
        scheduled_us: When this attempt was scheduled, in µs, where that is known; gives its queue time. Of a later
            attempt that is not the activity's scheduled time, but when its retry was due: its ledger has that.
        failure: Why it failed.
        usage: Model calls inside.
        heartbeats: How often it heartbeat.
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
    }
    if usage.calls:
        attributes |= usage.attributes()
    attributes |= error_attributes
    if build_id:
        attributes[c.BUILD_ID] = build_id
    if heartbeats:
        attributes[c.HEARTBEATS] = heartbeats
    if scheduled_us is not None and not (activity.local and attempt > 1):
        # Of a local activity that is tried again, its worker is told the time of the first try.
        attributes[c.QUEUE_TIME] = max(0, started_us - scheduled_us) * NS_PER_US / NS_PER_S
    if ledger_cut:
        attributes[c.LEDGER_CUT] = ledger_cut
    # A client that starts a standalone activity without an active span has no span: the attempts are roots then.
    parent_id = activity.span_id if isinstance(run, StandaloneRun) else activity.step_id(run)
    return Span(  # by position: names take longer than the object, and there are thousands
        run.trace_id,
        attempt_span_id(run.run_id, activity.activity_id, attempt, started_us),
        parent_id,
        c.run_activity(activity.activity_type),
        SpanKind.SERVER,
        start,
        end,
        attributes,
        code,
        message,
        exceptions,
        (),
        run.resource if resource is None else resource,
    )

"""Which spans do the events of an activity make? Its step, and through ``attempts`` what happened in it."""

from __future__ import annotations

from tracing import conventions as c
from tracing.history.activities import CANCELED, ActivityEvents
from tracing.history.attempts import attempt_spans, closing_ledger
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.headers import own_step_id
from tracing.history.pending import pending_attributes
from tracing.history.recognised import with_recognised
from tracing.history.runs import RunContext
from tracing.history.step_events import still_open
from tracing.identity import step_span_id
from tracing.recognisers import handed_over_to, possible_handoffs
from tracing.runs import Run
from tracing.spans.activity import Activity, activity_step_span
from tracing.spans.inner import ledger_usage
from tracing.spans.model import Link, Span
from tracing.spans.step import Outcome
from tracing.usage import Usage


def activity_spans(context: RunContext, events: ActivityEvents) -> tuple[list[Span], Usage]:
    """Build the spans of an activity: its step, its attempts and what their ledgers recorded.

    Args:
        context: The run.
        events: The activity's events.

    Returns:
        The spans, the step first, and the usage of the attempt that closed it. Where the activity is excluded, live by
        its worker's settings or here by ours, there are no spans.
    """
    activity = _activity(events, context.run)
    outcome = closing = events.outcome()
    over = _over_when_canceled(context, events) if events.cancel_requested is not None else None
    if over is not None:
        outcome = Outcome(end=over.time, failure=CANCELED)
    reused = context.reset is not None and events.closed is not None and context.reused(events.closed.id)
    ledger = None if reused else closing_ledger(context.run, activity, events, outcome)
    if not reused:
        ledger = with_recognised(context.run, activity, events, outcome, ledger, prices=context.config.prices)
    usage = ledger_usage(ledger, context.config.prices)
    step = activity_step_span(
        context.config,
        context.run,
        activity,
        start=context.tasks.issued_at(events.asked.workflow_task_completed_event_id, events.scheduled),
        outcome=outcome if outcome is not None else still_open(context),
        given=events.asked.input or (),
        attempts=ledger.attempt if ledger is not None else events.last_attempt,
        usage=usage,
        summary=events.scheduled.summary,
        handoff_to=_handoff_to(activity, events, outcome),
        reused=reused,
        links=_base_step(context.base, events) if reused else (),
    )
    if events.pending is not None and over is None:
        step.attributes.update(pending_attributes(context.config, events.pending))
    if ledger is None and closing is not None and closing.is_unread and not reused:
        step.attributes[c.UNDECODED] = 1
    closing_usage = usage
    if over is not None:
        ledger = closing_ledger(context.run, activity, events, closing)
        closing_usage = ledger_usage(ledger, context.config.prices)
    if not _is_traced(context, events, activity):
        return [], usage
    spans = [with_event_ids(step, events.ids)]
    if not reused:
        spans += attempt_spans(context, activity, events, closing, closing=ledger, usage=closing_usage)
    return spans, usage


def _is_traced(context: RunContext, events: ActivityEvents, activity: Activity) -> bool:
    header = events.header
    excluded_live = header is not None and header.sampled is True and not (header.parent and header.parent.sampled)
    return not excluded_live and context.config.traces_activity(activity.activity_type)


def _activity(events: ActivityEvents, run: Run) -> Activity:
    asked, header = events.asked, events.header
    nth = header.nth if header is not None else events.nth
    told = own_step_id(header.parent, run) if header is not None else None
    return Activity(  # by position: names take longer than the object, and there are thousands
        asked.activity_id,
        asked.activity_type.name if asked.activity_type is not None else "",
        asked.task_queue.name if asked.task_queue is not None else "",
        asked.retry_policy.maximum_attempts if asked.retry_policy is not None else 0,
        told or step_span_id(run.run_id, "activity", asked.activity_id, nth),
        nth,
    )


def _handoff_to(activity: Activity, events: ActivityEvents, outcome: Outcome | None) -> str:
    if outcome is None or not outcome.result:
        return ""
    return handed_over_to(possible_handoffs(activity.activity_type, events.asked.input or ()), outcome.result)


def _over_when_canceled(context: RunContext, events: ActivityEvents) -> Event | None:
    """The event with which a cancelled activity was over for the workflow, where it did not wait for its end.

    So it is by default (TRY_CANCEL), and our header says where not. Without a header of ours it is assumed of an
    activity without any end, in a run that the workflow's code ended.
    """
    header = events.header
    if header is None:
        return events.cancel_requested if events.closed is None and context.closing.decided else None
    return events.cancel_requested if header.cancellation is None else None


def _base_step(base: Run | None, events: ActivityEvents) -> tuple[Link, ...]:
    if base is None:
        return ()
    return (Link(base.trace_id, _activity(events, base).step_id(base), {c.RUN_ID: base.run_id}),)

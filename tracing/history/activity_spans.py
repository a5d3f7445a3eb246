"""Which spans do the events of an activity make? Its step, and through ``attempts`` what happened in it."""

from __future__ import annotations

from tracing import conventions as c
from tracing.history.activities import CANCELED, ActivityEvents, Outcome
from tracing.history.attempts import attempt_spans, closing_ledger
from tracing.history.event_ids import with_event_ids
from tracing.history.runs import RunContext, header_of
from tracing.runs import Run
from tracing.spans.activity import Activity, activity_step_span
from tracing.spans.inner import ledger_usage
from tracing.spans.model import Link, Span
from tracing.usage import Usage


def activity_spans(context: RunContext, events: ActivityEvents, *, decided: bool) -> tuple[list[Span], Usage]:
    """Build the spans of an activity: its step, its attempts and what their ledgers recorded.

    Args:
        context: The run.
        events: The activity's events.
        decided: Whether the workflow's code ended the run, so that a step which it had asked to cancel was over for it.

    Returns:
        The spans, the step first, and the usage of the attempt that closed it.
    """
    activity = _activity(events, context.run)
    outcome = closing = events.outcome()
    if outcome is None and decided and events.cancel_requested is not None:
        # TRY_CANCEL, the default: the workflow goes on at once, and no event says how the activity ended.
        outcome = Outcome(end=events.cancel_requested.time, failure=CANCELED)
    reused = events.closed is not None and context.reused(events.closed.id)
    ledger = None if reused else closing_ledger(context.run, activity, events, outcome)
    usage = ledger_usage(ledger)
    step = activity_step_span(
        context.config,
        context.run,
        activity,
        start=context.tasks.issued_at(events.asked.workflow_task_completed_event_id, events.scheduled),
        end=outcome.end if outcome is not None else None,
        given=events.asked.input or (),
        result=outcome.result if outcome is not None else None,
        failure=outcome.failure if outcome is not None else None,
        attempts=ledger.attempt if ledger is not None else events.last_attempt,
        usage=usage,
        reused=reused,
        links=_base_step(context.base, events) if reused else (),
    )
    attempts = [] if reused else attempt_spans(context, activity, events, closing, ledger)
    return [with_event_ids(step, events.ids), *attempts], usage


def _activity(events: ActivityEvents, run: Run) -> Activity:
    asked = events.asked
    header = header_of(asked.header)
    parent = header.parent if header is not None else None
    return Activity(
        activity_id=asked.activity_id,
        activity_type=asked.activity_type.name if asked.activity_type is not None else "",
        task_queue=asked.task_queue.name if asked.task_queue is not None else "",
        max_attempts=asked.retry_policy.maximum_attempts if asked.retry_policy is not None else 0,
        # After a reset, the header is a copy that names the base run's span.
        span_id=parent.span_id if parent is not None and parent.trace_id == run.trace_id else None,
        nth=events.nth,
    )


def _base_step(base: Run | None, events: ActivityEvents) -> tuple[Link, ...]:
    if base is None:
        return ()
    return (Link(base.trace_id, _activity(events, base).step_id(base), {c.RUN_ID: base.run_id}),)

"""Which attempts of an activity does a history know, and what was in them?

Of an activity that closed, the last attempt. Of earlier ones, those whose failure the history kept with a ledger: it
holds the attempt's times. (Of a pending activity, the server tells that failure.) The others have no time in the
history, and no span: nothing is invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from tracing import conventions as c
from tracing.failures import Failure
from tracing.history.activities import ActivityEvents
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.runs import RunContext
from tracing.ledger import Ledger, read_ledger
from tracing.runs import Run
from tracing.spans.activity import Activity, attempt_span
from tracing.spans.inner import inner_span, ledger_usage, resource_of
from tracing.spans.model import NS_PER_US, Span
from tracing.spans.step import Outcome
from tracing.spans.tree import without_cycles
from tracing.usage import Usage

_MAX_TIME: Final = 1 << 63


def closing_ledger(run: Run, activity: Activity, events: ActivityEvents, outcome: Outcome | None) -> Ledger | None:
    """The ledger of the attempt that closed an activity, beside its result or in its failure."""
    data: bytes | None = None
    if outcome is not None and outcome.result:
        data = outcome.result[0].metadata.get(c.HEADER)
    elif outcome is not None and outcome.failure is not None:
        data = outcome.failure.root.ledger
    return _ledger(run, activity, data, events.last_attempt or None) if data else None


def attempt_spans(
    context: RunContext,
    activity: Activity,
    events: ActivityEvents,
    outcome: Outcome | None,
    *,
    closing: Ledger | None,
    usage: Usage,
) -> list[Span]:
    """Build the spans of an activity's attempts, by number, each with what its ledger recorded.

    Args:
        context: The run.
        activity: The activity.
        events: Its events.
        outcome: What the event that closed it says.
        closing: The ledger of the attempt that closed it.
        usage: The usage that it recorded.
    """
    spans: list[Span] = []
    failed = outcome is not None and outcome.failure is not None
    retried = events.attempt is not None and events.attempt.last_failure is not None
    waits = events.pending is not None and events.pending.last_failure is not None
    known = failed or retried or waits
    for ledger, failure, ids in _earlier(context, activity, events, outcome) if known else ():
        scheduled_us = _scheduled_us(events.scheduled, ledger.attempt, ledger)
        spans += _told_by_ledger(context, activity, ledger, scheduled_us=scheduled_us, failure=failure, ids=ids)
    if events.started is None or events.attempt is None:
        return spans
    started_us = events.started.time // NS_PER_US
    ids = [events.started.id]
    end = None
    if events.closed is not None and outcome is not None:
        ids.append(events.closed.id)
        end = started_us * NS_PER_US + closing.duration if closing is not None else outcome.end
    last = _attempt(
        context,
        activity,
        attempt=events.last_attempt,
        started_us=started_us,
        end=end,
        worker_identity=events.attempt.identity,
        build_id=(closing.build if closing is not None else "") or events.attempt.build_id,
        scheduled_us=_scheduled_us(events.scheduled, events.last_attempt, closing),
        failure=outcome.failure if outcome is not None else None,
        ledger=closing,
        usage=usage,
        ids=ids,
    )
    if events.attempt.last_failure is not None:
        last[0].attributes[c.LAST_FAILURE] = failure_of(events.attempt.last_failure).root.type
    return spans + last


def _earlier(
    context: RunContext, activity: Activity, events: ActivityEvents, outcome: Outcome | None
) -> list[tuple[Ledger, Failure, list[int]]]:
    """Failed attempts before the last that left a ledger, by number: ledger, failure, IDs of what holds them."""
    found: dict[int, tuple[Ledger, Failure, list[int]]] = {}
    last = events.last_attempt or (events.pending.attempt if events.pending is not None else 0)
    for ids, failure in _earlier_failures(events, outcome):
        for part in failure.chain():
            ledger = _ledger(context.run, activity, part.ledger, None) if part.ledger else None
            if ledger is not None and (ledger.attempt < last or not last):
                found.setdefault(ledger.attempt, (ledger, part, ids))
    return [found[attempt] for attempt in sorted(found)]


def _earlier_failures(events: ActivityEvents, outcome: Outcome | None) -> Iterator[tuple[list[int], Failure]]:
    """The ``last_failure`` of the last attempt or of a pending one, and the cause of what closed the activity."""
    if events.started is not None and events.attempt is not None and events.attempt.last_failure is not None:
        yield [events.started.id], failure_of(events.attempt.last_failure)
    if events.pending is not None and events.pending.last_failure is not None:
        yield [], failure_of(events.pending.last_failure)
    if events.closed is not None and outcome is not None and outcome.failure is not None:
        cause = outcome.failure.root.cause
        if cause is not None:
            yield [events.closed.id], cause


def _ledger(run: Run, activity: Activity, data: bytes | None, attempt: int | None) -> Ledger | None:
    ledger = read_ledger(data, run_id=run.run_id, activity_id=activity.activity_id, attempt=attempt)
    if ledger is None or ledger.attempt < 1 or ledger.duration < 0:
        return None
    return ledger if 0 <= ledger.started * NS_PER_US + ledger.duration < _MAX_TIME else None


def _scheduled_us(scheduled: Event, attempt: int, ledger: Ledger | None) -> int | None:
    """When an attempt was scheduled. The first was with the activity; of later ones only their ledgers tell."""
    if attempt == 1:
        return scheduled.time // NS_PER_US
    return ledger.scheduled or None if ledger is not None else None


def _told_by_ledger(
    context: RunContext,
    activity: Activity,
    ledger: Ledger,
    *,
    scheduled_us: int | None,
    failure: Failure | None,
    ids: list[int],
) -> list[Span]:
    """An attempt of which no event tells: its ledger says when it was, and on which worker."""
    return _attempt(
        context,
        activity,
        attempt=ledger.attempt,
        started_us=ledger.started,
        end=ledger.started * NS_PER_US + ledger.duration,
        worker_identity=ledger.identity,
        build_id=ledger.build,
        scheduled_us=scheduled_us,
        failure=failure,
        ledger=ledger,
        usage=ledger_usage(ledger, context.config.prices),
        ids=ids,
    )


def _attempt(
    context: RunContext,
    activity: Activity,
    *,
    attempt: int,
    started_us: int,
    end: int | None,
    worker_identity: str,
    build_id: str,
    scheduled_us: int | None,
    failure: Failure | None,
    ledger: Ledger | None,
    usage: Usage,
    ids: Sequence[int],
) -> list[Span]:
    """The span of an attempt, then those in its ledger."""
    config, run = context.config, context.run
    span = attempt_span(
        config,
        run,
        activity,
        attempt=attempt,
        started_us=started_us,
        end=end,
        worker_identity=worker_identity,
        build_id=build_id,
        scheduled_us=scheduled_us,
        failure=failure,
        usage=usage,
        heartbeats=ledger.heartbeats if ledger is not None else 0,
        ledger_cut=ledger.cut if ledger is not None else 0,
        resource=resource_of(ledger, run) if ledger is not None else None,
    )
    if ledger is None:
        span.attributes[c.UNRECORDED] = True
    spans = [with_event_ids(span, ids)]
    if ledger is not None:
        inner = (inner_span(config.inside(), run, ledger, it, span.span_id) for it in ledger.spans)
        recorded = without_cycles([inside for inside in inner if inside is not None], span.span_id)
        spans += (with_event_ids(inside, ids) for inside in recorded)
    return spans


def local_attempt_spans(
    context: RunContext,
    step: Activity,
    *,
    activity_id: str,
    outcome: Outcome,
    ledger: Ledger | None,
    event_id: int,
) -> list[Span]:
    """Build the span of a local activity's attempt, with what its ledger recorded; without one it has no time.

    Args:
        context: The run.
        step: The local activity, by the activity ID of its first try.
        activity_id: Activity ID of this try.
        outcome: How it ended.
        ledger: Its ledger.
        event_id: ID of its marker.
    """
    if ledger is None:
        return []
    run = context.run
    activity = replace(step, activity_id=activity_id, span_id=step.step_id(run))
    scheduled_us = ledger.scheduled or None
    return _told_by_ledger(
        context, activity, ledger, scheduled_us=scheduled_us, failure=outcome.failure, ids=[event_id]
    )

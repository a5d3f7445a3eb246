"""Which attempts of an activity does a history know, and what was in them?

Of an activity that closed, the last attempt. Of earlier ones, those whose failure the history kept with a ledger: it
holds the attempt's times. The others have no time in the history, and no span: nothing is invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from tracing import conventions as c
from tracing.failures import Failure
from tracing.history.activities import ActivityEvents, Outcome
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.runs import RunContext
from tracing.ledger import Ledger, read_ledger
from tracing.runs import Run
from tracing.spans.activity import Activity, attempt_span
from tracing.spans.inner import inner_span, ledger_usage
from tracing.spans.model import NS_PER_US, Span

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
    context: RunContext, activity: Activity, events: ActivityEvents, outcome: Outcome | None, closing: Ledger | None
) -> list[Span]:
    """Build the spans of an activity's attempts, by number, each with what its ledger recorded.

    Args:
        context: The run.
        activity: The activity.
        events: Its events.
        outcome: What the event that closed it says.
        closing: The ledger of the attempt that closed it.
    """
    spans: list[Span] = []
    for _, ledger, failure, event in sorted(_earlier(context, activity, events, outcome), key=lambda found: found[0]):
        spans += _attempt(
            context,
            activity,
            events.scheduled,
            attempt=ledger.attempt,
            started_us=ledger.started,
            end=ledger.started * NS_PER_US + ledger.duration,
            worker_identity=ledger.identity,
            failure=failure,
            ledger=ledger,
            ids=[event.id],
        )
    if events.started is None or events.attempt is None:
        return spans
    started_us = events.started.time // NS_PER_US
    ids = [events.started.id]
    end = None
    if events.closed is not None and outcome is not None:
        ids.append(events.closed.id)
        end = started_us * NS_PER_US + closing.duration if closing is not None else outcome.end
    return spans + _attempt(
        context,
        activity,
        events.scheduled,
        attempt=events.last_attempt,
        started_us=started_us,
        end=end,
        worker_identity=events.attempt.identity,
        failure=outcome.failure if outcome is not None else None,
        ledger=closing,
        ids=ids,
    )


def _earlier(
    context: RunContext, activity: Activity, events: ActivityEvents, outcome: Outcome | None
) -> list[tuple[int, Ledger, Failure, Event]]:
    """Failed attempts before the last that left a ledger: number, ledger, failure, event that holds them."""
    found: dict[int, tuple[int, Ledger, Failure, Event]] = {}
    for event, failure in _earlier_failures(events, outcome):
        for part in failure.chain():
            ledger = _ledger(context.run, activity, part.ledger, None) if part.ledger else None
            if ledger is not None and (ledger.attempt < events.last_attempt or not events.last_attempt):
                found.setdefault(ledger.attempt, (ledger.attempt, ledger, part, event))
    return list(found.values())


def _earlier_failures(events: ActivityEvents, outcome: Outcome | None) -> Iterator[tuple[Event, Failure]]:
    """The ``last_failure`` of the last attempt, and the cause of the failure that closed the activity."""
    if events.started is not None and events.attempt is not None and events.attempt.last_failure is not None:
        yield events.started, failure_of(events.attempt.last_failure)
    if events.closed is not None and outcome is not None and outcome.failure is not None:
        cause = outcome.failure.root.cause
        if cause is not None:
            yield events.closed, cause


def _ledger(run: Run, activity: Activity, data: bytes | None, attempt: int | None) -> Ledger | None:
    ledger = read_ledger(data, run_id=run.run_id, activity_id=activity.activity_id, attempt=attempt)
    if ledger is None or ledger.attempt < 1 or ledger.duration < 0:
        return None
    return ledger if 0 <= ledger.started * NS_PER_US + ledger.duration < _MAX_TIME else None


def _attempt(
    context: RunContext,
    activity: Activity,
    scheduled: Event,
    *,
    attempt: int,
    started_us: int,
    end: int | None,
    worker_identity: str,
    failure: Failure | None,
    ledger: Ledger | None,
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
        scheduled_us=scheduled.time // NS_PER_US,
        failure=failure,
        usage=ledger_usage(ledger),
        ledger_cut=ledger.cut if ledger is not None else 0,
        resource=dict(ledger.resource) if ledger is not None and ledger.resource else None,
    )
    if ledger is None:
        span = replace(span, attributes={**span.attributes, c.UNRECORDED: True})
    spans = [with_event_ids(span, ids)]
    if ledger is not None:
        inner = (inner_span(config, run, ledger, recorded, span.span_id) for recorded in ledger.spans)
        spans += (with_event_ids(inside, ids) for inside in inner if inside is not None)
    return spans

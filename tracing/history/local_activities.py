"""Which local activities did a run ask for, and which spans do their markers make?

A marker is written when a local activity has ended, or has failed and is to be tried again after a time longer than a
workflow task (it "backed off"): then the markers of all its tries are one step's. Inputs and headers are in no event.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tracing import conventions as c
from tracing.failures import Failure
from tracing.history.attempts import local_attempt_spans
from tracing.history.attributes.workflow import MarkerRecorded
from tracing.history.by_kind import EventsByKind
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.markers import LocalActivityNote, local_activity_note, local_activity_result
from tracing.history.runs import RunContext
from tracing.history.step_events import still_open
from tracing.ledger import Ledger, read_ledger
from tracing.spans.activity import Activity, activity_step_span
from tracing.spans.inner import ledger_usage
from tracing.spans.local_activity import local_activity_times
from tracing.spans.model import Span
from tracing.spans.reused import as_reused
from tracing.spans.step import Outcome
from tracing.usage import Usage


@dataclass(frozen=True, slots=True)
class LocalTry:
    """One marker of a local activity.

    Attributes:
        event: The event.
        recorded: What it says.
        activity_id: Activity ID of this try.
        backed_off: Whether it is to be tried again.
        outcome: How it ended, by workflow time; by the event's where the marker does not say.
        data: The ledger's bytes, where it left one.
    """

    event: Event
    recorded: MarkerRecorded
    activity_id: str
    backed_off: bool
    outcome: Outcome
    data: bytes | None

    def ledger(self, run_id: str) -> Ledger | None:
        """The ledger of its result or failure."""
        return read_ledger(self.data, run_id=run_id, activity_id=self.activity_id)


@dataclass(slots=True)
class LocalActivity:
    """The markers of one local activity.

    Attributes:
        activity_id: Activity ID of its first try.
        activity_type: Activity type.
        nth: Which use of that activity ID in the run, from 1.
        original_schedule_time: When its first try was scheduled, in ns since the epoch.
        tries: Its markers: those that backed off, and the last, which closed it.
    """

    activity_id: str
    activity_type: str
    nth: int
    original_schedule_time: int
    tries: list[LocalTry] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """IDs of its events."""
        return [it.event.id for it in self.tries]


def local_activities_of(events: EventsByKind) -> list[LocalActivity]:
    """The local activities of a run, in the order in which they ended or first backed off."""
    activities: list[LocalActivity] = []
    backing_off: dict[tuple[str, int], LocalActivity] = {}
    uses: Counter[str] = Counter()
    for event in events.of(MarkerRecorded):
        recorded = event.attributes
        if not isinstance(recorded, MarkerRecorded):
            continue
        marker = local_activity_note(recorded)
        if marker is None:
            continue
        scheduled = marker.original_schedule_time.ns() if marker.original_schedule_time is not None else 0
        uses[marker.activity_id] += 1
        chain = marker.activity_type, scheduled
        activity = backing_off.pop(chain, None) if scheduled else None
        if activity is None:
            nth = uses[marker.activity_id]
            activity = LocalActivity(marker.activity_id, marker.activity_type, nth, scheduled)
            activities.append(activity)
        activity.tries.append(_try(event, recorded, marker))
        if marker.backoff is not None:
            backing_off[chain] = activity
    return activities


def local_activity_spans(context: RunContext, events: LocalActivity, task_queue: str) -> tuple[list[Span], Usage]:
    """Build the spans of a local activity: its step, the attempts that left a ledger and what these recorded.

    Args:
        context: The run.
        events: Its markers.
        task_queue: Task queue of the run, which is its own.

    Returns:
        The spans, the step first, and the usage of the attempt that closed it.
    """
    run, last = context.run, events.tries[-1]
    activity = Activity(events.activity_id, events.activity_type, task_queue, nth=events.nth, local=True)
    reused = not last.backed_off and context.reused(last.event.id)
    ledger = None if reused or last.backed_off else last.ledger(run.run_id)
    task_start = context.tasks.issued_at(last.recorded.workflow_task_completed_event_id, last.event)
    chained = events.original_schedule_time if events.tries[0].backed_off else 0
    outcome = still_open(context) if last.backed_off else last.outcome
    start, outcome = local_activity_times(task_start, outcome, ledger, chained)
    step = activity_step_span(
        context.config,
        run,
        activity,
        start=start,
        outcome=outcome,
        given=(),
        attempts=ledger.attempt if ledger is not None else 0,
        usage=ledger_usage(ledger, context.config.prices),
    )
    if ledger is None and last.outcome.is_unread and not (reused or last.backed_off):
        step.attributes[c.UNDECODED] = 1
    if reused:
        step = as_reused(step, context.base, activity.step_id(context.base) if context.base is not None else 0)
    spans = [with_event_ids(step, events.ids)]
    for it in () if reused else events.tries:
        spans += local_attempt_spans(
            context,
            activity,
            activity_id=it.activity_id,
            outcome=it.outcome,
            ledger=it.ledger(run.run_id),
            event_id=it.event.id,
        )
    usage = ledger_usage(ledger, context.config.prices)
    return (spans if context.config.traces_activity(events.activity_type) else []), usage


def _try(event: Event, recorded: MarkerRecorded, marker: LocalActivityNote) -> LocalTry:
    end = marker.complete_time.ns() if marker.complete_time is not None else event.time
    failure: Failure | None = None
    result = local_activity_result(recorded)
    data = result[0].metadata.get(c.HEADER) if result else None
    if recorded.failure is not None:
        failure = failure_of(recorded.failure)
        data = failure.root.ledger
    outcome = Outcome(end, result=None if failure is not None else result, failure=failure)
    return LocalTry(event, recorded, marker.activity_id, marker.backoff is not None, outcome, data)

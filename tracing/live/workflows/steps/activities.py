"""Which activities did a run ask for, local ones as well, and how did each end?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from temporalio.api.common.v1 import Payload

from tracing import conventions as c
from tracing.failures import Failure, failure_from_proto
from tracing.headers import Cancellation
from tracing.ledger import Ledger, read_ledger
from tracing.live.client.headers import header_payload
from tracing.live.workflows.recovery import Recovery
from tracing.live.workflows.steps.following import Following
from tracing.recognisers import handed_over_to, possible_handoffs
from tracing.spans.activity import Activity, activity_step_span
from tracing.spans.inner import ledger_usage
from tracing.spans.local_activity import local_activity_times
from tracing.spans.step import Outcome
from tracing.spans.wait import Task
from tracing.usage import NO_USAGE, Usage, total

_CANCELLATIONS: Final[dict[int, Cancellation]] = {1: "wait", 2: "abandon"}
"""coresdk.workflow_commands.ActivityCancellationType, but its default, TRY_CANCEL."""


@dataclass(frozen=True, slots=True)
class _Open:
    activity: Activity
    activity_id: str
    task: Task
    start: int
    given: Sequence[Payload]
    summary: Payload | None
    abandon: bool
    handoffs: Mapping[str, str]
    original_schedule_time: int = 0


class Activities:
    """The activities of a followed run."""

    def __init__(self, following: Following, recovery: Recovery) -> None:
        self._following = following
        self._recovery = recovery
        self._open: dict[int, _Open] = {}
        self._backing_off: dict[tuple[str, int], _Open] = {}
        self._used = NO_USAGE
        self._unread: list[tuple[str, bytes]] = []
        self._ledger_bytes = 0

    @property
    def local_open(self) -> bool:
        """Whether local activities are running: the workflow task then goes on."""
        return any(opened.activity.local for opened in self._open.values())

    def usage(self) -> Usage:
        """Sum over the model calls that the results recorded."""
        run_id = self._following.run.run_id
        return self._used + total(
            ledger_usage(read_ledger(data, run_id=run_id, activity_id=activity_id))
            for activity_id, data in self._unread
        )

    def schedule(self, command: Any) -> None:
        """The workflow asks for an activity: give it our header."""
        asked, following = command.schedule_activity, self._following
        activity = Activity(
            activity_id=asked.activity_id,
            activity_type=asked.activity_type,
            task_queue=asked.task_queue or following.task_queue,
            max_attempts=asked.retry_policy.maximum_attempts,
            nth=following.nth("activity", asked.activity_id),
        )
        cancellation = _CANCELLATIONS.get(asked.cancellation_type)
        self._opened(command, asked, activity, cancellation)

    def schedule_local(self, command: Any) -> None:
        """The workflow asks for a local activity, or for another try of one that backed off."""
        asked, following = command.schedule_local_activity, self._following
        scheduled = asked.original_schedule_time.ToNanoseconds()
        before = self._backing_off.pop((asked.activity_type, scheduled), None) if scheduled else None
        nth = following.nth("local_activity", asked.activity_id)
        if before is not None:
            # It goes on as the same step under the ID of its first try; each further one has an activity ID of its own.
            reopened = replace(before, activity_id=asked.activity_id, original_schedule_time=scheduled)
            self._open[asked.seq] = reopened
            self._add_header(asked, reopened.activity, None)
            return
        activity = Activity(
            activity_id=asked.activity_id,
            activity_type=asked.activity_type,
            task_queue=following.task_queue,
            nth=nth,
            local=True,
        )
        self._opened(command, asked, activity, _CANCELLATIONS.get(asked.cancellation_type))

    def request_cancel(self, seq: int) -> None:
        """The workflow cancels an activity."""
        opened = self._open.get(seq)
        if opened is not None and (opened.task is self._following.task or opened.abandon) and not opened.activity.local:
            # Core never sends what was cancelled in the task that issued it: history has no event of it. And of what
            # is abandoned, it has none that says so: the activity goes on, and its end is not told here.
            del self._open[seq]

    def resolve(self, job: Any) -> None:
        """An activity has ended."""
        opened = self._open.pop(job.seq, None)
        if opened is None:
            return
        following = self._following
        status = job.result.WhichOneof("status")
        result: list[Payload] | None = None
        failure: Failure | None = None
        data: bytes | None = None
        if status == "completed":
            result = [job.result.completed.result]
            data = result[0].metadata.get(c.HEADER)
        elif status in {"failed", "cancelled"}:
            failure = failure_from_proto(getattr(job.result, status).failure)
            data = failure.root.ledger
        elif status == "backoff":
            scheduled = job.result.backoff.original_schedule_time.ToNanoseconds()
            self._backing_off[opened.activity.activity_type, scheduled] = opened
            return
        if status != "cancelled":
            following.follows(opened.task)
        self._ledger_bytes += len(data or b"")
        if following.replaying or following.taking_over:
            self._recovery.reuse(opened.activity, opened.activity_id, data)
        if following.replaying or not self._sampled(opened.activity):
            if data:  # it is read when the run ends here, as most that are replayed do not
                self._unread.append((opened.activity_id, data))
            return
        ledger = read_ledger(data, run_id=following.run.run_id, activity_id=opened.activity_id)
        # The sum only: content and all, a cached run would keep up to its budget in memory.
        self._used += ledger_usage(ledger)
        self._close(opened, Outcome(following.now, result, failure), ledger)

    def unclosed(self) -> None:
        """The run ends: so do the spans of the activities that are still open.

        Of a local activity that is running there is no marker, and so no event at all; of one that backed off there is.
        """
        backed_off = [replace(it, original_schedule_time=time) for (_, time), it in self._backing_off.items()]
        for opened in [*(it for it in self._open.values() if not it.activity.local), *backed_off]:
            if self._sampled(opened.activity):
                self._close(opened, Outcome(self._following.now, unclosed=True), None)
        self._open.clear()
        self._backing_off.clear()

    def _sampled(self, activity: Activity) -> bool:
        return self._following.config.traces_activity(activity.activity_type)

    def _opened(self, command: Any, asked: Any, activity: Activity, cancellation: Cancellation | None) -> None:
        following = self._following
        self._open[asked.seq] = _Open(
            activity=activity,
            activity_id=activity.activity_id,
            task=following.task,
            start=following.task_start,
            given=following.captured(asked.arguments) if not activity.local else (),
            summary=following.summary(command),
            abandon=cancellation == "abandon",
            # Of a local activity, history has no input.
            handoffs={} if activity.local else possible_handoffs(activity.activity_type, asked.arguments),
        )
        self._add_header(asked, activity, cancellation)

    def _add_header(self, asked: Any, activity: Activity, cancellation: Cancellation | None) -> None:
        following = self._following
        following.note_asked(asked, activity.step_id(following.run), activity.activity_type)
        header = following.header(
            activity.step_id(following.run),
            sampled=self._sampled(activity),
            nth=activity.nth,
            cancellation=cancellation,
            ledger_left=self._ledger_left(),
        )
        asked.headers[c.HEADER].CopyFrom(header_payload(header))

    def _ledger_left(self) -> int | None:
        """Bytes that the ledger of the activity asked for last may take; None where only its worker limits it.

        What is left of the run's budget is shared with the activities that are open: of many at once, each would be
        within it, and all together end the run by the size of its history.
        """
        config = self._following.config
        share = max(0, config.max_run_ledger_bytes - self._ledger_bytes) // max(1, len(self._open))
        plenty = share >= config.max_ledger_bytes and self._ledger_bytes <= config.max_run_ledger_bytes // 2
        return None if plenty else share

    def _close(self, opened: _Open, outcome: Outcome, ledger: Ledger | None) -> None:
        following = self._following
        start = opened.start
        if opened.activity.local:
            start, outcome = local_activity_times(start, outcome, ledger, opened.original_schedule_time)
        following.add(
            lambda: activity_step_span(
                following.config,
                following.run,
                opened.activity,
                start=start,
                outcome=outcome,
                given=opened.given,
                attempts=ledger.attempt if ledger else 0,
                usage=ledger_usage(ledger),
                summary=opened.summary,
                handoff_to=handed_over_to(opened.handoffs, outcome.result),
            )
        )

"""What has a run done so far, as its worker sees it, and which spans follow from that?

Reads activations and commands (`coresdk.workflow_activation`, `coresdk.workflow_commands`). It follows replayed tasks
as well, so that it knows what is open, but makes spans only of what happens now. All times are workflow time: the start
of the workflow task, which history has as WORKFLOW_TASK_STARTED.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.workflow import Info

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure, failure_from_proto
from tracing.headers import SpanReference, TraceHeader, read_header
from tracing.identity import run_trace_id
from tracing.ledger import read_ledger
from tracing.live.client import header_payload
from tracing.live.emitter import Emitter
from tracing.live.outbox import Outbox
from tracing.runs import Run, run_of
from tracing.spans.activity import Activity, activity_step_span
from tracing.spans.inner import ledger_usage
from tracing.spans.links import continued_from
from tracing.spans.model import Span
from tracing.spans.run import RunStatus, run_span
from tracing.spans.signal import signal_span
from tracing.spans.timer import timer_span
from tracing.usage import total

_ENDINGS: dict[str, RunStatus] = {
    "complete_workflow_execution": "completed",
    "fail_workflow_execution": "failed",
    "cancel_workflow_execution": "canceled",
    "continue_as_new_workflow_execution": "continued_as_new",
}


@dataclass(frozen=True, slots=True)
class TrackerFactory:
    """What all runs of a worker share.

    Attributes:
        config: Settings.
        emitter: Knows the sampler and the service.
        outbox: Takes the spans.
        worker_identity: Identity of the worker.
    """

    config: TracingConfig
    emitter: Emitter
    outbox: Outbox
    worker_identity: str

    def create(self, info: Info, run_id: str, start: Any) -> RunTracker:
        """Follow a run from its `InitializeWorkflow` job."""
        header = read_header(start.headers)
        sampled = True
        if header is None or (header.parent is None and header.sampled is None):
            sampled = self.emitter.samples(run_trace_id(run_id), c.run_workflow(start.workflow_type))
        run = run_of(
            namespace=info.namespace,
            workflow_id=start.workflow_id,
            run_id=run_id,
            workflow_type=start.workflow_type,
            first_run_id=start.first_execution_run_id or run_id,
            cron=bool(start.cron_schedule),
            scheduled="TemporalScheduledById" in start.search_attributes.indexed_fields,
            header=header,
            resource=self.emitter.resource(),
            sampled=sampled,
        )
        return RunTracker(self, run, info.task_queue, start)


@dataclass(slots=True)
class _OpenActivity:
    activity: Activity
    task: int
    start: int
    given: Sequence[Payload]


@dataclass(frozen=True, slots=True)
class _OpenTimer:
    timer_id: str
    task: int
    start: int
    timeout: int


class RunTracker:
    """Follows one cached run."""

    def __init__(self, shared: TrackerFactory, run: Run, task_queue: str, start: Any) -> None:
        self.run = run
        self._shared = shared
        self._config = shared.config
        self._task_queue = task_queue
        self._start = start.start_time.ToNanoseconds()
        self._attempt: int = start.attempt
        self._given: list[Payload] = list(start.arguments) if shared.config.capture_content else []
        self._continued_from: str = start.continued_from_execution_run_id
        self._activities: dict[int, _OpenActivity] = {}
        self._timers: dict[int, _OpenTimer] = {}
        self._local_activities: set[int] = set()
        self._uses: Counter[str] = Counter()
        self._ledgers: list[tuple[str, bytes]] = []
        self._ledger_bytes = 0
        self._task = 0
        self._replaying = False
        self._spans: list[Span] = []
        self._header = TraceHeader(
            session=run.session_id or None,
            user=run.user_id or None,
            tags=run.tags,
            sampled=run.sampled,
        )
        self._service = {key: str(value) for key, value in run.resource.items()}

    def before(self, act: Any) -> None:
        """Read what a workflow task brings: results, signals, fired timers."""
        if not act.is_replaying:
            self._shared.outbox.begin(act.run_id, act.history_length)
        self._spans = []
        self._task, self._replaying = act.history_length, act.is_replaying
        now = act.timestamp.ToNanoseconds()
        for job in act.jobs:
            kind = job.WhichOneof("variant")
            if kind == "resolve_activity":
                self._resolve_activity(job.resolve_activity, now)
            elif kind == "fire_timer":
                self._end_timer(job.fire_timer.seq, now, canceled=False)
            elif kind == "signal_workflow":
                self._signal(job.signal_workflow, now)

    def after(self, act: Any, completion: Any) -> None:
        """Read what the workflow asked for, add our header to it, and hold the task's spans until it is committed."""
        if not completion.HasField("successful"):
            return
        now = act.timestamp.ToNanoseconds()
        for command in completion.successful.commands:
            kind = command.WhichOneof("variant")
            if kind == "schedule_activity":
                self._schedule_activity(command.schedule_activity, now)
            elif kind == "request_cancel_activity":
                self._cancel_activity(command.request_cancel_activity.seq)
            elif kind == "start_timer":
                timer = command.start_timer
                timeout = timer.start_to_fire_timeout.ToNanoseconds()
                self._timers[timer.seq] = _OpenTimer(str(timer.seq), self._task, now, timeout)
            elif kind == "cancel_timer":
                self._end_timer(command.cancel_timer.seq, now, canceled=True)
            elif kind == "schedule_local_activity":
                self._local_activities.add(command.schedule_local_activity.seq)
            elif kind in _ENDINGS:
                self._end(kind, command, now)
        if self._replaying or not self.run.sampled:
            return
        self._shared.outbox.hold(act.run_id, act.history_length, self._spans, may_idle=not self._local_activities)

    def _schedule_activity(self, command: Any, now: int) -> None:
        self._uses[command.activity_id] += 1
        activity = Activity(
            activity_id=command.activity_id,
            activity_type=command.activity_type,
            task_queue=command.task_queue or self._task_queue,
            max_attempts=command.retry_policy.maximum_attempts,
            nth=self._uses[command.activity_id],
        )
        given = list(command.arguments) if self._config.capture_content else []
        self._activities[command.seq] = _OpenActivity(activity, self._task, now, given)
        parent = SpanReference(self.run.trace_id, activity.step_id(self.run), self.run.sampled)
        budget = self._config.max_run_ledger_bytes
        header = TraceHeader(
            traceparent=str(parent),
            nth=activity.nth,
            session=self._header.session,
            user=self._header.user,
            tags=self._header.tags,
            resource=self._service,
            ledger_left=max(0, budget - self._ledger_bytes) if self._ledger_bytes > budget // 2 else None,
        )
        command.headers[c.HEADER].CopyFrom(header_payload(header))

    def _resolve_activity(self, job: Any, now: int) -> None:
        if job.is_local:
            self._local_activities.discard(job.seq)
            return
        opened = self._activities.pop(job.seq, None)
        if opened is None:
            return
        outcome = job.result.WhichOneof("status")
        result: list[Payload] | None = None
        failure: Failure | None = None
        ledger_data: bytes | None = None
        if outcome == "completed":
            result = [job.result.completed.result]
            ledger_data = result[0].metadata.get(c.HEADER)
        elif outcome in {"failed", "cancelled"}:
            failure = failure_from_proto(getattr(job.result, outcome).failure)
            ledger_data = failure.root.ledger
        activity = opened.activity
        if ledger_data:
            self._ledgers.append((activity.activity_id, ledger_data))
            self._ledger_bytes += len(ledger_data)
        if not self.run.sampled or self._replaying:
            return
        ledger = read_ledger(ledger_data, run_id=self.run.run_id, activity_id=activity.activity_id)
        self._spans.append(
            activity_step_span(
                self._config,
                self.run,
                activity,
                start=opened.start,
                end=now,
                given=opened.given,
                result=result,
                failure=failure,
                attempts=ledger.attempt if ledger else 0,
                usage=ledger_usage(ledger),
            )
        )

    def _cancel_activity(self, seq: int) -> None:
        opened = self._activities.get(seq)
        if opened is not None and opened.task == self._task:
            # Core never sends what was cancelled in the task that issued it: history has no event of it.
            del self._activities[seq]

    def _end_timer(self, seq: int, now: int, *, canceled: bool) -> None:
        timer = self._timers.pop(seq, None)
        if timer is None or (canceled and timer.task == self._task):
            return
        span = timer_span(
            self.run, timer.timer_id, start=timer.start, end=now, timeout=timer.timeout, canceled=canceled
        )
        self._spans.append(span)

    def _signal(self, job: Any, now: int) -> None:
        if not job.originating_event_id:
            return
        span = signal_span(
            self._config,
            self.run,
            job.signal_name,
            event_id=job.originating_event_id,
            time=now,
            given=list(job.input),
        )
        self._spans.append(span)

    def _end(self, kind: str, command: Any, now: int) -> None:
        result: list[Payload] | None = None
        failure: Failure | None = None
        if kind == "complete_workflow_execution":
            result = [command.complete_workflow_execution.result]
        elif kind == "continue_as_new_workflow_execution":
            following = command.continue_as_new_workflow_execution
            result = list(following.arguments)
            following.headers[c.HEADER].CopyFrom(header_payload(self._header))
        elif kind == "fail_workflow_execution":
            failure = failure_from_proto(command.fail_workflow_execution.failure)
        if self._replaying or not self.run.sampled:
            return
        usage = total(
            ledger_usage(read_ledger(data, run_id=self.run.run_id, activity_id=activity_id))
            for activity_id, data in self._ledgers
        )
        self._spans.append(
            run_span(
                self._config,
                self.run,
                start=self._start,
                end=now,
                status=_ENDINGS[kind],
                task_queue=self._task_queue,
                attempt=self._attempt,
                given=self._given,
                result=result,
                failure=failure,
                usage=usage,
                history_length=self._task,
                worker_identity=self._shared.worker_identity,
                links=continued_from(self._continued_from),
            )
        )

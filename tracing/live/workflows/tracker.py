"""What has a run done so far, as its worker sees it, and which spans follow from that?

Reads activations and commands (`coresdk.workflow_activation`, `coresdk.workflow_commands`) and hands each to the kind
of step that it concerns. Replayed tasks are followed as well, so that it is known what is open, but spans are made only
of what happens now. All times are workflow time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.workflow import Info

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure, failure_from_proto
from tracing.headers import SpanReference, TraceHeader, read_foreign_header, read_header
from tracing.identity import run_trace_id
from tracing.live.client.headers import header_payload
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.outbox import Outbox
from tracing.live.workflows.cached import CachedRuns
from tracing.live.workflows.recovery import Recoveries, Recovery
from tracing.live.workflows.steps.activities import Activities
from tracing.live.workflows.steps.children import Children
from tracing.live.workflows.steps.external import External
from tracing.live.workflows.steps.following import Following
from tracing.live.workflows.steps.nexus import NexusOperations
from tracing.live.workflows.steps.occurrences import Occurrences
from tracing.live.workflows.steps.queries import Queries
from tracing.live.workflows.steps.signals import signal
from tracing.live.workflows.steps.timers import Timers
from tracing.live.workflows.steps.updates import Updates
from tracing.runs import SCHEDULED_BY, Run, RunStart, run_of
from tracing.spans.links import start_links
from tracing.spans.model import Span
from tracing.spans.run import RunStatus, run_span
from tracing.spans.streams import StreamTraffic

_ENDINGS: Final[dict[str, RunStatus]] = {
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
        build_id: Its build ID, or "".
        recoveries: Knows which runs the worker had before, and counts what is recovered.
        cached: The runs that the worker has in its cache.
    """

    config: TracingConfig
    emitter: Emitter
    outbox: Outbox
    worker_identity: str
    build_id: str = ""
    recoveries: Recoveries = field(default_factory=lambda: Recoveries(None))
    cached: CachedRuns = field(default_factory=CachedRuns)

    def create(self, info: Info, run_id: str, start: Any) -> RunTracker:
        """Follow a run from its `InitializeWorkflow` job."""
        run_start = RunStart(
            namespace=info.namespace,
            workflow_id=start.workflow_id,
            run_id=run_id,
            workflow_type=start.workflow_type,
            first_run_id=start.first_execution_run_id or run_id,
            continued_run_id=start.continued_from_execution_run_id,
            cron=bool(start.cron_schedule),
            scheduled=SCHEDULED_BY in start.search_attributes.indexed_fields,
            header=read_header(start.headers),
            foreign=read_foreign_header(start.headers),
        )
        return RunTracker(self, run_start, self._run(run_start), info.task_queue, start)

    def _run(self, start: RunStart) -> Run:
        header = start.header
        sampled = self.config.traces_workflow(start.workflow_type)
        if sampled and (header is None or start.scheduled or (header.parent is None and header.sampled is None)):
            sampled = self.emitter.samples(run_trace_id(start.run_id), c.run_workflow(start.workflow_type))
        run = run_of(start, resource=self.emitter.resource(), sampled=sampled, ui_address=self.config.temporal_ui)
        return run if self.config.traces_workflow(start.workflow_type) else run.left_out()


class RunTracker:
    """Follows one cached run."""

    def __init__(self, shared: TrackerFactory, start: RunStart, run: Run, task_queue: str, initialize: Any) -> None:
        self.run = run
        self._shared = shared
        self._run_start = start
        self._start = initialize.start_time.ToNanoseconds()
        self._attempt: int = initialize.attempt
        self._following = following = Following(shared.config, run, task_queue)
        self._given: list[Payload] = following.captured(initialize.arguments)
        place = {c.NAMESPACE: run.namespace, c.WORKFLOW_TYPE: run.workflow_type, c.TASK_QUEUE: task_queue}
        self._recovery = Recovery(shared.recoveries, run.run_id, place)
        self._activities = Activities(following, self._recovery)
        self._timers = Timers(following)
        self._children = Children(following)
        self._external = External(following)
        self._nexus = NexusOperations(following)
        self._traffic = StreamTraffic()
        self._updates = Updates(following, self._traffic)
        self._queries = Queries(following, shared.outbox.put)
        self._occurrences = Occurrences(following)
        self._jobs: Final[Mapping[str, Callable[[Any], None]]] = self._job_readers()
        self._commands: Final[Mapping[str, Callable[[Any], None]]] = self._command_readers()

    def add(self, build: Callable[[], Span]) -> None:
        """Make a span of what workflow code does now, besides its steps; it is held as theirs are."""
        self._following.add(build)

    def asked(self, by: str) -> Mapping[int, str]:
        """The steps that a piece of a library's work in workflow code asked for: types by span ID."""
        return self._following.asked.pop(by, {})

    def before(self, act: Any) -> None:
        """Read what an activation brings: results, signals, fired timers."""
        if not _is_query(act):
            if not act.is_replaying:
                self._shared.outbox.begin(act.run_id, act.history_length)
            self._following.begin(act)
        # Of a run that was reset, the first task brings what had ended in its base run.
        self._following.taking_over = any(job.HasField("update_random_seed") for job in act.jobs)
        try:
            for job in act.jobs:
                kind = job.WhichOneof("variant")
                read = self._jobs.get(kind)
                if read is not None:
                    read(getattr(job, kind))
            if not _is_query(act):
                self._recovery.follow(replaying=act.is_replaying, reset=self._following.taking_over)
        finally:
            self._following.taking_over = False

    def after(self, act: Any, completion: Any) -> None:
        """Read what the workflow asked for, add our header to it, and hold the task's spans until it is committed."""
        if not completion.HasField("successful"):
            return
        for command in completion.successful.commands:
            kind = command.WhichOneof("variant")
            read = self._commands.get(kind)
            if read is not None:
                read(command)
            elif kind in _ENDINGS:
                self._end(kind, command)
        self._timers.settle()
        if self._following.replaying or not self.run.sampled or _is_query(act):
            return
        # While local activities run, the task's completion does not go to the server.
        self._shared.outbox.hold(
            act.run_id, act.history_length, self._following.spans, may_idle=not self._activities.local_open
        )

    def _job_readers(self) -> dict[str, Callable[[Any], None]]:
        return {
            "resolve_activity": self._activities.resolve,
            "fire_timer": lambda job: self._timers.fire(job.seq),
            "signal_workflow": lambda job: signal(self._following, job, self._traffic),
            "resolve_child_workflow_execution_start": self._children.resolve_start,
            "resolve_child_workflow_execution": self._children.resolve,
            "resolve_signal_external_workflow": self._external.resolve_signal,
            "resolve_request_cancel_external_workflow": self._external.resolve_cancel,
            "resolve_nexus_operation_start": self._nexus.resolve_start,
            "resolve_nexus_operation": self._nexus.resolve,
            "do_update": self._updates.receive,
            "query_workflow": self._queries.receive,
            "cancel_workflow": lambda _: self._occurrences.cancel_requested(),
        }

    def _command_readers(self) -> dict[str, Callable[[Any], None]]:
        return {
            "schedule_activity": self._activities.schedule,
            "request_cancel_activity": lambda it: self._activities.request_cancel(it.request_cancel_activity.seq),
            "schedule_local_activity": self._activities.schedule_local,
            "start_timer": self._timers.start,
            "cancel_timer": lambda it: self._timers.cancel(it.cancel_timer.seq),
            "start_child_workflow_execution": self._children.start,
            "cancel_child_workflow_execution": lambda it: self._children.cancel(
                it.cancel_child_workflow_execution.child_workflow_seq
            ),
            "signal_external_workflow_execution": self._external.signal,
            "cancel_signal_workflow": lambda it: self._external.cancel_signal(it.cancel_signal_workflow.seq),
            "request_cancel_external_workflow_execution": lambda it: self._external.cancel(
                it.request_cancel_external_workflow_execution
            ),
            "schedule_nexus_operation": self._nexus.schedule,
            "request_cancel_nexus_operation": lambda it: self._nexus.request_cancel(
                it.request_cancel_nexus_operation.seq
            ),
            "update_response": lambda it: self._updates.respond(it.update_response),
            "respond_to_query": lambda it: self._queries.respond(it.respond_to_query),
            "set_patch_marker": self._occurrences.patched,
            "upsert_workflow_search_attributes": self._occurrences.search_attributes,
            "modify_workflow_properties": self._occurrences.memo,
        }

    def _end(self, kind: str, command: Any) -> None:
        result: list[Payload] | None = None
        failure: Failure | None = None
        if kind == "complete_workflow_execution":
            result = [command.complete_workflow_execution.result]
        elif kind == "continue_as_new_workflow_execution":
            following = command.continue_as_new_workflow_execution
            result = list(following.arguments)
            following.headers[c.HEADER].CopyFrom(header_payload(self._next_header()))
        elif kind == "fail_workflow_execution":
            failure = failure_from_proto(command.fail_workflow_execution.failure)
        for steps in (
            self._activities,
            self._timers,
            self._children,
            self._external,
            self._nexus,
            self._updates,
        ):
            steps.unclosed()
        self._following.add(
            lambda: run_span(
                self._shared.config,
                self.run,
                start=self._start,
                end=self._following.now,
                status=_ENDINGS[kind],
                task_queue=self._following.task_queue,
                attempt=self._attempt,
                given=self._given,
                result=result,
                failure=failure,
                usage=self._activities.usage(),
                history_length=self._following.task.number,
                worker_identity=self._shared.worker_identity,
                build_id=self._shared.build_id,
                events=tuple(self._occurrences.events),
                links=start_links(self._run_start),
                traffic=self._traffic,
            )
        )

    def _next_header(self) -> TraceHeader:
        """Our header for the run that continues this one: its own trace, this one's session and sampling."""
        run = self.run
        return TraceHeader(
            session=run.session_id or None,
            user=run.user_id or None,
            tags=run.tags,
            environment=run.environment or None,
            sampled=run.sampled,
            previous=str(SpanReference(run.trace_id, run.span_id, run.sampled)),
        )


def _is_query(act: Any) -> bool:
    """Whether an activation brings queries alone: they are no part of the run's history."""
    return bool(act.jobs) and all(job.HasField("query_workflow") for job in act.jobs)

"""A run that both readers are told of: the worker in activations and commands, the server in the events it writes.

A stand-in of the server: each command becomes the event that a real one writes, header and summary included. What
happens from outside (results, fired timers, signals) a test writes twice: as a job and as an event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from tests.agreement import differences
from tests.history.recording import RUN_ID, START_US, Recording
from tests.live.workflows.steps.worker import ON, Worker
from tracing.config import TracingConfig
from tracing.history import to_spans


@dataclass(frozen=True)
class Activation:
    """One more activation within a workflow task: a local activity has ended."""

    jobs: Sequence[WorkflowActivationJob]
    ms: float
    commands: Sequence[WorkflowCommand] = ()


@dataclass
class BothReaders:
    """One run, told to both readers task by task."""

    config: TracingConfig = ON
    start: dict[str, Any] = field(default_factory=dict)
    recording: Recording = field(init=False)
    worker: Worker = field(init=False)

    def __post_init__(self) -> None:
        self.recording = Recording(**self.start)
        self.worker = Worker(
            self.config,
            run_id=RUN_ID,
            workflow_id="wf",
            task_queue="queue",
            started_ns=START_US * 1_000,
            arguments=[],
            headers=self.start["header"]["fields"] if "header" in self.start else {},
        )
        self._updates: dict[str, Any] = {}
        self._opened: dict[tuple[str, object], int] = {}

    def task(
        self,
        *jobs: WorkflowActivationJob,
        ms: float,
        commands: Sequence[WorkflowCommand] = (),
        then: Sequence[Activation] = (),
    ) -> list[int]:
        """A workflow task that starts at ``ms``; returns the IDs of the events that its commands became."""
        recording = self.recording
        scheduled = recording.add("workflow_task_scheduled", ms=ms - 1)
        started = recording.add("workflow_task_started", ms=ms, scheduled_event_id=scheduled, identity="worker-1")
        answered = self.worker.task(*jobs, commands=list(commands), ms=ms, length=started)
        for activation in then:
            answered += self.worker.task(
                *activation.jobs, commands=list(activation.commands), ms=activation.ms, length=started, same_task=True
            )
        completed = recording.add(
            "workflow_task_completed", scheduled_event_id=scheduled, started_event_id=started, identity="worker-1"
        )
        for job in jobs:
            if job.HasField("do_update"):
                self._updates[job.do_update.protocol_instance_id] = job.do_update
        return [event for command in answered if (event := self._write(completed, command))]

    def kept_alive(self, *, ms: float) -> int:
        """A workflow task that Core completes to go on with a local activity: the worker sees nothing of it."""
        return self.recording.task(ms=ms)

    def check(self) -> list[str]:
        """Assert that each live span is exported, and the same; returns the names of the live ones.

        Compared is all but ends, which are seen at other times, and what the reference says only one reader can know.
        """
        exported = {span.span_id: span for span in to_spans(self.recording.read(), self.config)}
        for span in self.worker.held.spans:
            assert span.span_id in exported, span
            differences(span, exported[span.span_id])
        return [span.name for span in self.worker.held.spans]

    def _write(self, completed: int, command: WorkflowCommand) -> int:
        kind = str(command.WhichOneof("variant"))
        write = _WRITERS.get(kind)
        if write is None:
            return 0
        event, attributes = write(self, getattr(command, kind))
        if not event:
            return 0
        if not event.startswith("workflow_execution_update"):
            attributes["workflow_task_completed_event_id"] = completed
        summary = command.user_metadata.summary.data.decode().strip('"')
        written = self.recording.add(event, summary=summary, **attributes)
        asked = getattr(command, kind)
        key = asked.protocol_instance_id if kind == "update_response" else getattr(asked, "seq", 0)
        self._opened.setdefault((kind, key), written)
        return written

    def event_of(self, kind: str, key: object) -> int:
        """The event that a command became; 0 where none."""
        return self._opened.get((kind, key), 0)

    def update(self, instance: str) -> Any:
        """The job that brought an update."""
        return self._updates[instance]


Written = tuple[str, dict[str, Any]]


def _header(fields: Any) -> dict[str, Any]:
    return {"fields": dict(fields)}


def _payloads(payloads: Any) -> dict[str, Any]:
    return {"payloads": list(payloads)}


def _schedule_activity(_both: BothReaders, asked: Any) -> Written:
    return "activity_task_scheduled", {
        "activity_id": asked.activity_id,
        "activity_type": {"name": asked.activity_type},
        "task_queue": {"name": asked.task_queue or "queue"},
        "header": _header(asked.headers),
        "input": _payloads(asked.arguments),
        "retry_policy": asked.retry_policy,
    }


def _request_cancel_activity(both: BothReaders, asked: Any) -> Written:
    scheduled = both.event_of("schedule_activity", asked.seq)
    return "activity_task_cancel_requested", {"scheduled_event_id": scheduled}


def _start_timer(_both: BothReaders, asked: Any) -> Written:
    return "timer_started", {"timer_id": str(asked.seq), "start_to_fire_timeout": asked.start_to_fire_timeout}


def _cancel_timer(both: BothReaders, asked: Any) -> Written:
    started = both.event_of("start_timer", asked.seq)
    if any(event.timer_fired_event_attributes.started_event_id == started for event in both.recording.events):
        return "", {}  # Core ignores it
    return "timer_canceled", {"timer_id": str(asked.seq), "started_event_id": started}


def _start_child(_both: BothReaders, asked: Any) -> Written:
    return "start_child_workflow_execution_initiated", {
        "workflow_id": asked.workflow_id,
        "workflow_type": {"name": asked.workflow_type},
        "task_queue": {"name": asked.task_queue or "queue"},
        "header": _header(asked.headers),
        "input": _payloads(asked.input),
    }


def _cancel_child(_both: BothReaders, _asked: Any) -> Written:
    child = {"workflow_id": "child-1", "run_id": "child-run"}
    return "request_cancel_external_workflow_execution_initiated", {
        "workflow_execution": child,
        "child_workflow_only": True,
    }


def _signal_external(_both: BothReaders, asked: Any) -> Written:
    child = asked.WhichOneof("target") == "child_workflow_id"
    other = asked.workflow_execution
    return "signal_external_workflow_execution_initiated", {
        "workflow_execution": {"workflow_id": asked.child_workflow_id}
        if child
        else {"workflow_id": other.workflow_id, "run_id": other.run_id},
        "signal_name": asked.signal_name,
        "header": _header(asked.headers),
        "input": _payloads(asked.args),
        "child_workflow_only": child,
    }


def _cancel_external(_both: BothReaders, asked: Any) -> Written:
    other = asked.workflow_execution
    return "request_cancel_external_workflow_execution_initiated", {
        "workflow_execution": {"workflow_id": other.workflow_id, "run_id": other.run_id},
    }


def _schedule_nexus(_both: BothReaders, asked: Any) -> Written:
    return "nexus_operation_scheduled", {
        "endpoint": asked.endpoint,
        "service": asked.service,
        "operation": asked.operation,
        "input": asked.input,
        "nexus_header": dict(asked.nexus_header),
    }


def _cancel_nexus(both: BothReaders, asked: Any) -> Written:
    scheduled = both.event_of("schedule_nexus_operation", asked.seq)
    return "nexus_operation_cancel_requested", {"scheduled_event_id": scheduled}


def _update_response(both: BothReaders, response: Any) -> Written:
    update, accepted = (
        both.update(response.protocol_instance_id),
        both.event_of("update_response", response.protocol_instance_id),
    )
    status = response.WhichOneof("response")
    if status == "accepted":
        given = {"name": update.name, "args": _payloads(update.input), "header": _header(update.headers)}
        request = {"meta": {"update_id": update.id, "identity": update.meta.identity}, "input": given}
        return "workflow_execution_update_accepted", {"accepted_request": request}
    if not accepted:
        return "", {}
    outcome = {"success": _payloads([response.completed])} if status == "completed" else {"failure": response.rejected}
    return "workflow_execution_update_completed", {"accepted_event_id": accepted, "outcome": outcome}


def _complete(_both: BothReaders, asked: Any) -> Written:
    return "workflow_execution_completed", {"result": _payloads([asked.result])}


def _fail(_both: BothReaders, asked: Any) -> Written:
    return "workflow_execution_failed", {"failure": asked.failure}


def _cancel(_both: BothReaders, _asked: Any) -> Written:
    return "workflow_execution_canceled", {}


def _continue_as_new(_both: BothReaders, asked: Any) -> Written:
    return "workflow_execution_continued_as_new", {"input": _payloads(asked.arguments)}


_WRITERS: dict[str, Callable[[BothReaders, Any], Written]] = {
    "schedule_activity": _schedule_activity,
    "request_cancel_activity": _request_cancel_activity,
    "start_timer": _start_timer,
    "cancel_timer": _cancel_timer,
    "start_child_workflow_execution": _start_child,
    "cancel_child_workflow_execution": _cancel_child,
    "signal_external_workflow_execution": _signal_external,
    "request_cancel_external_workflow_execution": _cancel_external,
    "schedule_nexus_operation": _schedule_nexus,
    "request_cancel_nexus_operation": _cancel_nexus,
    "update_response": _update_response,
    "complete_workflow_execution": _complete,
    "fail_workflow_execution": _fail,
    "cancel_workflow_execution": _cancel,
    "continue_as_new_workflow_execution": _continue_as_new,
}
"""The event that a server writes of each command; of what is not here it writes none, or a test does."""

"""A worker that has one run in its cache: what it is told and answers, task by task, and the spans that follow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import InitializeWorkflow, WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.testing import ActivityEnvironment

from tests.live.workflows.steps.payloads import MS, RUN_ID, STARTED_S, moment, text
from tests.rendering import render
from tracing.config import TracingConfig
from tracing.headers import TraceHeader
from tracing.live.delivery.emitter import Emitter
from tracing.live.workflows.recovery import Recoveries
from tracing.live.workflows.tracker import RunTracker, TrackerFactory
from tracing.spans.model import Span

ON, OFF = TracingConfig(capture_content=True), TracingConfig()


@dataclass
class Held:
    """Stands where the outbox stands, and keeps what it is told."""

    spans: list[Span] = field(default_factory=list)
    may_idle: list[bool] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    put_at_once: list[Span] = field(default_factory=list)

    def put(self, span: Span) -> None:
        """See `Outbox`."""
        self.put_at_once.append(span)

    def begin(self, _run_id: str, task: int) -> None:
        """See `Outbox`."""
        self.begun.append(task)

    def hold(self, _run_id: str, task: int, spans: list[Span], *, may_idle: bool) -> None:
        """See `Outbox`."""
        assert task == self.begun[-1]
        self.spans += spans
        self.may_idle.append(may_idle)


class Worker:
    """A worker that has one run in its cache. Its task `n` starts 10 ms times n after the run did."""

    def __init__(
        self,
        config: TracingConfig = OFF,
        *,
        header: TraceHeader | None = None,
        sampler: Sampler = ALWAYS_ON,
        run_id: str = RUN_ID,
        started_ns: int = STARTED_S * 1_000 * MS,
        task_queue: str = "test",
        recoveries: Recoveries | None = None,
        **start: Any,
    ) -> None:
        self.held = Held()
        self._run_id = run_id
        self._started_ns = started_ns
        provider = TracerProvider(
            sampler=sampler, resource=Resource({"service.name": "agents"}), shutdown_on_exit=False
        )
        start = {
            "workflow_type": "Research",
            "workflow_id": "research-1",
            "arguments": [text("a question")],
            "first_execution_run_id": run_id,
            "attempt": 1,
            "start_time": moment(started_ns),
            "headers": {} if header is None else {"durable-trace": Payload(data=header.encode())},
            **start,
        }
        # An activity's has what is read of a workflow's: namespace, task queue.
        info: Any = replace(ActivityEnvironment.default_info(), task_queue=task_queue)
        outbox: Any = self.held
        factory = TrackerFactory(
            config, Emitter(provider), outbox, "worker-1", recoveries=recoveries or Recoveries(None)
        )
        self.tracker: RunTracker = factory.create(info, run_id, InitializeWorkflow(**start))
        self._tasks = 0

    def task(
        self,
        *jobs: WorkflowActivationJob,
        commands: list[WorkflowCommand] | None = None,
        ms: float | None = None,
        length: int | None = None,
        replaying: bool = False,
        same_task: bool = False,
        fails: bool = False,
    ) -> list[WorkflowCommand]:
        """Do a workflow task, or go on with it; returns its commands as they go to the server.

        Args:
            jobs: What the worker is told.
            commands: What the workflow asks for.
            ms: Workflow time, in ms after the run's start.
            length: Length of the history that the task was given.
            replaying: Whether it is done again.
            same_task: Whether it is one more activation of the task before.
            fails: Whether the workflow's code raises what fails the task.
        """
        self._tasks += 0 if same_task else 1
        act = WorkflowActivation(
            run_id=self._run_id,
            history_length=self._tasks * 5 if length is None else length,
            is_replaying=replaying,
            timestamp=moment(self._started_ns + round((self._tasks * 10 if ms is None else ms) * MS)),
            jobs=jobs,
        )
        completion = WorkflowActivationCompletion(run_id=self._run_id)
        if fails:
            completion.failed.failure.message = "boom"
        else:
            completion.successful.commands.extend(commands or [])
        self.tracker.before(act)
        self.tracker.after(act, completion)
        return list(completion.successful.commands)

    def trace(self, *only: str) -> str:
        """The spans held so far, with the attributes to look at."""
        return f"\n{render(self.held.spans, only=only)}\n"

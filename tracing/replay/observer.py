"""What does the code do while it is replayed?

Reads activations and commands, as Core hands them to the workflow and takes them back. What it sees is what the code
really did, also where it no longer fits the history.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Final

from temporalio.client import WorkflowHistory
from temporalio.worker import (
    Plugin,
    Replayer,
    ReplayerConfig,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowReplayResult,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tracing.activations import DelegatingInstance, DelegatingRunner
from tracing.replay.code_lines import SourceLine
from tracing.replay.commands import asked_command
from tracing.replay.divergence import Issued
from tracing.replay.guard import Guard, Scope
from tracing.replay.issuing import Issuing, watched
from tracing.replay.steps import Steps
from tracing.sandbox import passing_through

_TAKEN_BACK: Final = {
    "cancel_timer": ("start_timer", "seq"),
    "request_cancel_activity": ("schedule_activity", "seq"),
    "cancel_child_workflow_execution": ("start_child_workflow_execution", "child_workflow_seq"),
    "cancel_signal_workflow": ("signal_external_workflow_execution", "seq"),
    "request_cancel_nexus_operation": ("schedule_nexus_operation", "seq"),
}
"""Commands that cancel: Core sends neither them nor what they cancel, where the same task asked for both."""


class Observation:
    """What one replay did.

    Attributes:
        steps: Its steps.
        error: Message of the error that ended a workflow task; "" while there is none.
        error_source: Where the code raised it.
        waiting: Where the code waited when it was evicted, or began.
        workflow_tasks: How many workflow tasks were replayed.
        guard: Watches what the code tries to reach.
        reached_from: Line of code that tried it first.
    """

    def __init__(self, scope: Scope = "workflow") -> None:
        self.steps = Steps()
        self.error = ""
        self.error_source: SourceLine | None = None
        self.waiting: SourceLine | None = None
        self.workflow_tasks = 0
        self.guard = Guard(scope, self._tried)
        self.reached_from: SourceLine | None = None
        self.issuing: Issuing | None = None
        self._issued: list[Issued] = []
        self._activation = 0
        self._task = -1
        self._of_task: dict[tuple[str, int], Issued] = {}

    @property
    def issued(self) -> list[Issued]:
        """What the code asked for, in that order, without what it took back before it was sent."""
        return [
            replace(each, open=each.step is not None and self.steps.asked[each.step].resolved is None)
            for each in self._issued
        ]

    @property
    def raised(self) -> tuple[str, SourceLine | None]:
        """Class and message of what the code raised last, and where."""
        return (self.issuing.raised, self.issuing.raised_at) if self.issuing is not None else ("", None)

    def before(self, activation: Any) -> None:
        """Read what a task brings."""
        if any(job.HasField("remove_from_cache") for job in activation.jobs):
            self.waiting = self.issuing.waiting() if self.issuing is not None else None
            return
        self._activation += 1
        if activation.history_length != self._task:
            self._task = activation.history_length
            self.workflow_tasks += 1
            self._of_task.clear()
        for job in activation.jobs:
            self.steps.resolve(job)

    def after(self, completion: Any) -> None:
        """Read what the code asked for."""
        if completion.HasField("failed"):
            failure = completion.failed.failure
            self.error = failure.message
            if self.issuing is not None:
                self.error_source = self.issuing.raised_at or self.issuing.line_of(failure.stack_trace)
            return
        commands = completion.successful.commands
        lines = self.issuing.lines if self.issuing is not None else []
        known = len(lines) == len(commands)
        for number, command in enumerate(commands):
            self._read(command, lines[number] if known else None)

    def _read(self, command: Any, source: SourceLine | None) -> None:
        variant = command.WhichOneof("variant")
        taken_back = _TAKEN_BACK.get(variant)
        if taken_back is not None:
            start, number = taken_back
            gone = self._of_task.pop((start, getattr(getattr(command, variant), number)), None)
            if gone is not None:
                self._issued.remove(gone)
            return
        step = self.steps.ask(command, source)
        asked = asked_command(command)
        if asked is not None:
            issued = Issued(asked, self._activation, source, step)
            self._issued.append(issued)
            if step is not None:
                self._of_task[variant, getattr(command, variant).seq] = issued

    def _tried(self) -> None:
        if self.reached_from is None and self.issuing is not None:
            self.reached_from = self.issuing.line_here()


class ObservingPlugin(Plugin):
    """Observes a replayer. To be its last plugin: others may change the workflow runner that it wraps."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Wrap both workflow runners."""
        # Workflows whose module declares tools or model calls import this package; no plugin need be named for that.
        sandboxed = passing_through(config.get("workflow_runner") or SandboxedWorkflowRunner())
        unsandboxed = config.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner()
        config["workflow_runner"] = _ObservedRunner(sandboxed, self._observation)
        config["unsandboxed_workflow_runner"] = _ObservedRunner(unsandboxed, self._observation)
        return config

    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[  # noqa: A002 - the SDK's name
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Leave it as it is."""
        return next(replayer, histories)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Leave it as it is: this is for replayers."""
        return config

    async def run_worker(
        self,
        worker: Worker,
        next: Callable[[Worker], Awaitable[None]],  # noqa: A002 - the SDK's name
    ) -> None:
        """Leave it as it is: this is for replayers."""
        await next(worker)


class _ObservedRunner(DelegatingRunner):
    def __init__(self, inner: WorkflowRunner, observation: Observation) -> None:
        super().__init__(inner)
        self._observation = observation

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        details, issuing = watched(det)
        self._observation.issuing = issuing
        with self._observation.guard.workflow_code():  # the sandbox imports the workflow's module again
            return _ObservedInstance(super().create_instance(details), self._observation, issuing)


class _ObservedInstance(DelegatingInstance):
    def __init__(self, inner: WorkflowInstance, observation: Observation, issuing: Issuing) -> None:
        super().__init__(inner)
        self._observation = observation
        self._issuing = issuing

    def activate(self, act: Any) -> Any:
        self._observation.before(act)
        with self._observation.guard.workflow_code(), self._issuing.activation():
            completion = super().activate(act)
        self._observation.after(completion)
        return completion

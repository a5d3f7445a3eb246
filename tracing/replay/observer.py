"""What does the code do while it is replayed: which steps does it ask for, and which results does it get?

Reads activations and commands, as Core hands them to the workflow and takes them back. What it sees is what the code
really did, also where it no longer fits the history.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(slots=True)
class ObservedStep:
    """An activity that the replayed code asked for. Times are of the replay, in ns since the epoch."""

    activity_id: str
    activity_type: str
    nth: int
    issued: int
    resolved: int | None = None


@dataclass(slots=True)
class Observation:
    """What one replay did.

    Attributes:
        steps: Activities, in the order the code asked for them.
        error: Message of the error that ended a workflow task; "" while there is none.
    """

    steps: list[ObservedStep] = field(default_factory=list)
    error: str = ""
    _open: dict[int, ObservedStep] = field(default_factory=dict)
    _uses: Counter[str] = field(default_factory=Counter)

    def before(self, activation: Any) -> None:
        """Read the results that a task brings."""
        for job in activation.jobs:
            if job.HasField("resolve_activity") and not job.resolve_activity.result.HasField("backoff"):
                step = self._open.pop(job.resolve_activity.seq, None)
                if step is not None:
                    step.resolved = time.time_ns()

    def after(self, completion: Any) -> None:
        """Read what the code asked for."""
        if completion.HasField("failed"):
            self.error = completion.failed.failure.message
        for command in completion.successful.commands:
            kind = command.WhichOneof("variant")
            if kind in {"schedule_activity", "schedule_local_activity"}:
                asked = getattr(command, kind)
                self._uses[asked.activity_id] += 1
                step = ObservedStep(
                    asked.activity_id, asked.activity_type, self._uses[asked.activity_id], time.time_ns()
                )
                self._open[asked.seq] = step
                self.steps.append(step)


class ObservingPlugin(Plugin):
    """Observes a replayer. To be its last plugin: others may change the workflow runner that it wraps."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Wrap both workflow runners."""
        sandboxed = config.get("workflow_runner") or SandboxedWorkflowRunner()
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
        return _ObservedInstance(super().create_instance(det), self._observation)


class _ObservedInstance(DelegatingInstance):
    def __init__(self, inner: WorkflowInstance, observation: Observation) -> None:
        super().__init__(inner)
        self._observation = observation

    def activate(self, act: Any) -> Any:
        self._observation.before(act)
        completion = super().activate(act)
        self._observation.after(completion)
        return completion

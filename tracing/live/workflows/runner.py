"""Where do we see what a workflow does? In the activations that Core hands to it and the commands it answers with.

The activations of a run are the history, as the worker sees it; the commands are the events to come. So the live reader
reads the same facts as the history reader, whatever the workflow's code and interceptors do, without running inside the
sandbox. A `Replayer` never gets this runner: replay is silent by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import temporalio.worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tracing.activations import DelegatingInstance, DelegatingRunner
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.failopen import fail_open
from tracing.live.workflows.cached import CachedRuns
from tracing.live.workflows.context import WorkflowCode, activated, with_workflow_context
from tracing.live.workflows.tracker import RunTracker, TrackerFactory

_CACHE_FULL: Final = 1
_EXECUTION_ENDING: Final = 10
_COMMITTED: Final = frozenset({_CACHE_FULL, _EXECUTION_ENDING})
"""Eviction reasons (coresdk.workflow_activation.RemoveFromCache) after which the last task stays."""


def traced_runner(
    runner: temporalio.worker.WorkflowRunner, trackers: TrackerFactory
) -> temporalio.worker.WorkflowRunner:
    """The worker's own workflow runner, whose instances are followed; the sandbox stays as the user set it.

    The SDK's sandbox stays one by its type: other plugins look for it to set its restrictions.
    """
    if type(runner) is SandboxedWorkflowRunner:
        return TracedSandboxRunner(runner.restrictions, runner.runner_class, trackers=trackers)
    return TracedRunner(runner, trackers)


def cached_runs(worker: temporalio.worker.Worker) -> Iterator[CachedRuns]:
    """The runs that a worker has in its cache; none where its user turned safe eviction off."""
    config = worker.config(active_config=True)
    if not config.get("disable_safe_eviction"):
        # Both runners of a worker know the same ones.
        for runner in (config.get("workflow_runner"), config.get("unsandboxed_workflow_runner")):
            if isinstance(runner, TracedSandboxRunner | TracedRunner):
                yield runner.trackers.cached


@dataclass(frozen=True)
class TracedSandboxRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, whose instances are followed."""

    trackers: TrackerFactory = field(kw_only=True)

    def create_instance(self, det: temporalio.worker.WorkflowInstanceDetails) -> temporalio.worker.WorkflowInstance:
        """See the SDK."""
        return _TracedInstance(super().create_instance(with_workflow_context(det)), self.trackers)


class TracedRunner(DelegatingRunner):
    """Wraps any other workflow runner."""

    def __init__(self, inner: temporalio.worker.WorkflowRunner, trackers: TrackerFactory) -> None:
        super().__init__(inner)
        self.trackers = trackers

    def create_instance(self, det: temporalio.worker.WorkflowInstanceDetails) -> temporalio.worker.WorkflowInstance:
        """See the SDK."""
        return _TracedInstance(super().create_instance(with_workflow_context(det)), self.trackers)


class _TracedInstance(DelegatingInstance):
    def __init__(self, inner: temporalio.worker.WorkflowInstance, trackers: TrackerFactory) -> None:
        super().__init__(inner)
        self._trackers = trackers
        self._tracker: RunTracker | None = None
        self._code: WorkflowCode | None = None
        self._at_work = False
        trackers.cached.add(self)

    def activate(self, act: Any) -> Any:
        """Let the workflow do its task; read the activation before and the commands after."""
        self._at_work = True
        try:
            return self._activate(act)
        finally:
            self._at_work = False

    def leave(self, activation: Any) -> None:
        """See `CachedRun`; a run whose code hangs in its thread is left alone."""
        if not self._at_work:
            super().activate(activation)

    def _activate(self, act: Any) -> Any:
        if len(act.jobs) == 1 and act.jobs[0].HasField("remove_from_cache"):
            with fail_open("eviction"):
                reason = act.jobs[0].remove_from_cache.reason
                self._trackers.outbox.evicted(act.run_id, committed=reason in _COMMITTED)
                if reason != _EXECUTION_ENDING:
                    self._trackers.recoveries.evicted(act.run_id)
                self._trackers.cached.remove(self)
            return super().activate(act)
        with fail_open("workflow activation"):
            self._before(act)
        completion = self._do(act)
        with fail_open("workflow completion"):
            if self._tracker is not None:
                self._tracker.after(act, completion)
        return completion

    def _do(self, act: Any) -> Any:
        if self._code is None:
            return super().activate(act)
        with activated(self._code):
            return super().activate(act)

    def _before(self, act: Any) -> None:
        if self._tracker is None:
            for job in act.jobs:
                if job.HasField("initialize_workflow"):
                    self._tracker = self._trackers.create(self.get_info(), act.run_id, job.initialize_workflow)
                    self._code = WorkflowCode(
                        self._tracker.run, self._trackers.config, self._tracker.add, self._tracker.asked
                    )
                    prepare_provider(self._trackers.emitter.provider)
        if self._tracker is not None:
            self._tracker.before(act)

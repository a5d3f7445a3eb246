"""How is a worker's own CPU measured, to the microsecond? Without server and Core: both only add noise.

The SDK's own worker runs here, with everything that its plugins add; only its bridge to Core is taken away. Activations
and activity tasks are handed to it as Core would hand them, one after the other, in one thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import temporalio.bridge.proto.activity_task as tasks
import temporalio.bridge.proto.workflow_activation as activations
import temporalio.worker
from temporalio.api.common.v1 import Payload
from temporalio.worker._activity import _RunningActivity

START = 1_763_884_800
"""Workflow time of all runs, in seconds since the epoch; each workflow task is a second later."""

_ENDING = activations.RemoveFromCache.EvictionReason.WORKFLOW_EXECUTION_ENDING


@dataclass
class Spent:
    """CPU of a run, in ns.

    Attributes:
        start: The first workflow task, which makes the workflow's instance.
        tasks: Each workflow task after it.
        activities: Each activity, from its task to its completion.
        run: All of the run, in all threads: also what the plugins do beside.
    """

    start: int
    tasks: list[int]
    activities: list[int]
    run: int


class MeasuredWorker:
    """A worker that is not run but driven.

    Args:
        worker: The worker, made but not running.
        headers: Header fields of the starts, as the client's interceptors make them.
        settle: Called at the end of a run, to wait for what the plugins do in threads of their own.
    """

    def __init__(
        self, worker: temporalio.worker.Worker, headers: Mapping[str, Payload], settle: Callable[[], object]
    ) -> None:
        assert worker._workflow_worker  # noqa: SLF001 - the SDK has no other way to drive it
        assert worker._activity_worker  # noqa: SLF001
        self._workflows = worker._workflow_worker  # noqa: SLF001
        self._activities = worker._activity_worker  # noqa: SLF001
        self._headers = headers
        self._settle = settle
        self._completion: Any = None
        for part in (self._workflows, self._activities):
            part._bridge_worker = lambda: self  # type: ignore[assignment,return-value]  # noqa: SLF001
        self._workflows._workflow_task_executor = _Inline()  # noqa: SLF001
        self._runs = itertools.count(1)

    async def complete_workflow_activation(self, completion: Any) -> None:
        """What Core would take from the workflow worker."""
        self._completion = completion

    async def complete_activity_task(self, completion: Any) -> None:
        """What Core would take from the activity worker."""
        self._completion = completion

    async def run(self, workflow_type: str, argument: Payload) -> Spent:
        """Run a workflow that asks for one activity after the other, to its end."""
        run_id = f"0199c0de-0000-7000-8000-{next(self._runs):012x}"
        begun = time.process_time_ns()
        first = activations.WorkflowActivationJob()
        init = first.initialize_workflow
        init.workflow_type, init.workflow_id = workflow_type, "bench"
        init.arguments.append(argument)
        init.attempt, init.first_execution_run_id = 1, run_id
        init.start_time.FromSeconds(START)
        init.workflow_task_timeout.FromSeconds(10)
        for name, payload in self._headers.items():
            init.headers[name].CopyFrom(payload)
        spent = Spent(0, [], [], 0)
        spent.start = await self._task(run_id, 3, first)
        while (command := self._asked()) is not None:
            job = activations.WorkflowActivationJob()
            job.resolve_activity.seq = command.seq
            spent.activities.append(await self._activity(run_id, workflow_type, command))
            job.resolve_activity.result.completed.CopyFrom(self._completion.result.completed)
            spent.tasks.append(await self._task(run_id, 6 * len(spent.activities) + 3, job))
        evict = activations.WorkflowActivationJob()
        evict.remove_from_cache.reason = _ENDING
        await self._task(run_id, 0, evict)
        await asyncio.to_thread(self._settle)
        spent.run = time.process_time_ns() - begun
        return spent

    def _asked(self) -> Any:
        [command] = self._completion.successful.commands
        return command.schedule_activity if command.HasField("schedule_activity") else None

    async def _task(self, run_id: str, history_length: int, job: activations.WorkflowActivationJob) -> int:
        activation = activations.WorkflowActivation(run_id=run_id, history_length=history_length, jobs=[job])
        activation.timestamp.FromSeconds(START + history_length)
        begun = time.thread_time_ns()
        await self._workflows._handle_activation(activation)  # noqa: SLF001
        return time.thread_time_ns() - begun

    async def _activity(self, run_id: str, workflow_type: str, command: Any) -> int:
        start = tasks.Start(
            workflow_namespace="default",
            workflow_type=workflow_type,
            activity_id=command.activity_id,
            activity_type=command.activity_type,
            input=command.arguments,
            attempt=1,
            retry_policy=command.retry_policy,
        )
        start.workflow_execution.workflow_id, start.workflow_execution.run_id = "bench", run_id
        for name, payload in command.headers.items():
            start.header_fields[name].CopyFrom(payload)
        for moment in (start.scheduled_time, start.current_attempt_scheduled_time, start.started_time):
            moment.FromSeconds(START)
        start.start_to_close_timeout.CopyFrom(command.start_to_close_timeout)
        token, running = run_id.encode(), _RunningActivity()
        self._activities._running_activities[token] = running  # noqa: SLF001
        begun = time.thread_time_ns()
        # A task of its own, as the SDK does: what it sets in its context ends with it.
        running.task = asyncio.create_task(self._activities._handle_start_activity_task(token, start, running))  # noqa: SLF001
        await running.task
        return time.thread_time_ns() - begun


class _Inline(concurrent.futures.ThreadPoolExecutor):
    """Runs workflow tasks in the event loop's own thread: changing threads costs more than what is measured."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)
            finally:
                # The workflow's own event loop leaves none behind.
                asyncio._set_running_loop(loop)  # noqa: SLF001

        loop.call_soon(run)
        return future

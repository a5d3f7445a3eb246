"""Does today's code still do what a run's history says it did?

Runs workflow code against a history with the SDK's `Replayer`. Activities are never called: their results come from the
history, so a replay makes no model call.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from temporalio.converter import DataConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Interceptor, Plugin, Replayer
from temporalio.workflow import NondeterminismError

from tracing.history import Source
from tracing.replay.observer import Observation, ObservingPlugin
from tracing.replay.source import recording

ReplayOutcome = Literal["reproduced", "diverged", "failed"]

_WRAPPED_MESSAGE: Final = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
"""Core hands a failure over as Rust writes it for debugging."""
_ESCAPED: Final = re.compile(r"\\(.)")
_EVENT: Final = re.compile(r"HistoryEvent\(id: (\d+)|event id:? (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """An activity that the replayed code asked for.

    Attributes:
        activity_id: Activity ID.
        activity_type: Activity type.
        nth: Which use of the activity ID, from 1.
        issued: When the code asked for it, in ns since the epoch.
        resolved: When it got the result from history, in ns; None where it got none.
    """

    activity_id: str
    activity_type: str
    nth: int
    issued: int
    resolved: int | None


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay.

    Attributes:
        replay_id: ID of this replay.
        namespace: Namespace of the run.
        workflow_id: Workflow ID of the run.
        run_id: The real run ID of the run.
        workflow_type: Workflow type.
        outcome: ``reproduced``: the code did what the history says. ``diverged``: it asked for something else.
            ``failed``: it could not be replayed: it raised where the run did not, or has no such workflow.
        message: Why not, in the SDK's words; "" where it was reproduced.
        event_id: Event at which it diverged, where the SDK names it.
        started: When the replay began, in ns since the epoch.
        duration: How long it took, in ns.
        steps: What the code asked for, in that order.
    """

    replay_id: str
    namespace: str
    workflow_id: str
    run_id: str
    workflow_type: str
    outcome: ReplayOutcome
    message: str
    event_id: int | None
    started: int
    duration: int
    steps: tuple[ReplayedStep, ...]

    @property
    def reused_steps(self) -> tuple[ReplayedStep, ...]:
        """Steps whose result came from history."""
        return tuple(step for step in self.steps if step.resolved is not None)


async def replay(
    history: Source,
    workflows: Sequence[type],
    *,
    run_id: str | None = None,
    workflow_id: str | None = None,
    namespace: str | None = None,
    replay_id: str | None = None,
    plugins: Sequence[Plugin] = (),
    interceptors: Sequence[Interceptor] = (),
    data_converter: DataConverter = DataConverter.default,
    runtime: Runtime | None = None,
) -> Replay:
    """Replay one run.

    Args:
        history: A history file, its bytes, or what ``handle.fetch_history()`` returned.
        workflows: Workflow classes, among them that of the run.
        run_id: Real run ID, where the history does not name it.
        workflow_id: Workflow ID, where the history does not name it.
        namespace: Namespace; else what the file says, else "default".
        replay_id: ID of the replay, for its trace; a new one where None.
        plugins: Plugins of the worker that ran it.
        interceptors: Interceptors of that worker.
        data_converter: Data converter of that worker.
        runtime: Runtime of the SDK; one that does not log where None.

    Raises:
        ValueError: The history cannot be read or is not whole.
    """
    record = recording(history, workflow_id=workflow_id, run_id=run_id, namespace=namespace)
    observation = Observation()
    with ThreadPoolExecutor(thread_name_prefix="replay") as executor:
        replayer = Replayer(
            workflows=workflows,
            workflow_task_executor=executor,
            namespace=record.namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=[*plugins, ObservingPlugin(observation)],
            runtime=runtime or _quiet_runtime(),
        )
        started, clock = time.time_ns(), time.perf_counter_ns()
        result = await replayer.replay_workflow(record.history, raise_on_replay_failure=False)
        duration = time.perf_counter_ns() - clock
    failure = result.replay_failure
    message = "" if failure is None else observation.error or _plain(str(failure))
    event = _EVENT.search(message)
    return Replay(
        replay_id=replay_id or uuid.uuid4().hex,
        namespace=record.namespace,
        workflow_id=record.history.workflow_id,
        run_id=record.run_id,
        workflow_type=record.workflow_type,
        outcome=_outcome(failure),
        message=message,
        event_id=int(event[1] or event[2]) if event else None,
        started=started,
        duration=duration,
        steps=tuple(
            ReplayedStep(step.activity_id, step.activity_type, step.nth, step.issued, step.resolved)
            for step in observation.steps
        ),
    )


@cache
def _quiet_runtime() -> Runtime:
    # The default one writes warnings to standard output, where the command line prints its results.
    return Runtime(telemetry=TelemetryConfig(logging=None))


def _outcome(failure: Exception | None) -> ReplayOutcome:
    if failure is None:
        return "reproduced"
    return "diverged" if isinstance(failure, NondeterminismError) else "failed"


def _plain(message: str) -> str:
    wrapped = _WRAPPED_MESSAGE.search(message)
    if wrapped is None:
        return message
    return _ESCAPED.sub(lambda escaped: {"n": "\n", "t": "\t"}.get(escaped[1], escaped[1]), wrapped[1])

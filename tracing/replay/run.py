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
from tracing.replay.divergence import Divergence, divergence, next_expected
from tracing.replay.guard import NetworkForbiddenError, Scope
from tracing.replay.loading import of_type
from tracing.replay.observer import Observation, ObservingPlugin
from tracing.replay.source import Recording, recording
from tracing.replay.steps import ReplayedStep

ReplayOutcome = Literal["reproduced", "diverged", "failed"]

_WRAPPED_MESSAGE: Final = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
"""Core hands a failure over as Rust writes it for debugging."""
_ESCAPED: Final = re.compile(r"\\(.)")
_ARGUMENTS: Final = "Failed decoding arguments"
"""All that the SDK says where payloads are encoded, or of another converter."""
_HOW_DECODED: Final = (
    ": give the DataConverter of your workers (--data-converter), or what decodes their payloads (--codec, "
    "--codec-endpoint)."
)
_DEADLOCK: Final = "[TMPRL1101]"


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
        divergence: Where code and history part, or where the code raised; None where it was reproduced, or never ran.
        started: When the replay began, in ns since the epoch.
        duration: How long it took, in ns.
        workflow_tasks: How many workflow tasks were replayed.
        steps: What the code asked for, in that order.
        guarded: Whether a guard watched, and no connection was tried: then no model was called.
    """

    replay_id: str
    namespace: str
    workflow_id: str
    run_id: str
    workflow_type: str
    outcome: ReplayOutcome
    message: str
    started: int
    duration: int
    steps: tuple[ReplayedStep, ...]
    divergence: Divergence | None = None
    workflow_tasks: int = 0
    guarded: bool = False

    @property
    def event_id(self) -> int | None:
        """Event at which it diverged, where that is known."""
        return self.divergence.event_id if self.divergence is not None else None

    @property
    def reused_steps(self) -> tuple[ReplayedStep, ...]:
        """Steps whose result came from history."""
        return tuple(step for step in self.steps if step.resolved is not None)

    @property
    def diverging_step(self) -> ReplayedStep | None:
        """The step that the code asked for where history has something else; None where it asked for none there."""
        step = self.divergence.step if self.divergence is not None else None
        return None if step is None else self.steps[step]


async def replay(
    history: Source | Recording,
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
    guard: Scope = "workflow",
) -> Replay:
    """Replay one run.

    Args:
        history: A history file, its bytes, what ``handle.fetch_history()`` returned, or one of ``recordings()``.
        workflows: Workflow classes, among them that of the run.
        run_id: Real run ID, where the history does not name it.
        workflow_id: Workflow ID, where the history does not name it.
        namespace: Namespace; else what the file says, else "default".
        replay_id: ID of the replay, for its trace; a new one where None.
        plugins: Plugins of the worker that ran it.
        interceptors: Interceptors of that worker.
        data_converter: Data converter of that worker.
        runtime: Runtime of the SDK; one that does not log where None.
        guard: Whose connections are stopped: those of "workflow" code and of threads that it starts; or, in a
            "process" that does nothing else, all but those of the data converter and of the SDK.

    Raises:
        ValueError: The history cannot be read or is not whole.
    """
    record = (
        history
        if isinstance(history, Recording)
        else recording(history, workflow_id=workflow_id, run_id=run_id, namespace=namespace)
    )
    observation = Observation(guard)
    workflow = of_type(workflows, record.workflow_type)
    with ThreadPoolExecutor(thread_name_prefix="replay") as executor:
        replayer = Replayer(
            workflows=workflows if workflow is None else [workflow],  # each is prepared, which takes time
            workflow_task_executor=executor,
            namespace=record.namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=[*plugins, ObservingPlugin(observation)],
            runtime=runtime or _quiet_runtime(),
        )
        started, clock = time.time_ns(), time.perf_counter_ns()
        with observation.guard.guarding():
            result = await replayer.replay_workflow(record.history, raise_on_replay_failure=False)
        duration = time.perf_counter_ns() - clock
    outcome, message, parted = _verdict(record, observation, result.replay_failure)
    return Replay(
        replay_id=replay_id or uuid.uuid4().hex,
        namespace=record.namespace,
        workflow_id=record.history.workflow_id,
        run_id=record.run_id,
        workflow_type=record.workflow_type,
        outcome=outcome,
        message=message,
        started=started,
        duration=duration,
        steps=tuple(observation.steps.asked),
        divergence=parted,
        workflow_tasks=observation.workflow_tasks,
        guarded=not observation.guard.attempts,
    )


def _verdict(
    record: Recording, observation: Observation, failure: Exception | None
) -> tuple[ReplayOutcome, str, Divergence | None]:
    if observation.guard.attempts:
        # Whatever the code made of it.
        at = observation.reached_from
        where = f" at {at}" if at is not None else ""
        tried = observation.guard.attempts[0]
        return (
            "failed",
            f"Workflow code tried to {tried}{where}: do that in an activity.",
            Divergence(error=f"{NetworkForbiddenError.__name__}: it tried to {tried}", source=at),
        )
    if failure is None:
        return "reproduced", "", None
    message = observation.error or _plain(str(failure))
    if message == _ARGUMENTS:
        message += _HOW_DECODED
    if isinstance(failure, NondeterminismError):
        parted = divergence(record.history.events, observation.issued, message, observation.waiting)
        return "diverged", message, parted
    raised, line = observation.raised
    if not raised and not observation.error and _DEADLOCK not in message:
        return "failed", message, None  # it never ran
    following = next_expected(record.history.events, observation.issued)
    parted = Divergence(
        event_id=following.event_id if following is not None else None,
        expected=following,
        error=raised if raised and _DEADLOCK not in message else message.partition("\n")[0],
        source=line or observation.error_source,
    )
    return "failed", message, parted


@cache
def _quiet_runtime() -> Runtime:
    # The default one writes warnings to standard output, where the command line prints its results.
    return Runtime(telemetry=TelemetryConfig(logging=None))


def _plain(message: str) -> str:
    wrapped = _WRAPPED_MESSAGE.search(message)
    if wrapped is None:
        return message
    return _ESCAPED.sub(lambda escaped: {"n": "\n", "t": "\t"}.get(escaped[1], escaped[1]), wrapped[1])

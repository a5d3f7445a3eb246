"""Which steps does replayed code ask for, and which of them get their results from history?

Read from activations and commands, as Core hands them to the workflow and takes them back; with the keys that
``tracing.identity`` gives to the steps of a run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tracing.identity import StepKind
from tracing.replay.code_lines import SourceLine


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """A step that the replayed code asked for. Times are of the replay, in ns since the epoch.

    Attributes:
        kind: What it is.
        type: Activity type, workflow type of a child, signal name, Nexus service/operation; "" where it has none.
        id: Activity ID, timer ID, workflow ID of a child or receiver; of a Nexus operation, its endpoint.
        nth: Which use of its ID in the run, from 1; of signals sent, which of all.
        issued: When the code asked for it.
        resolved: When it got the result from history; None where it got none.
        source: Line of code that asked for it, where that is known.
        timeout: What a timer was set to, in ns.
        to_child: Whether a signal went to a child.
    """

    kind: StepKind
    type: str
    id: str
    nth: int = 1
    issued: int = 0
    resolved: int | None = None
    source: SourceLine | None = None
    timeout: int = 0
    to_child: bool = False

    @property
    def key(self) -> str:
        """What identifies it in its run beside its number, as in ``tracing.identity``."""
        if self.kind == "external_signal":
            return str(self.nth)
        return f"{self.id}/{self.type}" if self.kind == "nexus_operation" else self.id


class Steps:
    """The steps of one replay.

    Attributes:
        asked: In the order the code asked for them.
    """

    def __init__(self) -> None:
        self.asked: list[ReplayedStep] = []
        self._open: dict[tuple[str, int], int] = {}
        self._backing_off: dict[tuple[str, int], int] = {}
        self._uses: Counter[tuple[StepKind, str]] = Counter()

    def resolve(self, job: Any) -> None:
        """Read a job of an activation: it may bring a result."""
        variant = job.WhichOneof("variant")
        ended = _RESULTS.get(variant)
        if ended is None:
            return
        group, is_end = ended
        result = getattr(job, variant)
        if not is_end(result):
            return
        position = self._open.pop((group, result.seq), None)
        if position is None:
            return
        step = self.asked[position]
        if variant == "resolve_activity" and result.result.HasField("backoff"):
            scheduled = result.result.backoff.original_schedule_time.ToNanoseconds()
            self._backing_off[step.type, scheduled] = position
        else:
            self.asked[position] = replace(step, resolved=time.time_ns())

    def ask(self, command: Any, source: SourceLine | None) -> int | None:
        """Read a command. Returns the position of the step that it asks for, or None where it asks for no new one."""
        variant = command.WhichOneof("variant")
        known = _COMMANDS.get(variant)
        if known is None:
            return None
        group, make = known
        asked = getattr(command, variant)
        if variant == "schedule_local_activity" and asked.attempt > 1:
            tried = asked.activity_type, asked.original_schedule_time.ToNanoseconds()
            position = self._backing_off.pop(tried, None)
            if position is not None:  # the same step goes on
                self._open[group, asked.seq] = position
                return None
        step = make(asked)
        use = step.kind, "" if step.kind == "external_signal" else step.key
        self._uses[use] += 1
        self._open[group, asked.seq] = len(self.asked)
        self.asked.append(replace(step, nth=self._uses[use], issued=time.time_ns(), source=source))
        return len(self.asked) - 1


_RESULTS: Final[Mapping[str | None, tuple[str, Callable[[Any], bool]]]] = {
    "resolve_activity": ("activity", lambda _: True),
    "fire_timer": ("timer", lambda _: True),
    # A child that has started goes on; one that could not has ended.
    "resolve_child_workflow_execution_start": ("child", lambda it: not it.HasField("succeeded")),
    "resolve_child_workflow_execution": ("child", lambda _: True),
    "resolve_signal_external_workflow": ("signal", lambda _: True),
    "resolve_request_cancel_external_workflow": ("cancel", lambda _: True),
    "resolve_nexus_operation_start": ("nexus", lambda it: it.HasField("failed")),
    "resolve_nexus_operation": ("nexus", lambda _: True),
}


_Maker = Callable[[Any], ReplayedStep]

_COMMANDS: Final[Mapping[str | None, tuple[str, _Maker]]] = {
    "schedule_activity": ("activity", lambda it: ReplayedStep("activity", it.activity_type, it.activity_id)),
    "schedule_local_activity": (
        "activity",
        lambda it: ReplayedStep("local_activity", it.activity_type, it.activity_id),
    ),
    "start_timer": (
        "timer",
        lambda it: ReplayedStep("timer", "", str(it.seq), timeout=it.start_to_fire_timeout.ToNanoseconds()),
    ),
    "start_child_workflow_execution": (
        "child",
        lambda it: ReplayedStep("child_workflow", it.workflow_type, it.workflow_id),
    ),
    "signal_external_workflow_execution": (
        "signal",
        lambda it: ReplayedStep(
            "external_signal",
            it.signal_name,
            it.child_workflow_id or it.workflow_execution.workflow_id,
            to_child=bool(it.child_workflow_id),
        ),
    ),
    "request_cancel_external_workflow_execution": (
        "cancel",
        lambda it: ReplayedStep("external_cancel", "", it.workflow_execution.workflow_id),
    ),
    "schedule_nexus_operation": (
        "nexus",
        lambda it: ReplayedStep("nexus_operation", f"{it.service}/{it.operation}", it.endpoint),
    ),
}
"""Commands that ask for a step: which results end it, and what it is."""

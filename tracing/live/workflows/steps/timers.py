"""Which timers did a run set, and which fired?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload

from tracing.live.workflows.steps.following import Following
from tracing.spans.step import Outcome
from tracing.spans.timer import timer_span
from tracing.spans.wait import Task, Wait, canceled_wait, fired_wait
from tracing.waits import is_waiting_for_person


@dataclass(frozen=True, slots=True)
class _Open:
    timer_id: str
    task: Task
    start: int
    timeout: int
    summary: Payload | None
    for_person: bool


class Timers:
    """The timers of a followed run."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._open: dict[int, _Open] = {}
        self._canceled: list[_Open] = []
        self._fired: dict[int, _Open] = {}
        self._in_time: set[int] = set()

    def start(self, command: Any) -> None:
        """The workflow sets a timer."""
        asked, following = command.start_timer, self._following
        timer = self._open[asked.seq] = _Open(
            str(asked.seq),
            following.task,
            following.task_start,
            asked.start_to_fire_timeout.ToNanoseconds(),
            following.summary(command),
            is_waiting_for_person(command.user_metadata.summary),
        )
        following.waits += timer.for_person

    def cancel(self, seq: int) -> None:
        """The workflow cancels a timer."""
        timer = self._open.pop(seq, None)
        if timer is None:
            # One that fires with this task, and that the code cancelled before it was told. Core ignores that.
            self._in_time.add(seq)
        elif timer.task is self._following.task:
            # Core never sends a timer that was cancelled in the task that set it.
            self._following.waits -= timer.for_person
        elif timer.for_person:
            self._canceled.append(timer)
        else:
            self._close(timer, Outcome(self._following.now), None, canceled=True)

    def fire(self, seq: int) -> None:
        """A timer has fired."""
        timer = self._open.pop(seq, None)
        if timer is None:
            return
        self._following.follows(timer.task)
        if timer.for_person:
            self._fired[seq] = timer
        else:
            self._close(timer, Outcome(self._following.now), None)

    def settle(self) -> None:
        """All that the task was handed is known, and so how the waits ended that ended with it."""
        following = self._following
        for timer in self._canceled:
            wait = canceled_wait(timer.task, following.task, cancel_requested=following.cancel_requested)
            self._close(timer, Outcome(following.now), wait, canceled=True)
        for seq, timer in self._fired.items():
            wait = fired_wait(following.task, in_time=seq in self._in_time)
            self._close(timer, Outcome(following.now), wait)
        following.waits -= len(self._canceled) + len(self._fired)
        for ended in (self._canceled, self._fired, self._in_time):
            ended.clear()

    def unclosed(self) -> None:
        """The run ends: so do the spans of the timers that still run."""
        for timer in self._open.values():
            self._close(timer, Outcome(self._following.now, unclosed=True), Wait() if timer.for_person else None)
        self._open.clear()

    def _close(self, timer: _Open, outcome: Outcome, wait: Wait | None, *, canceled: bool = False) -> None:
        following = self._following
        following.add(
            lambda: timer_span(
                following.config,
                following.run,
                timer.timer_id,
                start=timer.start,
                outcome=outcome,
                timeout=timer.timeout,
                canceled=canceled,
                summary=timer.summary,
                wait=wait,
            )
        )

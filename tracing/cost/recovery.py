"""At which points did a run go on after a failure of its worker, and what was done by then?

History does not record crashes. It records what the server saw of them: a workflow task that timed out, an activity
attempt that timed out or left no record. One crash can show as several of these, so signs of what may have been one
crash count as one: the estimate errs on the low side. A crash between two tasks, noticed by nobody, is not seen at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from tracing import conventions as c
from tracing.cost.amount import Amount, sum_of
from tracing.cost.run_account import RunAccount
from tracing.cost.step_account import StepAccount

_WORKER_SILENT: Final = frozenset({"START_TO_CLOSE", "HEARTBEAT"})
"""Timeouts that say that an attempt had begun and was not heard of again."""

Cause = Literal["workflow_task_timed_out", "attempt_timed_out", "attempt_lost"]


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """A point at which durable execution went on where a plain program would have started again.

    Attributes:
        cause: The first sign of it.
        time: When: the time of the timeout, or when the step was issued whose attempt was lost; ns since the epoch.
        until: End of the time in which a further sign belongs to the same crash, in ns.
        step: Key of the step whose attempt was lost; "" for a workflow task.
        completed: Keys of the steps whose results were there by then.
    """

    cause: Cause
    time: int
    until: int
    step: str
    completed: tuple[str, ...]


def recovery_points(run: RunAccount) -> tuple[RecoveryPoint, ...]:
    """Recovery points of a run, in the order of time.

    Signs are: a workflow task that timed out; an attempt that ended by a start-to-close or heartbeat timeout; an
    attempt that was followed by another and left no record, although its step's last attempt did; an attempt that a
    spool knows to have died with its worker. Two signs are one crash where the second came while the first one's step
    was open, or before the workflow had asked for anything new.
    """
    signs = [_sign(run, "workflow_task_timed_out", time, time, "") for time in run.workflow_task_timeouts]
    for step in run.steps:
        cause = _loss(step)
        if cause is not None:
            until = step.closed_at
            signs.append(_sign(run, cause, step.start, step.start if until is None else until, step.key))
    points: list[RecoveryPoint] = []
    for sign in sorted(signs, key=lambda sign: (sign.time, sign.until)):
        if points and _same_crash(run, points[-1], sign):
            points[-1] = replace(points[-1], until=max(points[-1].until, sign.until))
        else:
            points.append(sign)
    return tuple(points)


def cost_of_restarting(run: RunAccount, points: tuple[RecoveryPoint, ...]) -> Amount:
    """What the run would have cost, had it begun again from nothing at each recovery point.

    What was really spent, and at each point once more what the attempts cost that closed the steps completed by then.
    """
    steps = {step.key: step for step in run.steps}
    return run.amount + sum_of(steps[key].result_amount for point in points for key in point.completed)


def _sign(run: RunAccount, cause: Cause, time: int, until: int, step: str) -> RecoveryPoint:
    completed = tuple(
        each.key
        for each in run.steps
        if each.closed and not each.error and each.closed_at is not None and each.closed_at <= time and each.key != step
    )
    return RecoveryPoint(cause, time, until, step, completed)


def _loss(step: StepAccount) -> Cause | None:
    if not step.closed:
        return None  # what an open step is doing is not known yet
    if any(attempt.timeout_type in _WORKER_SILENT for attempt in step.attempts):
        return "attempt_timed_out"
    if any(attempt.error == c.WORKER_LOST for attempt in step.attempts):
        return "attempt_lost"  # a spool brought its span back
    if any(attempt.span_id is None and attempt.number is None and not attempt.recorded for attempt in step.attempts):
        # (With a span, it is an engine that does not number its attempts.)
        return "attempt_lost"
    # Of several missing attempts only the one before the last is sure to have died: its failure would have come with
    # the last one's start, and with it its record. Earlier ones may have failed in the ordinary way.
    last = step.attempts[-1] if step.attempts else None
    if last is None or last.number is None or not last.recorded or last.number == 1:
        return None
    before = last.number - 1
    return None if any(attempt.number == before for attempt in step.attempts) else "attempt_lost"


def _same_crash(run: RunAccount, first: RecoveryPoint, second: RecoveryPoint) -> bool:
    if second.time < first.until:
        return True
    return not any(first.until <= step.start <= second.time for step in run.steps)

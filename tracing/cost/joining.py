"""How do runs that belong together become one side of a comparison?

A run and its children, the runs of a chain (continued as new, retried, reset, by a cron), or all of these: each can be
set beside the same of another execution, or beside their replays. Their steps are one after the other, and a step's key
names its run by its workflow type, which both executions share, and not by an ID, which they do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tracing.cost.run_account import RunAccount
from tracing.cost.step_account import StepAccount

REPRODUCED: Final = "reproduced"
"""Status of a replay that did what its history says."""


class JoinError(ValueError):
    """Runs that do not belong together; the message says which."""


def join(runs: Sequence[RunAccount]) -> RunAccount:
    """One account of runs that share a trace (parents and children) or a workflow ID (a chain).

    Args:
        runs: Their accounts, at least one. A single one stays as it is. Or accounts of their replays, made in the order
            in which the runs began: a replay's trace is its own, so replays of one session belong together.

    Returns:
        The account: IDs and type are those of the run that began first, the status is that of its chain's last run (of
        replays: of the first that did not reproduce its run, where there is one).
        Keys of steps are as they are in the first run, and begin with ``TYPE/`` or ``TYPE#2/`` in the others: the first
        or second run of this workflow type, in the order in which they began.

    Raises:
        JoinError: Replays among runs, or runs that do not belong together.
    """
    ordered = sorted(runs, key=lambda run: run.start)
    first = ordered[0]
    if len(ordered) == 1:
        return first
    if len({bool(run.replay_id) for run in ordered}) > 1:
        raise JoinError(f"it holds {len(ordered)} runs, of which some are replays: give one run or one replay")
    _check(ordered)
    uses: Counter[str] = Counter()
    steps: list[StepAccount] = []
    for run in ordered:
        uses[run.workflow_type] += 1
        nth = uses[run.workflow_type]
        label = "" if run is first else f"{run.workflow_type}/" if nth == 1 else f"{run.workflow_type}#{nth}/"
        steps += [replace(step, key=label + step.key) for step in run.steps]
    ends = [run.end for run in ordered]
    return replace(
        first,
        status=_status(ordered),
        end=None if None in ends else max(end for end in ends if end is not None),
        steps=tuple(sorted(steps, key=lambda step: step.start)),
        workflow_task_timeouts=tuple(sorted(time for run in ordered for time in run.workflow_task_timeouts)),
        waits=tuple(sorted((wait for run in ordered for wait in run.waits), key=lambda wait: wait.start)),
        trace_id=first.trace_id if len({run.trace_id for run in ordered}) == 1 else 0,
        joined=tuple(run.run_id for run in ordered),
    )


def _status(runs: Sequence[RunAccount]) -> str:
    if runs[0].replay_id:
        return next((run.status for run in runs if run.status != REPRODUCED), REPRODUCED)
    return [run.status for run in runs if run.workflow_id == runs[0].workflow_id][-1]


def _check(runs: Sequence[RunAccount]) -> None:
    """See that each run shares a trace or a workflow ID with one that belongs to the first."""
    known, rest = _ties(runs[0]), list(runs[1:])
    while rest:
        apart = [run for run in rest if known.isdisjoint(_ties(run))]
        if len(apart) == len(rest):
            raise JoinError(
                f"it holds {len(runs)} runs that do not belong together, such as {_name(runs[0])} and "
                f"{_name(rest[0])}: give one run, or the runs of one trace or of one workflow ID"
            )
        for run in rest:
            if not known.isdisjoint(_ties(run)):
                known |= _ties(run)
        rest = apart


def _ties(run: RunAccount) -> set[tuple[str, str]]:
    ties = {("trace", f"{run.trace_id:032x}")}
    if run.workflow_id:  # which histories of old servers do not tell: that ties nothing together
        ties.add(("workflow", f"{run.namespace}/{run.workflow_id}"))
    return ties | {("session", run.session_id)} if run.replay_id and run.session_id else ties


def _name(run: RunAccount) -> str:
    """What a run is called: histories of old servers do not name their workflow."""
    return run.workflow_id or run.run_id

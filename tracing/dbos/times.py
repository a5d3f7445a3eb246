"""When did a workflow and its steps begin and end? In ns since the epoch; rows have ms, or only whole seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tracing.dbos.records import StepRow, WorkflowRow

NS_PER_MS: Final = 1_000_000


def run_times(row: WorkflowRow, own_steps: Iterable[StepRow], *, over: bool) -> tuple[int, int | None]:
    """Start and end of a workflow, widened by the steps that it did itself; the end is None while it goes on.

    On SQLite with Python before 3.12, DBOS cuts a workflow's times to seconds, and those of its steps to ms: it then
    seems to end before its last step.

    Args:
        row: The workflow.
        own_steps: Its steps, but those that it took over.
        over: Whether it is over.
    """
    steps = list(own_steps)
    starts = [time for step in steps if (time := step.started or step.completed) is not None]
    ends = [time for step in steps if (time := step.completed or step.started) is not None]
    start = min([*starts, *([row.created] if row.created is not None else [])], default=row.completed or 0)
    if not over:
        return start * NS_PER_MS, None
    end = max([start, *ends, *([row.completed] if row.completed is not None else [])])
    return start * NS_PER_MS, end * NS_PER_MS


def step_times(step: StepRow, run_start: int) -> tuple[int, int]:
    """Start and end of a step; where its row has neither, the start of the run, in ns, is both.

    A row is written when its step is over: so every step has an end.
    """
    start, end = step.started or step.completed, step.completed or step.started
    if start is None or end is None:
        return run_start, run_start
    return start * NS_PER_MS, max(start, end) * NS_PER_MS

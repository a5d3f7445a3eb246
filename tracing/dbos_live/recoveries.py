"""What did a workflow of DBOS not have to do again? Known when it is begun and has steps in the database already.

DBOS then takes their results from there, and runs none of their functions: they are counted as reused, with what they
had cost, and not as spent again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos import Reader
from tracing.dbos.attempt_spans import tries_of
from tracing.dbos.ledgers import RecordedAttempt
from tracing.dbos.records import WorkflowRow
from tracing.live.metrics.instruments import Metrics
from tracing.spans.inner import ledger_usage

Cause = Literal["worker_change", "reset", "resume"]
_MAX_FORKS: Final = 100
"""A fork of a fork takes over what the first had done; a longer line is not followed."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A workflow that goes on.

    Attributes:
        row: The workflow.
        cause: Why: another process had it (or this one, before it was started anew), it is a fork, or it was resumed.
        steps: Numbers of the steps that were done before.
    """

    row: WorkflowRow
    cause: Cause
    steps: frozenset[int]


def recovery_of(reader: Reader, row: WorkflowRow) -> Recovery | None:
    """What a workflow that begins to be executed goes on from; None where it begins anew.

    Args:
        reader: Reader of its database.
        row: The workflow; none of its functions has been called by this execution.

    Raises:
        DatabaseError: The database cannot be read.
    """
    steps = frozenset(reader.step_numbers(row.workflow_id, first=0))
    cause: Cause
    if row.executions > 1:
        cause = "worker_change"
    elif not steps:
        return None
    else:
        cause = "reset" if row.forked_from and not row.ends else "resume"
    return Recovery(row, cause, steps)


def count_recovery(metrics: Metrics, config: TracingConfig, recovery: Recovery, reader: Reader) -> None:
    """Count a workflow that goes on, and what it reuses: the steps that are the user's, and what their results cost.

    Args:
        metrics: The instruments.
        config: Settings.
        recovery: What it goes on from.
        reader: Reader of its database.

    Raises:
        DatabaseError: The database cannot be read.
    """
    row = recovery.row
    told: dict[str, Any] = {
        c.ENGINE: c.ENGINE_DBOS,
        c.WORKFLOW_TYPE: row.name,
        c.METRIC_RECOVERY_CAUSE: recovery.cause,
        **({c.TASK_QUEUE: row.queue} if row.queue else {}),
    }
    metrics.add(c.RECOVERIES, 1, told)
    steps = [step for step in reader.steps(row.workflow_id, results=False)[0] if step.function_id in recovery.steps]
    attempts = _attempts(reader, row, recovery.steps)
    for step in steps:
        if step.of_engine or step.starts_child or not config.traces_activity(step.name):
            continue
        closing = tries_of(step, attempts.get(step.function_id, ())).closing
        place = told | {c.ACTIVITY_TYPE: step.name}
        metrics.add(c.REUSED_STEPS, 1, place)
        cost = ledger_usage(closing.ledger, config.prices).cost if closing is not None else 0
        metrics.add(c.REUSED_COST, float(cost), place)


def _attempts(reader: Reader, row: WorkflowRow, steps: Collection[int]) -> Mapping[int, Sequence[RecordedAttempt]]:
    """What was recorded of attempts; of steps that it took over, by the workflow that it was forked from."""
    found: dict[int, Sequence[RecordedAttempt]] = {}
    origin = row.workflow_id
    for _ in range(_MAX_FORKS):
        found = dict(reader.attempts(origin)) | found
        origins = None if found.keys() >= set(steps) else reader.origins(origin)
        if origins is None or not origins.forked_from:
            break
        origin = origins.forked_from
    return found

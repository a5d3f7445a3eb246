"""The spans of a workflow's run: one, and where it was over and was resumed, one for each part of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos.ends import UNDONE, KeptEnd, part_of
from tracing.dbos.records import StepRow, WorkflowRow
from tracing.dbos.runs import DbosRun
from tracing.dbos.times import NS_PER_MS, run_times
from tracing.dbos.values import failure_of, is_decoded, payloads_of
from tracing.failures import Failure
from tracing.spans.model import Link, Span
from tracing.spans.run import RunStatus, run_span
from tracing.usage import Usage, total

STATUSES: Final[dict[str, RunStatus]] = {
    "PENDING": "running",
    "ENQUEUED": "running",
    "DELAYED": "running",
    "SUCCESS": "completed",
    "ERROR": "failed",
    "CANCELLED": "canceled",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
}
"""Status of a run's span by DBOS's (``WorkflowStatusString``)."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a workflow's run.

    Attributes:
        number: Which, from 0.
        row: The workflow as it was at the end of this part, or is.
        steps: The steps that were done in it.
        own_steps: Those of them that the workflow did not take over.
        start: Its start, in ns since the epoch.
        end: Its end; None while it goes on.
        unread: How many rows of steps are none that can be read.
    """

    number: int
    row: WorkflowRow
    steps: Sequence[StepRow]
    own_steps: Sequence[StepRow]
    start: int
    end: int | None
    unread: int = 0

    @property
    def status(self) -> RunStatus:
        """How it stands."""
        return STATUSES.get(self.row.status, "running")


def parts_of(
    row: WorkflowRow, steps: Sequence[StepRow], reused: Collection[int], unread: int = 0, *, begun: int = 0
) -> list[Part]:
    """The parts of a workflow's run, in their order.

    Args:
        row: The workflow.
        steps: Its steps.
        reused: Numbers of those that it took over.
        unread: How many rows of steps are none that can be read.
        begun: Number of a part that is known to have begun.
    """
    noted = len(row.ends) > begun and _is_this(row.ends[-1], row)
    rows = [_as_it_was(row, end) for end in row.ends] + ([] if noted else [row])
    parts: list[Part] = []
    for number, then in enumerate(rows):
        of_part = [step for step in steps if part_of(row.ends, step.function_id) == number]
        own = [step for step in of_part if step.function_id not in reused]
        # What it does after it was resumed begins with its first step.
        counted = then if not parts else replace(then, created=None if own else row.ends[number - 1].end)
        start, end = run_times(counted, own, over=not goes_on(then))
        if number < len(row.ends):
            end = row.ends[number].end * NS_PER_MS
        parts.append(Part(number, then, of_part, own, start, end, unread if number == len(rows) - 1 else 0))
    return parts


def goes_on(row: WorkflowRow) -> bool:
    """Whether a workflow is not over."""
    return STATUSES.get(row.status, "running") == "running"


def may_go_on(row: WorkflowRow) -> bool:
    """Whether a workflow is over, and may yet be resumed."""
    return row.status in UNDONE


def part_span(
    config: TracingConfig,
    run: DbosRun,
    part: Part,
    usages: Mapping[int, Usage],
    base: DbosRun | None,
) -> Span:
    """Build the span of a part of a run.

    Args:
        config: Settings.
        run: The part's run.
        part: The part.
        usages: What the model calls of each step add up to, by its number.
        base: The run that it was forked from, where there is one.
    """
    row = part.row
    span = run_span(
        config,
        run,
        start=part.start,
        end=part.end,
        status=part.status,
        task_queue=row.queue,
        attempt=max(1, row.executions),
        given=payloads_of(row.given),
        result=payloads_of(row.result),
        failure=_failure(part),
        usage=total(usages[step.function_id] for step in part.steps),
        worker_identity=row.executor,
        build_id=row.version,
        links=(Link(base.trace_id, base.span_id, {c.RUN_ID: row.forked_from}),) if base and not part.number else (),
    )
    attributes = span.attributes
    if not row.queue:
        del attributes[c.TASK_QUEUE]
    if not run.sampled:
        attributes[c.SAMPLED] = False
    if part.number:
        attributes[c.RESUMPTION] = part.number
    if undecoded := count_undecoded(row, part.steps):
        attributes[c.UNDECODED] = undecoded
    if defects := defects_of(part):
        attributes[c.DEFECTS] = defects
    return span


def count_undecoded(row: WorkflowRow, steps: Sequence[StepRow]) -> int:
    """How many stored values are not decoded."""
    values = [row.given, row.result, row.failure, *(value for step in steps for value in (step.result, step.failure))]
    return sum(1 for value in values if not is_decoded(value))


def defects_of(part: Part) -> tuple[str, ...]:
    """What is wrong with the rows of a part, a sentence each."""
    row, found = part.row, []
    if row.status not in STATUSES:
        found.append(f"Its status {row.status[:40]!a} is none that is known: it is shown as running.")
    if row.created is None:
        found.append("No time says when it was created: it begins with its first step.")
    if part.unread:
        found.append(f"{part.unread} rows of its steps have no number: they are left out.")
    timeless = [str(step.function_id) for step in part.steps if step.started is None and step.completed is None]
    if timeless:
        more = f" and {len(timeless) - 10} more" if len(timeless) > 10 else ""  # noqa: PLR2004 - enough to find them
        found.append(f"Steps without a time are shown at the start of the run: {', '.join(timeless[:10])}{more}.")
    return tuple(found)


def _is_this(end: KeptEnd, row: WorkflowRow) -> bool:
    """Whether a workflow is over by this end, and was not resumed since.

    Only who knows that another part has begun can tell when it was over again within the same second, by which DBOS
    counts on SQLite before Python 3.12.
    """
    return (end.status, end.completed) == (row.status, row.completed)


def _as_it_was(row: WorkflowRow, end: KeptEnd) -> WorkflowRow:
    return replace(
        row,
        status=end.status,
        completed=end.completed,
        queue="",  # DBOS takes what is over off its queue
        executor=end.executor,
        version=end.version,
        executions=end.executions,
        result=None,
        failure=None,
    )


def _failure(part: Part) -> Failure | None:
    failure = failure_of(part.row.failure)
    if failure is None and part.status == "failed":
        return Failure(kind="application", type=part.row.status)
    if failure is None and part.status == "canceled":
        return Failure(kind="canceled", type="CancelledError")
    return failure

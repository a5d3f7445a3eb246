"""What does the page say of one trace?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracing.cost import Amount, RunAccount, recovery_points, saved
from tracing.cost.recovery import Cause
from tracing.report.costs import CostLine, StepLine, by_activity, by_model, by_step
from tracing.report.rows import ROW_KINDS, Flag, Row, ordered_rows
from tracing.report.spent import Spent
from tracing.report.strings import Strings
from tracing.report.waits import WAIT_KINDS
from tracing.spans.model import NS_PER_US, Span

_SIGNS: Final[dict[Cause, str]] = {
    "workflow_task_timed_out": "a workflow task timed out",
    "attempt_timed_out": "an attempt timed out",
    "attempt_lost": "an attempt left no record",
}


@dataclass(frozen=True, slots=True)
class Recovery:
    """A point at which a run went on after it had lost its worker.

    Attributes:
        at: When, in ns since the epoch.
        sign: What the server saw of it.
        step: Key of the step whose attempt was lost; "" for a workflow task.
        span_id: Span ID of that step in hex; "" for a workflow task.
        completed: How many steps were completed by then: they were not paid for again.
    """

    at: int
    sign: str
    step: str
    span_id: str
    completed: int


@dataclass(frozen=True, slots=True)
class Section:
    """One trace on the page.

    Attributes:
        trace_id: Trace ID.
        title: What it is called.
        runs: Accounts of its runs.
        spans: Its spans, in the order of their rows.
        rows: Its rows.
        recoveries: Recovery points of its runs.
        activities: Its cost by activity type.
        models: Its cost by model.
        steps: Its cost by step.
        shows: What its legend must explain.
    """

    trace_id: int
    title: str
    runs: tuple[RunAccount, ...]
    spans: Sequence[Span]
    rows: Sequence[Row]
    recoveries: tuple[Recovery, ...]
    activities: Sequence[CostLine]
    models: Sequence[CostLine]
    steps: Sequence[StepLine]
    shows: frozenset[str]

    @property
    def begin(self) -> int:
        """When it began, in µs since the epoch."""
        return min(span.start for span in self.spans) // NS_PER_US

    @property
    def saved(self) -> Amount:
        """What the results of its reused steps cost when they were made; unknown where that is not on the page."""
        return saved(line.maker for line in self.steps if line.step.reused)

    @property
    def paid_elsewhere(self) -> bool:
        """Whether the run that made a reused result is not on the page."""
        return any(line.step.reused and line.maker is None for line in self.steps)

    @property
    def has_reused(self) -> bool:
        """Whether any of its steps took its result from history."""
        return any(line.step.reused for line in self.steps)


def section(
    trace_id: int, spans: Sequence[Span], runs: Sequence[RunAccount], spent: Spent, strings: Strings
) -> Section:
    """One trace, laid out.

    Args:
        trace_id: Trace ID.
        spans: Its spans, each once.
        runs: Accounts of its runs.
        spent: What the spans of the page spent.
        strings: Where texts are kept.
    """
    ordered, rows = ordered_rows(spans, spent, strings)
    makers = {span.span_id: maker for span in spans if (maker := spent.of(span).maker) is not None}
    recoveries = tuple(each for run in runs if not run.replay_id for each in _recoveries(run))
    return Section(
        trace_id=trace_id,
        title=_title(ordered[0], runs),
        runs=tuple(runs),
        spans=ordered,
        rows=rows,
        recoveries=recoveries,
        activities=by_activity(runs),
        models=by_model(runs),
        steps=by_step(runs, makers),
        shows=_shows(rows) | ({"recovery"} if recoveries else set()),
    )


def _title(root: Span, runs: Sequence[RunAccount]) -> str:
    if not runs:
        return root.name
    return f"{'Replay of ' if runs[0].replay_id else ''}{runs[0].workflow_type} {runs[0].workflow_id}".strip()


def _recoveries(run: RunAccount) -> list[Recovery]:
    steps = {step.key: f"{step.span_id:016x}" for step in run.steps}
    return [
        Recovery(point.time, _SIGNS[point.cause], point.step, steps.get(point.step, ""), len(point.completed))
        for point in recovery_points(run)
    ]


def _shows(rows: Sequence[Row]) -> frozenset[str]:
    flags = Flag(0)
    found: set[str] = set()
    for row in rows:
        flags |= Flag(row.flags)
        if not row.flags & (Flag.REUSED | Flag.FAILED):
            found.add(ROW_KINDS[row.kind])
        found |= {WAIT_KINDS[kind] for kind, _ in row.waits}
    features = {"failed": Flag.FAILED, "reused": Flag.REUSED, "open": Flag.OPEN}
    return frozenset(found | {name for name, flag in features.items() if flag in flags})

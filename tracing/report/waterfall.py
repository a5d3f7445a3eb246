"""Which rows does a trace have in the picture, and from where to where is each bar?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tracing import conventions as c
from tracing.cost import Amount, AttemptAccount, RunAccount, StepAccount
from tracing.cost.model import amount_of
from tracing.report.text import counted, duration, tick
from tracing.spans.model import NS_PER_S, Span, StatusCode
from tracing.usage import Usage, is_model_call, usage_of_call

RowKind = Literal["run", "step", "attempt", "model", "tool", "timer", "signal", "other"]

_PERCENT: Final = 100.0
_TICKS: Final = 6
"""About so many marks stand on the time axis."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one instant: a percentage of the axis, and its name."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """One span in the picture. Positions are percentages of the time axis.

    Attributes:
        span: The span.
        level: 1 for a root, 2 for its children, and so on.
        parent: Whether rows stand below it.
        kind: What it is.
        start: Left end of its bar.
        width: Length of its bar.
        queue: Length of the bar before it in which it waited for a worker.
        queued: How long that was, in ns.
        begun: When it started, after the trace did, as text.
        duration: How long it took, as text.
        failed: Whether it ended in an error.
        open: Whether it has not ended.
        reused: Whether its result was taken from history.
        label: Which attempt it is; "" for others.
        notes: What a reader should know at a glance.
        marks: Recovery signs on a run.
        usage: Its model calls.
        amount: What they cost; None for spans that cost nothing by their nature.
    """

    span: Span
    level: int
    parent: bool
    kind: RowKind
    start: float
    width: float
    queue: float
    queued: int
    begun: str
    duration: str
    failed: bool
    open: bool
    reused: bool
    label: str
    notes: tuple[str, ...]
    marks: tuple[Mark, ...]
    usage: Usage
    amount: Amount | None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The rows of a trace, each below its parent, and the marks of its time axis."""

    rows: tuple[Row, ...]
    ticks: tuple[Mark, ...]

    @property
    def shows(self) -> frozenset[str]:
        """What its legend must explain."""
        found: set[str] = {row.kind for row in self.rows if not row.reused}
        features = {
            "queue": any(row.queue > 0 for row in self.rows),
            "failed": any(row.failed for row in self.rows),
            "reused": any(row.reused for row in self.rows),
            "mark": any(row.marks for row in self.rows),
        }
        return frozenset(found | {feature for feature, there in features.items() if there})


def waterfall(spans: Sequence[Span], accounts: Iterable[RunAccount]) -> Waterfall:
    """Lay out the spans of one trace.

    Args:
        spans: The spans, each once.
        accounts: Accounts of the runs among them.
    """
    begin = min(span.start for span in spans)
    end = max(span.end if span.end is not None else span.start for span in spans)
    axis = _Axis(begin, max(end, begin + 1))
    spent = _Spent(accounts)
    return Waterfall(
        rows=_rows(spans, axis, spent),
        ticks=axis.ticks(),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    begin: int
    end: int

    def at(self, time: int) -> float:
        share = (min(max(time, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return round(share * _PERCENT, 3)

    def ticks(self) -> tuple[Mark, ...]:
        whole = self.end - self.begin
        step = next(step for step in _steps() if whole / step <= _TICKS)
        return tuple(Mark(self.at(self.begin + time), tick(time)) for time in range(0, whole, step))


def _steps() -> Iterable[int]:
    """Distances between marks that read well, in ns: 1, 2, 5 of every power of ten, and of minutes and hours."""
    power = 1_000
    while power < 10 * NS_PER_S:
        yield from (power, 2 * power, 5 * power)
        power *= 10
    for seconds in (10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400):
        yield seconds * NS_PER_S
    day = 86_400 * NS_PER_S
    while True:
        day *= 2
        yield day


class _Spent:
    """What each span of a run spent, by span ID."""

    def __init__(self, accounts: Iterable[RunAccount]) -> None:
        self.runs: dict[str, RunAccount] = {}
        self.steps: dict[int, StepAccount] = {}
        self.attempts: dict[int, AttemptAccount] = {}
        for run in accounts:
            self.runs[run.replay_id or run.run_id] = run
            for step in run.steps:
                self.steps[step.span_id] = step
                for attempt in step.attempts:
                    if attempt.span_id is not None:
                        self.attempts[attempt.span_id] = attempt


def _tree(spans: Sequence[Span]) -> Iterable[tuple[Span, int]]:
    """Spans in the order of the picture, with their level. None is lost, also where parents run in circles."""
    known = {span.span_id for span in spans}
    children: defaultdict[int | None, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=_order):
        children[span.parent_id if span.parent_id in known else None].append(span)
    placed: set[int] = set()
    starts = [*children[None], *sorted(spans, key=_order)]
    for start in starts:
        waiting = [(start, 1)]
        while waiting:
            span, level = waiting.pop()
            if span.span_id in placed:
                continue
            placed.add(span.span_id)
            yield span, level
            waiting += [(child, level + 1) for child in reversed(children[span.span_id])]


def _order(span: Span) -> tuple[int, int, str, int]:
    activity_id = str(span.attributes.get(c.ACTIVITY_ID, ""))
    return (
        span.start,
        int(activity_id) if activity_id.isascii() and activity_id.isdecimal() else 0,
        span.name,
        span.span_id,
    )


def _rows(spans: Sequence[Span], axis: _Axis, spent: _Spent) -> tuple[Row, ...]:
    tree = list(_tree(spans))
    levels = [level for _, level in tree[1:]] + [0]
    return tuple(
        _row(span, level, axis, spent, parent=below > level) for (span, level), below in zip(tree, levels, strict=True)
    )


def _row(span: Span, level: int, axis: _Axis, spent: _Spent, *, parent: bool) -> Row:
    kind = _kind(span)
    start = axis.at(span.start)
    queued = _queue_time(span)
    usage, amount = _usage(span, kind, spent)
    return Row(
        span=span,
        level=level,
        parent=parent,
        kind=kind,
        start=start,
        width=round(axis.at(span.end if span.end is not None else axis.end) - start, 3),
        queue=round(start - axis.at(span.start - queued), 3),
        queued=queued,
        begun=f"+{duration(span.start - axis.begin)}",
        duration=duration(None if span.end is None else span.end - span.start),
        failed=span.status is StatusCode.ERROR,
        open=span.end is None,
        reused=span.attributes.get(c.REUSED) is True,
        label=_label(span),
        notes=_notes(span, kind, spent.steps.get(span.span_id)),
        marks=tuple(
            Mark(axis.at(event.time), "workflow task timed out")
            for event in span.events
            if event.name == c.WORKFLOW_TASK_TIMED_OUT
        ),
        usage=usage,
        amount=amount,
    )


def _kind(span: Span) -> RowKind:
    name, _, _ = span.name.partition(":")
    if is_model_call(span.attributes):
        return "model"
    if span.attributes.get(c.OPENINFERENCE_KIND) == "TOOL":
        return "tool"
    kinds: dict[str, RowKind] = {
        c.run_workflow(""): "run",
        c.replay_workflow(""): "run",
        c.start_activity(""): "step",
        c.run_activity(""): "attempt",
        c.handle_signal(""): "signal",
        f"{c.TIMER}:": "timer",
    }
    return kinds.get(f"{name}:", "other")


def _usage(span: Span, kind: RowKind, spent: _Spent) -> tuple[Usage, Amount | None]:
    if kind == "model":
        usage = usage_of_call(span.attributes)
        return usage, amount_of(usage)
    found: RunAccount | StepAccount | AttemptAccount | None = None
    if kind == "run":
        found = spent.runs.get(str(span.attributes.get(c.REPLAY_ID) or span.attributes.get(c.RUN_ID)))
    elif kind == "step":
        found = spent.steps.get(span.span_id)
    elif kind == "attempt":
        found = spent.attempts.get(span.span_id)
    if found is None:
        return Usage(), None
    nothing = not found.usage.calls and not found.amount.at_least
    return found.usage, None if nothing and kind != "run" else found.amount


def _label(span: Span) -> str:
    attempt = span.attributes.get(c.ATTEMPT)
    return f"attempt {attempt}" if span.name.startswith(c.run_activity("")) and isinstance(attempt, int) else ""


def _notes(span: Span, kind: RowKind, step: StepAccount | None) -> tuple[str, ...]:
    notes = []
    attempt = span.attributes.get(c.ATTEMPT)
    if kind == "attempt" and isinstance(attempt, int):
        notes.append(f"attempt {attempt}")
    if step is not None:
        made = len(step.attempts) + step.missing_attempts
        if made > 1:
            notes.append(counted(made, "attempt"))
        if step.missing_attempts:
            notes.append(f"{step.missing_attempts} left no record")
    if kind == "timer" and span.attributes.get(c.TIMER_CANCELED) is True:
        notes.append("canceled")
    if span.end is None:
        notes.append("open")
    error = span.attributes.get(c.ERROR_TYPE)
    if error and span.status is StatusCode.ERROR:
        notes.append(str(error))
    return tuple(notes)


def _queue_time(span: Span) -> int:
    waited = span.attributes.get(c.QUEUE_TIME)
    if isinstance(waited, bool) or not isinstance(waited, (int, float)):
        return 0
    return round(waited * NS_PER_S) if 0 < waited * NS_PER_S < span.start else 0  # a trace may say anything

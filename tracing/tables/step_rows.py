"""What are the steps of a run, and what does the row of each hold?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracing import conventions as c
from tracing.cost import RunAccount, StepAccount
from tracing.cost.account import WORKFLOW_CODE
from tracing.cost.amount import Amount
from tracing.cost.attributes import number, text
from tracing.cost.savings import taken_from
from tracing.spans.model import Span
from tracing.tables.account_rows import NOTHING_SPENT, spent
from tracing.tables.cells import Row, amount_cells, count_cell, session_cells, text_cell, time_cells
from tracing.tables.kinds import kind_of, status_of, step_of
from tracing.tables.span_rows import hex_id, seconds


@dataclass(frozen=True, slots=True)
class Step:
    """A step.

    Attributes:
        key: Kind and ID in the run.
        kind: Its kind.
        type: Its type, or "".
        start: When it was issued, in ns since the epoch.
        end: When it ended; None while open or unknown.
        span: The span that tells of it; None where there is none. Of an activity whose own span is missing that is its
            last attempt's.
        account: What it spent. None for a step that can spend nothing: what it starts is another run, counted there.
        attempts: The spans of its attempts, in order.
    """

    key: str
    kind: str
    type: str
    start: int
    end: int | None
    span: Span | None
    account: StepAccount | None = None
    attempts: tuple[Span, ...] = ()

    @property
    def status(self) -> str:
        """How it stands."""
        if self.kind == "workflow_code":
            return "completed" if self.end is not None else "open"
        return status_of(self.span) if self.span is not None else "unknown"

    @property
    def reused(self) -> bool:
        """Whether its result came from history."""
        return self.span is not None and self.span.attributes.get(c.REUSED) is True


def steps_of(told: RunAccount, spans: Sequence[Span]) -> list[Step]:
    """The steps of a run, in the order they were issued: those of its account, and those that spend nothing."""
    by_id = {span.span_id: span for span in spans}
    steps = [_accounted(each, by_id) for each in told.steps]
    uses: Counter[str] = Counter()
    for span in spans:
        found = step_of(span)
        if found is not None:
            kind, key, type_ = found
            uses[f"{kind}:{key}"] += 1
            nth = uses[f"{kind}:{key}"]
            numbered = f"{kind}:{key}" if nth == 1 else f"{kind}:{key}#{nth}"
            steps.append(Step(numbered, kind, type_, span.start, span.end, span))
    return sorted(steps, key=lambda step: step.start)


def step_keys(steps: Iterable[Step]) -> dict[int, str]:
    """Keys of the steps by the IDs of their own spans, of their attempts' and of their model calls'."""
    keys: dict[int, str] = {}
    for step in steps:
        if step.span is not None:
            keys[step.span.span_id] = step.key
        for attempt in step.account.attempts if step.account is not None else ():
            keys |= {call.span_id: step.key for call in attempt.calls}
            if attempt.span_id is not None:
                keys[attempt.span_id] = step.key
    return keys


def step_row(step: Step, shared: Row, run: Span) -> Row:
    """The row of a step.

    Args:
        step: The step.
        shared: What the rows of its run share (`run_cells`).
        run: A span that says session, user and tags.
    """
    attributes = step.span.attributes if step.span is not None else {}
    span = step.span
    own = span is not None and kind_of(span) != "attempt"
    told = step.account
    base = taken_from(span) if span is not None else None
    return {
        **shared,
        "key": text_cell(step.key),
        "kind": step.kind,
        "type": text_cell(step.type),
        "status": step.status,
        **time_cells(step.start, step.end),
        "span_id": hex_id(span.span_id if span is not None and own else None),
        "activity_id": text_cell(attributes.get(c.ACTIVITY_ID)),
        "task_queue": text_cell(attributes.get(c.TASK_QUEUE)),
        "reused": step.reused,
        "reused_run_id": text_cell(base.attributes.get(c.RUN_ID)) if base is not None else None,
        "reused_span_id": hex_id(base.span_id) if base is not None else None,
        "error_type": text_cell(attributes.get(c.ERROR_TYPE)),
        "error_message": text_cell(span.status_message) if span is not None else None,
        "timeout_type": text_cell(attributes.get(c.TIMEOUT_TYPE)),
        "retry_state": text_cell(attributes.get(c.RETRY_STATE)),
        **(spent((told,)) if told is not None else NOTHING_SPENT),
        "max_attempts": count_cell(number(attributes, c.MAX_ATTEMPTS)) if c.MAX_ATTEMPTS in attributes else None,
        "queue_time_s": next((seconds(attempt.attributes, c.QUEUE_TIME) for attempt in step.attempts), None),
        "target_workflow_id": text_cell(attributes.get(c.TARGET_WORKFLOW_ID)),
        "target_run_id": text_cell(attributes.get(c.TARGET_RUN_ID)),
        **amount_cells("result_cost", told.result_amount if told is not None else Amount()),
        **session_cells((span or run).attributes, (span or run).resource),
        "input": text_cell(attributes.get(c.INPUT_VALUE)),
        "output": text_cell(attributes.get(c.OUTPUT_VALUE)),
        "summary": text_cell(attributes.get(c.SUMMARY)),
    }


def _accounted(told: StepAccount, by_id: dict[int, Span]) -> Step:
    span = by_id.get(told.span_id)
    local = span is not None and span.attributes.get(c.LOCAL) is True
    activity = told.type != WORKFLOW_CODE or span is not None
    kind = "local_activity" if local else "activity" if activity else "workflow_code"
    found = [by_id[each.span_id] for each in told.attempts if each.span_id in by_id]
    found.sort(key=lambda attempt: (number(attempt.attributes, c.ATTEMPT), attempt.start))
    type_ = told.type if span is not None and text(span.attributes, c.ACTIVITY_TYPE) else ""
    return Step(told.key, kind, type_, told.start, told.end, span, told, tuple(found))

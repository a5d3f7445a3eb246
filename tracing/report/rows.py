"""Which rows does a trace have in the picture, and what does each show?

The page's script gets them as lists (`row.js` reads them): times in µs after the trace began, texts by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Final, Literal

import msgspec

from tracing import conventions as c
from tracing.cost import StepAccount, person_wait
from tracing.report.order import in_order
from tracing.report.spent import Spent
from tracing.report.strings import Strings
from tracing.report.text import counted, exact, money, visible
from tracing.report.waits import WAIT_KINDS, Waits, attempt_number
from tracing.spans.model import NS_PER_US, Span, StatusCode
from tracing.usage import is_model_call

RowKind = Literal["run", "step", "attempt", "model", "tool", "timer", "person", "signal", "other"]

ROW_KINDS: Final[tuple[RowKind, ...]] = (
    "run",
    "step",
    "attempt",
    "model",
    "tool",
    "timer",
    "person",
    "signal",
    "other",
)

_KINDS: Final[dict[str, RowKind]] = {
    c.run_workflow(""): "run",
    c.replay_workflow(""): "run",
    c.start_activity(""): "step",
    c.start_child_workflow(""): "step",
    c.start_nexus_operation("", "").removesuffix("/"): "step",
    c.run_activity(""): "attempt",
    c.handle_signal(""): "signal",
    c.handle_update(""): "signal",
    c.handle_query(""): "signal",
    f"{c.TIMER}:": "timer",
}


class Flag(IntFlag):
    """What is true of a row."""

    FAILED = 1
    OPEN = 2
    REUSED = 4
    RETRY = 8
    """A step with more than one attempt, or an attempt that is not the first."""
    UNRECORDED = 16
    """Attempts of it left no record."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One span in the picture.

    Attributes:
        span_id: Span ID, in hex.
        level: 1 for a root, 2 for its children, and so on.
        kind: Position in `ROW_KINDS`.
        flags: What is true of it.
        name: Its name, by number.
        start: µs after the trace began.
        took: µs; None while open.
        waits: What it waited for before it began, the last wait last: position in `WAIT_KINDS`, µs.
        notes: What a reader should know at a glance, by number.
        tokens: Input and output tokens of its model calls; None where there were none.
        cost: What they cost, and all digits of it, by number; None where it cost nothing by its nature.
        saved: What a reused result cost when it was made, by number; None where that is not on the page, or nothing.
    """

    span_id: str
    level: int
    kind: int
    flags: int
    name: int
    start: int
    took: int | None
    waits: list[tuple[int, int]]
    notes: list[int]
    tokens: tuple[int, int] | None
    cost: tuple[int, int] | None
    saved: int | None


def ordered_rows(spans: Sequence[Span], spent: Spent, strings: Strings) -> tuple[list[Span], list[Row]]:
    """The spans of one trace in the order of the picture, and their rows.

    Args:
        spans: The spans, each once.
        spent: What spans spent.
        strings: Where texts are kept.
    """
    workers = {span.attributes.get(c.WORKER_IDENTITY) for span in spans if attempt_number(span) is not None}
    begin = min(span.start for span in spans)
    writer = _Writer(begin, spent, Waits(spans), strings, name_workers=len(workers) > 1)
    tree = list(in_order(spans))
    return [span for span, _ in tree], [writer.row(span, level) for span, level in tree]


def row_kind(span: Span) -> RowKind:
    """What a span is."""
    if is_model_call(span.attributes):
        return "model"
    if span.attributes.get(c.OPENINFERENCE_KIND) == "TOOL":
        return "tool"
    if person_wait(span) is not None:
        return "person"
    return _KINDS.get(f"{span.name.partition(':')[0]}:", "other")


@dataclass(frozen=True, slots=True)
class _Writer:
    begin: int
    spent: Spent
    waits: Waits
    strings: Strings
    name_workers: bool

    def row(self, span: Span, level: int) -> Row:
        kind, spending, step = row_kind(span), self.spent.of(span), self.spent.step(span)
        number, amount = self.strings.number, spending.amount
        notes = _notes(span, kind, step, name_worker=self.name_workers)
        return Row(
            span_id=f"{span.span_id:016x}",
            level=level,
            kind=ROW_KINDS.index(kind),
            flags=_flags(span, step),
            name=number(visible(span.name)),
            start=(span.start - self.begin) // NS_PER_US,
            took=None if span.end is None else max(0, span.end - span.start) // NS_PER_US,
            waits=[(WAIT_KINDS.index(each), length // NS_PER_US) for each, length in self.waits.before(span)],
            notes=self.strings.numbers(visible(note) for note in notes),
            tokens=(spending.usage.input_tokens, spending.usage.output_tokens) if spending.usage.calls else None,
            cost=None if amount is None else (number(money(amount)), number(exact(amount))),
            saved=None if spending.saved is None else number(money(spending.saved)),
        )


def _flags(span: Span, step: StepAccount | None) -> int:
    number = attempt_number(span)
    made = 0 if step is None else len(step.attempts) + step.missing_attempts
    flags = {
        Flag.FAILED: span.status is StatusCode.ERROR,
        Flag.OPEN: span.end is None,
        Flag.REUSED: span.attributes.get(c.REUSED) is True,
        Flag.RETRY: made > 1 or (number is not None and number > 1),
        Flag.UNRECORDED: step is not None and step.unknown_attempts > 0,
    }
    return sum(flag for flag, true in flags.items() if true)


def _notes(span: Span, kind: RowKind, step: StepAccount | None, *, name_worker: bool) -> list[str]:
    notes = []
    number = attempt_number(span)
    if number is not None:
        notes.append(f"attempt {number}")
    if step is not None:
        made = len(step.attempts) + step.missing_attempts
        if made > 1:
            notes.append(counted(made, "attempt"))
        if step.missing_attempts:
            notes.append(f"{step.missing_attempts} left no record")
    if kind == "timer" and span.attributes.get(c.TIMER_CANCELED) is True:
        notes.append("canceled")
    notes += _standing(span)
    error = span.attributes.get(c.ERROR_TYPE)
    if error and span.status is StatusCode.ERROR:
        notes.append(str(error))
    if name_worker and number is not None:
        notes.append(f"on {span.attributes.get(c.WORKER_IDENTITY) or 'an unknown worker'}")
    return notes


def _standing(span: Span) -> list[str]:
    """How it stands, where it did not simply end."""
    wait = person_wait(span)
    if wait is not None:
        return [wait.about or "waiting for a person", wait.ending]
    if span.end is None:
        return ["open"]
    return ["not closed"] if span.attributes.get(c.UNCLOSED) is True else []

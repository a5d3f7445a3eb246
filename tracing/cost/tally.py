"""What do many runs add up to, by workflow type, model, day, tag …?

An account is taken apart into pieces: each model call, and each thing that is unknown. A piece belongs to one group, or
to one for each of its run's tags. All pieces of a run together are the run's own sums, so every division of the same
runs adds up to the same, exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from tracing.cost.amount import UNKNOWN, Amount, amount_of
from tracing.cost.dimensions import NONE, OF_CALLS, Dimension, GroupKey
from tracing.cost.run_account import RunAccount
from tracing.cost.step_account import AttemptAccount, ModelCall, StepAccount
from tracing.spans.model import NS_PER_S
from tracing.usage import NO_USAGE, Usage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """A period, in ns since the epoch: from ``since``, up to and without ``until``; None is no limit."""

    since: int | None = None
    until: int | None = None

    def __contains__(self, time: int) -> bool:
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


ALWAYS: Final = Period()
"""No limit."""


@dataclass(slots=True)
class Tally:
    """A sum over some runs.

    Attributes:
        runs: Runs that have a part in it.
        attempts: Attempts of steps, those that left nothing included.
        wasted_attempts: Attempts whose result did not close their step.
        unknown_attempts: Attempts of which nobody recorded all that they did.
        undecoded: Results and failures of steps that are encoded or stored elsewhere, where they hide such a record.
        usage: Calls and tokens.
        amount: Cost.
        waste: Retry waste: the part of the cost that the wasted attempts have.
        prices: Calls by the price list or override, with its version, that they were priced by.
        waited: For how much of their time these runs waited for persons, in ns.
    """

    runs: int = 0
    attempts: int = 0
    wasted_attempts: int = 0
    unknown_attempts: int = 0
    undecoded: int = 0
    usage: Usage = NO_USAGE
    amount: Amount = field(default_factory=Amount)
    waste: Amount = field(default_factory=Amount)
    prices: Counter[str] = field(default_factory=Counter)
    waited: int = 0

    def add(self, other: Tally) -> None:
        """Add another sum."""
        self.runs += other.runs
        self.attempts += other.attempts
        self.wasted_attempts += other.wasted_attempts
        self.unknown_attempts += other.unknown_attempts
        self.undecoded += other.undecoded
        self.usage += other.usage
        self.amount += other.amount
        self.waste += other.waste
        self.prices.update(other.prices)
        self.waited += other.waited

    def remove(self, other: Tally) -> None:
        """Take away what was added before."""
        self.add(
            Tally(
                -other.runs,
                -other.attempts,
                -other.wasted_attempts,
                -other.unknown_attempts,
                -other.undecoded,
                -other.usage,
                -other.amount,
                -other.waste,
                Counter({source: -count for source, count in other.prices.items()}),
                -other.waited,
            )
        )

    @property
    def price_sources(self) -> tuple[str, ...]:
        """Price lists and overrides, with their versions, sorted."""
        return tuple(sorted(source for source, count in self.prices.items() if count > 0))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of what an attempt spent, or may have spent."""

    time: int
    usage: Usage
    amount: Amount
    call: ModelCall | None = None

    @property
    def nothing(self) -> bool:
        return not self.usage.calls and not self.amount.unknown_parts


def tallies(run: RunAccount, by: Sequence[Dimension], when: Period = ALWAYS) -> dict[GroupKey, Tally]:
    """The sums of one run, divided.

    Args:
        run: Its account.
        by: Dimensions; none for one sum.
        when: Calls that count, by the time at which they began; what is unknown by the time its step was issued.

    Returns:
        A sum for each group. A run counts in each of its groups, with all the time that it waited for persons, an
        attempt in each of its own.
    """
    found: dict[GroupKey, Tally] = {}
    for step in run.steps:
        _add_step(found, run, step, by, when)
    if not found and run.start in when:
        found = {group: Tally() for group in _groups(run, None, None, None, by)}
    for tally in found.values():
        tally.runs, tally.waited = 1, run.waited
    return found


def _add_step(
    found: dict[GroupKey, Tally], run: RunAccount, step: StepAccount, by: Sequence[Dimension], when: Period
) -> None:
    """Add a step to the sums of its groups."""
    wasted = {id(attempt) for attempt in step.wasted_attempts}
    for attempt in step.attempts:
        touched: set[GroupKey] = set()
        for piece in _pieces(step, attempt):
            groups = _groups(run, step, attempt, piece, by) if piece.time in when else ()
            for group in groups:
                tally = found.setdefault(group, Tally())
                _put(tally, piece, wasted=id(attempt) in wasted)
                if group not in touched:
                    touched.add(group)
                    tally.attempts += 1
                    tally.wasted_attempts += id(attempt) in wasted
                tally.unknown_attempts += piece.call is None and not attempt.recorded and not piece.usage.calls
    for piece, missing, wasted_missing in _without_attempt(step):
        may_be_wasted = wasted_missing > 0 or (not missing and not step.counted)
        for group in _groups(run, step, None, piece, by) if piece.time in when else ():
            tally = found.setdefault(group, Tally())
            _put(tally, piece, wasted=may_be_wasted)
            tally.attempts += missing
            tally.wasted_attempts += wasted_missing
            tally.unknown_attempts += missing
    if step.undecoded and step.start in when:
        for group in _groups(run, step, None, _Piece(step.start, NO_USAGE, UNKNOWN), by):  # those of what is unknown
            found.setdefault(group, Tally()).undecoded += step.undecoded


def _pieces(step: StepAccount, attempt: AttemptAccount) -> Iterator[_Piece]:
    """What an attempt spent, call by call; then what only its sums tell of, and what is unknown."""
    for call in attempt.calls:
        yield _Piece(call.start, call.usage, amount_of(call.usage), call)
    unlisted = attempt.unlisted
    if unlisted.calls:
        yield _Piece(step.start, unlisted, amount_of(unlisted))
    if not attempt.recorded:
        yield _Piece(step.start, NO_USAGE, UNKNOWN)
    elif not attempt.calls and not unlisted.calls:
        yield _Piece(step.start, NO_USAGE, Amount())


def _without_attempt(step: StepAccount) -> Iterator[tuple[_Piece, int, int]]:
    """What a step may have spent in attempts that left nothing, with their number, and how many of these are wasted."""
    wasted, running = step.wasted_missing_attempts, step.running_attempts
    if wasted:
        yield _Piece(step.start, NO_USAGE, Amount(unknown_parts=wasted)), wasted, wasted
    if running:
        yield _Piece(step.start, NO_USAGE, Amount(unknown_parts=running)), running, 0
    if step.uncertain:
        yield _Piece(step.start, NO_USAGE, UNKNOWN), 0, 0


def _put(tally: Tally, piece: _Piece, *, wasted: bool) -> None:
    tally.usage += piece.usage
    tally.amount += piece.amount
    if wasted:
        tally.waste += piece.amount
    if piece.call is not None and piece.call.price_source:
        tally.prices[piece.call.price_source] += 1


def _groups(
    run: RunAccount,
    step: StepAccount | None,
    attempt: AttemptAccount | None,
    piece: _Piece | None,
    by: Sequence[Dimension],
) -> Iterator[GroupKey]:
    """The groups of a piece: one, or one for each tag; none for an attempt without a call, divided by calls."""
    if piece is not None and piece.nothing and not OF_CALLS.isdisjoint(by):
        return iter(())
    values = (_values(run, step, attempt, piece, dimension) for dimension in by)
    return product(*values)


def _values(
    run: RunAccount, step: StepAccount | None, attempt: AttemptAccount | None, piece: _Piece | None, by: Dimension
) -> tuple[str | None, ...]:
    if by == "tag":
        return tuple(dict.fromkeys(run.tags)) or (NONE,)
    if by in OF_CALLS:
        return (_of_call(piece, by),)
    if by == "day":
        return (_day(piece.time if piece is not None else run.start),)
    if by == "attempt":
        number = attempt.number if attempt is not None else None
        return (NONE if step is None else str(number) if number is not None else None,)
    if by in {"step", "activity", "summary"}:
        return (NONE if step is None else _of_step(step, by),)
    return (_of_run(run, by),)


def _of_call(piece: _Piece | None, by: Dimension) -> str | None:
    if piece is None:
        return NONE
    if piece.call is None:
        return None
    if by == "model":
        return piece.call.model
    return piece.call.provider if by == "provider" else piece.call.price_source or None


def _of_step(step: StepAccount, by: Dimension) -> str:
    if by == "summary":
        return step.summary or NONE
    return step.type if by == "activity" else f"{step.key} {step.type}"


def _of_run(run: RunAccount, by: Dimension) -> str:
    return {
        "type": run.workflow_type,
        "status": run.status,
        "session": run.session_id,
        "user": run.user_id,
        "namespace": run.namespace,
        "workflow": run.workflow_id,
        "run": run.run_id,
    }[by]


def _day(time: int) -> str:
    try:
        return (_EPOCH + timedelta(seconds=time // NS_PER_S)).date().isoformat()
    except OverflowError:
        return NONE  # beyond the calendar

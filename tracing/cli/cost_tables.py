"""Accounts as tables on the terminal, and as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from tracing.cli.console import ROOM, keep_whole, parted, plain, safe, table, time_text, usd
from tracing.cost import Amount, AttemptAccount, Dimension, RunAccount, StepAccount, Tally
from tracing.cost.dimensions import NONE, GroupKey
from tracing.usage import Usage

Rows = Sequence[tuple[GroupKey, Tally]]

_NUMBERS: Final = ("calls", "input\n(cached)", "output\n(reasoning)", "cost")
_BESIDE: Final = 2
"""Dimensions that stand beside each other also where there is little room."""
_FORMULA: Final = ("=", "+", "-", "@")
"""How text begins that a spreadsheet would compute."""


def money(amount: Amount) -> str:
    """An amount, at least or unknown where it is so."""
    return usd(amount.usd, at_least=amount.at_least)


def run_table(run: RunAccount, width: int) -> Group:
    """The steps of a run, and below a step its attempts where there is more than one.

    Args:
        run: The run.
        width: Columns that there are.
    """
    between = _between(width)
    named = "replay of " if run.replay_id else ""
    steps = table(f"{named}{safe(run.workflow_id)} [dim]{safe(run.run_id)}[/] · {safe(run.status)}")
    steps.add_column("step", overflow="fold")
    steps.add_column("model", overflow="fold")
    for name in ("tries", *_NUMBERS):
        steps.add_column(name, justify="right", no_wrap=name == "cost", min_width=_width(name))
    for step in run.steps:
        tries = str(step.tries) if not step.reused else "reused"
        style = "dim" if step.reused else ""
        steps.add_row(
            f"{safe(step.key)} {safe(step.type)}", _models([step]), tries, *_spent(step, between), style=style
        )
        for row in _attempts(step, between) if step.tries > 1 else ():
            steps.add_row(*row, style="dim")
    steps.add_section()
    steps.add_row("[bold]total[/]", "", str(run.tries), *_numbers(run.usage, run.amount, between))
    keep_whole(steps, width)
    calls = (call for step in run.steps for attempt in step.attempts for call in attempt.calls)
    priced: dict[str, int] = {}
    for call in calls:
        priced[call.price_source] = priced.get(call.price_source, 0) + 1
    notes = _notes(run.waste, run.unknown_attempts, run.undecoded, run.usage.unknown_cost_calls, priced)
    return Group(steps, *_waits(run), *notes)


def sums_table(by: Sequence[Dimension], rows: Rows, whole: Tally, *, replays: int, width: int) -> Group:
    """Sums over runs by group, those of all runs below.

    Args:
        by: What they are divided by.
        rows: The groups.
        whole: All runs.
        replays: Replays that were left out.
        width: Columns that there are.
    """
    between = _between(width)
    sums = table("")
    stacked = width < ROOM and len(by) > _BESIDE
    for name in _stacked(by) if stacked else by:
        sums.add_column(name, overflow="fold", no_wrap=name == "day")
    wasted = bool(whole.waste.known or whole.waste.at_least)
    last = ("cost",) if not wasted else ("cost", "waste") if width >= ROOM else ("cost\nwaste",)
    for name in ("runs", *_NUMBERS[:-1], *last):
        sums.add_column(name, justify="right", no_wrap=name in last, min_width=_width(name))
    for values, tally in rows:
        group = [shown(value) for value in values]
        sums.add_row(*(_stacked(group) if stacked else group), *_sum(tally, between, wasted=wasted))
    sums.add_section()
    first = ["[bold]total[/]", *[""] * (0 if stacked else len(by) - 1)]
    sums.add_row(*first, *_sum(whole, between, wasted=wasted))
    keep_whole(sums, width)
    notes: list[RenderableType] = list(
        _notes(whole.waste, whole.unknown_attempts, whole.undecoded, whole.usage.unknown_cost_calls, whole.prices)
    )
    if whole.waited:
        notes.insert(0, f"Waited for persons: {time_text(whole.waited)}")
    if "tag" in by:
        notes.append("[dim]A run with several tags counts in each; in the total once.[/]")
    if replays:
        notes.append(f"[dim]Left out: {replays:,} replay{'s' * (replays > 1)}, which spent nothing.[/]")
    return Group(sums, *notes)


def in_order(by: Sequence[Dimension], rows: Mapping[GroupKey, Tally]) -> Rows:
    """Groups by day or step where that is what they are divided by first, else by cost, the highest first."""
    if by and by[0] in {"day", "step", "attempt"}:
        return sorted(rows.items(), key=lambda row: (_natural(row[0][0]), *_by_cost(row)))
    return sorted(rows.items(), key=_by_cost)


def write_csv(by: Sequence[Dimension], rows: Rows) -> None:
    """Groups as CSV on standard output, with exact amounts; an empty cell is unknown."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    head = (
        "runs attempts llm_calls input_tokens cached_input_tokens output_tokens reasoning_tokens cost_usd at_least "
        "unknown_cost_calls unknown_attempts wasted_attempts retry_waste_usd retry_waste_at_least price_sources"
    )
    writer.writerow([*by, *head.split()])
    for values, tally in rows:
        usage = tally.usage
        writer.writerow(
            [
                *(_cell(value) for value in values),
                tally.runs,
                tally.attempts,
                usage.calls,
                usage.input_tokens,
                usage.cached_tokens,
                usage.output_tokens,
                usage.reasoning_tokens,
                _exact(tally.amount.usd),
                str(tally.amount.at_least).lower(),
                usage.unknown_cost_calls,
                tally.unknown_attempts,
                tally.wasted_attempts,
                _exact(tally.waste.usd),
                str(tally.waste.at_least).lower(),
                _cell("; ".join(tally.price_sources)),
            ]
        )


def shown(value: str | None) -> str:
    """A group's value on the terminal."""
    return "unknown" if value is None else "[dim]none[/]" if value == NONE else safe(value)


def _attempts(step: StepAccount, between: str) -> Iterator[tuple[str, ...]]:
    for attempt in step.attempts:
        usage, amount = attempt.usage, attempt.amount
        numbers = _numbers(usage, amount, between) if usage.calls or amount.at_least else ("",) * len(_NUMBERS)
        name = "?" if attempt.number is None else str(attempt.number)
        yield f"  attempt {name} {_ended(step, attempt)}", _models_of([attempt]), "", *numbers
    if step.missing_attempts:
        count = step.missing_attempts
        yield f"  {count} attempt{'s' * (count > 1)} left no trace", "", "", "", "", "", "unknown"


def _ended(step: StepAccount, attempt: AttemptAccount) -> str:
    if attempt.closing:
        return "[green]✓[/]"
    return safe(attempt.timeout_type or attempt.error or ("lost" if step.closed or attempt.number is None else "open"))


def _models(steps: Iterable[StepAccount]) -> str:
    return _models_of(attempt for step in steps for attempt in step.attempts)


def _models_of(attempts: Iterable[AttemptAccount]) -> str:
    return safe(", ".join(dict.fromkeys(call.model or "unknown" for attempt in attempts for call in attempt.calls)))


def _spent(step: StepAccount, between: str) -> tuple[str, ...]:
    if not step.usage.calls and not step.amount.at_least:
        return ("",) * len(_NUMBERS)
    return _numbers(step.usage, step.amount, between)


def _numbers(usage: Usage, amount: Amount, between: str) -> tuple[str, ...]:
    return (
        f"{usage.calls:,}",
        parted(usage.input_tokens, usage.cached_tokens, between),
        parted(usage.output_tokens, usage.reasoning_tokens, between),
        money(amount),
    )


def _sum(tally: Tally, between: str, *, wasted: bool) -> tuple[str, ...]:
    *numbers, cost = _numbers(tally.usage, tally.amount, between)
    waste = (money(tally.waste),) if wasted else ()
    spent = (cost, *waste) if between == " " else ("\n".join((cost, *waste)),)
    return f"{tally.runs:,}", *numbers, *spent


def _waits(run: RunAccount) -> Iterator[str]:
    """How long it waited for persons, and below that each wait."""
    if not run.waits:
        return
    yield f"Waited for persons: {time_text(run.waited)} of {time_text(run.duration)}"
    for wait in run.waits:
        with_what = f" ({', '.join(wait.answers)})" if wait.answers else ""
        about = f" · {wait.about}" if wait.about else ""
        yield safe(f"  {time_text(wait.duration)}: {wait.ending}{with_what}{about}")


def _notes(
    waste: Amount, unknown: int, undecoded: int, unpriced: int, prices: Mapping[str, int]
) -> Iterator[RenderableType]:
    if waste.known or waste.at_least:
        yield f"Retry waste: {money(waste)}"
    if unknown:
        yield f"Attempts that left no record, so that what they spent is unknown: {unknown:,}"
    if undecoded:
        yield (
            "Results that are encoded or stored elsewhere, so that what they record is unknown (--codec, "
            f"--codec-endpoint and --external-storage read them): {undecoded:,}"
        )
    if unpriced:
        yield f"Calls whose cost is unknown: {unpriced:,}"
    named = [f"{source} ({count:,} call{'s' * (count > 1)})" for source, count in sorted(prices.items()) if source]
    if named:
        yield Text(plain(f"Prices: {', '.join(named)}"), style="dim")


def _stacked(texts: Sequence[str]) -> list[str]:
    return ["\n".join(texts)]


def _between(width: int) -> str:
    return " " if width >= ROOM else "\n"


def _width(head: str) -> int:
    return max(map(len, head.splitlines()))


def _by_cost(row: tuple[GroupKey, Tally]) -> tuple[Any, ...]:
    values, tally = row
    return -tally.amount.known, -tally.usage.calls, *((value is None, value or "") for value in values)


def _natural(value: str | None) -> tuple[Any, ...]:
    """Numbers by their size: activity:2 before activity:10."""
    text = value or ""
    head, _, rest = text.partition(":")
    number = rest.partition(" ")[0].partition("#")[0] if rest else text
    return value is None, head if rest else "", int(number) if number.isascii() and number.isdecimal() else 0, text


def _cell(value: str | None) -> str:
    text = plain(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def _exact(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"

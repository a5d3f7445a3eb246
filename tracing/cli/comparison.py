"""A comparison as a table on the terminal.

Where there is room, a step has two lines (tokens and time; cost), else a line for each, so that both sides and their
difference fit 80 columns.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from rich.console import Group
from rich.text import Text

from tracing.cli.console import ROOM, keep_whole, plain, safe, table, time_text, usd
from tracing.cli.cost_tables import money
from tracing.cost import Amount, Comparison, Difference, RunAccount, StepAccount, difference

_STYLES: Final = {"reused": "green", "executed": "yellow", "changed": "magenta", "new": "cyan", "gone": "dim"}
_STEP_WIDTH: Final = 17
"""Columns of a step's key and type, at least."""


def comparison_table(comparison: Comparison, width: int) -> Group:
    """The steps of both runs side by side with their difference, the totals below.

    Args:
        comparison: The comparison.
        width: Columns that there are.
    """
    between = " · " if width >= ROOM else "\n"
    steps = table(f"{_named(comparison.first)} against {_named(comparison.second)}")
    steps.add_column("step", overflow="fold", min_width=_STEP_WIDTH)
    steps.add_column("state", no_wrap=True)
    for side in ("first", "second", "difference"):
        steps.add_column(f"{side}\ntokens{between}time\ncost", justify="right", no_wrap=True)
    for pair in comparison.steps:
        steps.add_row(
            f"{safe(pair.key)} {safe(pair.type)}",
            Text(pair.state, style=_STYLES[pair.state]),
            _side(pair.first, between),
            _side(pair.second, between),
            _difference(difference(pair.first, pair.second), between),
        )
    steps.add_section()
    whole = difference(comparison.first, comparison.second)
    calls = f"{comparison.first.usage.calls:,} → {comparison.second.usage.calls:,} model calls"
    sides = (_side(side, between) for side in (comparison.first, comparison.second))
    steps.add_row(f"[bold]total[/] {calls}", "", *sides, _difference(whole, between))
    keep_whole(steps, width)
    return Group(steps, *_totals(comparison))


def _named(run: RunAccount) -> str:
    joined = f" [dim]({len(run.joined)} runs)[/]" if run.joined else ""
    return f"{'replay of ' if run.replay_id else ''}{safe(run.workflow_id)}{joined}"


def _side(account: StepAccount | RunAccount | None, between: str) -> str:
    if account is None:
        return ""
    usage, time = account.usage, time_text(account.duration)
    if isinstance(account, StepAccount) and account.reused:
        return ""
    if not usage.calls and not account.amount.at_least and isinstance(account, StepAccount):
        return time
    return f"{usage.input_tokens + usage.output_tokens:,}{between}{time}\n{money(account.amount)}"


def _difference(found: Difference, between: str) -> str:
    tokens, time = found.usage.input_tokens + found.usage.output_tokens, time_text(found.duration, signed=True)
    if not tokens and found.usd == 0:
        return time
    return f"{tokens:+,}{between}{time}\n{_signed(found.usd)}"


def _signed(exact: Decimal | None) -> str:
    # As a float, so that it is rounded as the amounts beside it.
    return "unknown" if exact is None else f"{'-' if exact < 0 else '+'}{usd(abs(exact))}"


def _totals(comparison: Comparison) -> list[Text]:
    lines: list[tuple[str, Amount]] = [
        ("Saved by reused results", comparison.saved),
        ("First run, had it begun again from nothing at each recovery (estimate)", comparison.counterfactual),
        ("Retry waste", comparison.retry_waste),
    ]
    return [Text(plain(f"{name}: {money(amount)}")) for name, amount in lines]

"""A comparison as a table on the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from tracing.cli.console import plain, safe, usd
from tracing.cost import Amount, Comparison, RunAccount, StepAccount
from tracing.cost.compare import usd as as_usd

_STYLES = {"reused": "green", "executed": "yellow", "changed": "magenta", "new": "cyan", "gone": "dim"}


def comparison_table(comparison: Comparison) -> Group:
    """The steps of both runs side by side, the totals below."""
    table = Table(title=f"{_named(comparison.first)} against {_named(comparison.second)}")
    table.add_column("step")
    table.add_column("state")
    for side in ("first", "second"):
        table.add_column(f"{side}: calls", justify="right")
        table.add_column("tokens", justify="right")
        table.add_column("cost", justify="right")
    for pair in comparison.steps:
        table.add_row(
            f"{safe(pair.key)} {safe(pair.type)}",
            Text(pair.state, style=_STYLES[pair.state]),
            *_cells(pair.first),
            *_cells(pair.second),
        )
    table.add_section()
    table.add_row("[bold]total[/]", "", *_cells(comparison.first), *_cells(comparison.second))
    return Group(table, *_totals(comparison))


def _named(run: RunAccount) -> str:
    return f"{'replay of ' if run.replay_id else ''}{safe(run.workflow_id)}"


def _cells(account: StepAccount | RunAccount | None) -> tuple[str, str, str]:
    if account is None:
        return ("", "", "")
    usage = account.usage
    if not usage.calls and not account.amount.at_least:
        return ("0", "0", usd(0.0)) if isinstance(account, RunAccount) else ("", "", "")
    cost = usd(as_usd(account.amount), at_least=account.amount.at_least)
    return (str(usage.calls), str(usage.input_tokens + usage.output_tokens), cost)


def _totals(comparison: Comparison) -> list[Text]:
    lines: list[tuple[str, Amount]] = [
        ("Saved by reused results", comparison.saved),
        ("First run, had it begun again from nothing at each recovery (estimate)", comparison.counterfactual),
        ("Retry waste", comparison.retry_waste),
    ]
    return [Text(plain(f"{name}: {usd(as_usd(amount), at_least=amount.at_least)}")) for name, amount in lines]

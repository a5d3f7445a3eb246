"""A comparison as a table on the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from tracing.cli.console import plain, safe, table, usd
from tracing.cost import Amount, Comparison, RunAccount, StepAccount
from tracing.cost.compare import usd as as_usd

_STYLES = {"reused": "green", "executed": "yellow", "changed": "magenta", "new": "cyan", "gone": "dim"}


def comparison_table(comparison: Comparison) -> Group:
    """The steps of both runs side by side (model calls, tokens, cost), the totals below."""
    steps = table(
        f"{_named(comparison.first)} against {_named(comparison.second)} [dim](model calls / tokens   cost)[/]"
    )
    steps.add_column("step", overflow="fold", min_width=18)
    steps.add_column("state", no_wrap=True)
    for side in ("first run", "second run"):  # model calls / tokens, cost
        steps.add_column(side, justify="right", no_wrap=True)
    for pair in comparison.steps:
        steps.add_row(
            f"{safe(pair.key)} {safe(pair.type)}",
            Text(pair.state, style=_STYLES[pair.state]),
            _cell(pair.first),
            _cell(pair.second),
        )
    steps.add_section()
    steps.add_row("[bold]total[/]", "", _cell(comparison.first), _cell(comparison.second))
    return Group(steps, *_totals(comparison))


def _named(run: RunAccount) -> str:
    return f"{'replay of ' if run.replay_id else ''}{safe(run.workflow_id)}"


def _cell(account: StepAccount | RunAccount | None) -> str:
    if account is None:
        return ""
    usage = account.usage
    if not usage.calls and not account.amount.at_least:
        return f"0 / 0   {usd(0.0)}" if isinstance(account, RunAccount) else ""
    cost = usd(as_usd(account.amount), at_least=account.amount.at_least)
    tokens = usage.input_tokens + usage.output_tokens
    return f"{usage.calls} / {tokens:,}   {cost}"


def _totals(comparison: Comparison) -> list[Text]:
    lines: list[tuple[str, Amount]] = [
        ("Saved by reused results", comparison.saved),
        ("First run, had it begun again from nothing at each recovery (estimate)", comparison.counterfactual),
        ("Retry waste", comparison.retry_waste),
    ]
    return [Text(plain(f"{name}: {usd(as_usd(amount), at_least=amount.at_least)}")) for name, amount in lines]

"""`durable-trace cost`: tokens and cost per step, model, attempt."""

from __future__ import annotations

from typing import Any

import click

from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import complain, output, parted, print_json, safe, table, usd
from tracing.cli.runs import RUN_HELP, load
from tracing.cost import RunAccount, StepAccount, accounts
from tracing.cost.compare import usd as as_usd


@click.command(help=f"Tokens and cost per step, model, attempt.\n\nRUN is {RUN_HELP}.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
def command(*, runs: tuple[str, ...], as_json: bool) -> int:
    """Print an account of each run."""
    failures: list[str] = []
    found: list[RunAccount] = []
    for argument in runs:
        loaded = load(argument)
        failures += loaded.failures
        found += accounts(loaded.spans)
    if as_json:
        print_json({"runs": [_as_json(account) for account in found], "failed": failures})
    else:
        for account in found:
            _print(account)
    return SOME_FAILED if complain(failures) or not found else OK


def _as_json(account: RunAccount) -> dict[str, Any]:
    usage = account.usage
    return {
        "run_id": account.run_id,
        "workflow_id": account.workflow_id,
        "workflow_type": account.workflow_type,
        "status": account.status,
        "llm_calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": as_usd(account.amount),
        "at_least": account.amount.at_least,
        "unknown_cost_calls": usage.unknown_cost_calls,
        "retry_waste_usd": as_usd(account.waste),
        "price_sources": list(account.price_sources),
        "steps": [
            {
                "key": step.key,
                "type": step.type,
                "attempts": len(step.attempts) + step.missing_attempts,
                "reused": step.reused,
                "llm_calls": step.usage.calls,
                "input_tokens": step.usage.input_tokens,
                "output_tokens": step.usage.output_tokens,
                "cached_input_tokens": step.usage.cached_tokens,
                "reasoning_tokens": step.usage.reasoning_tokens,
                "cost_usd": as_usd(step.amount),
                "at_least": step.amount.at_least,
                "models": sorted({call.model or "unknown" for attempt in step.attempts for call in attempt.calls}),
            }
            for step in account.steps
        ],
    }


def _print(account: RunAccount) -> None:
    steps = table(f"{safe(account.workflow_id)} [dim]{safe(account.run_id)}[/] · {safe(account.status)}")
    steps.add_column("step", overflow="fold")
    steps.add_column("model", overflow="fold")
    for name in ("tries", "calls", "input (cached)", "output (reasoning)", "cost"):
        steps.add_column(name, justify="right", no_wrap=name == "cost")
    for step in account.steps:
        steps.add_row(f"{safe(step.key)} {safe(step.type)}", *_columns(step), style="dim" if step.reused else "")
    usage = account.usage
    steps.add_section()
    steps.add_row(
        "[bold]total[/]",
        "",
        str(sum(len(step.attempts) + step.missing_attempts for step in account.steps)),
        str(usage.calls),
        parted(usage.input_tokens, usage.cached_tokens),
        parted(usage.output_tokens, usage.reasoning_tokens),
        f"[bold]{usd(as_usd(account.amount), at_least=account.amount.at_least)}[/]",
    )
    console = output()
    console.print(steps)
    if account.waste.known or account.waste.at_least:
        console.print(f"Retry waste: {usd(as_usd(account.waste), at_least=account.waste.at_least)}")
    if account.unknown_attempts:
        console.print(f"Attempts that left no record, so that what they spent is unknown: {account.unknown_attempts}")
    if account.price_sources:
        console.print(f"[dim]Prices: {safe(', '.join(account.price_sources))}[/]")


def _columns(step: StepAccount) -> tuple[str, ...]:
    usage = step.usage
    models = dict.fromkeys(call.model or "unknown" for attempt in step.attempts for call in attempt.calls)
    attempts = str(len(step.attempts) + step.missing_attempts) if not step.reused else "reused"
    if not usage.calls and not step.amount.at_least:
        return ("", attempts, "", "", "", "")
    return (
        safe(", ".join(models)),
        attempts,
        str(usage.calls),
        parted(usage.input_tokens, usage.cached_tokens),
        parted(usage.output_tokens, usage.reasoning_tokens),
        usd(as_usd(step.amount), at_least=step.amount.at_least),
    )

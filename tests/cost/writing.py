"""How do our tests write an account down? A line a step, the sum last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracing.cost import Amount, Comparison, RunAccount, StepAccount


def written(run: RunAccount) -> str:
    """An account as text."""
    lines = [f"{step.key} {step.type}: {_attempts(step)}, {_spent(step)}{_state(step)}" for step in run.steps]
    return "\n".join([*lines, f"= {_spent(run)}, {run.unknown_attempts} unknown attempts"])


def compared(comparison: Comparison) -> str:
    """A comparison as text."""
    return "\n".join(f"{pair.key} {pair.type} {pair.state}" for pair in comparison.steps)


def money(amount: Amount) -> str:
    """An amount as text."""
    if amount.usd is None:
        return "unknown"
    usd = f"{amount.usd.normalize():f}"
    return f"≥ {usd} USD" if amount.at_least else f"{usd} USD"


def _attempts(step: StepAccount) -> str:
    parts = []
    for attempt in step.attempts:
        number = "?" if attempt.number is None else str(attempt.number)
        calls = " ".join(f"{call.model}{f' ({call.error})' if call.error else ''}" for call in attempt.calls)
        ended = "" if attempt.closing else f" {attempt.error or 'lost'}"
        parts.append(f"#{number}{ended} [{calls}]" + ("" if attempt.recorded else " unrecorded"))
    return " ".join(parts + ["missing"] * step.missing_attempts) or "nothing"


def _spent(account: RunAccount | StepAccount) -> str:
    usage = account.usage
    return (
        f"{usage.calls} calls, {usage.input_tokens}+{usage.output_tokens} tokens, "
        f"{money(account.amount)}, waste {money(account.waste)}"
    )


def _state(step: StepAccount) -> str:
    return " (reused)" if step.reused else "" if step.closed else " (open)"

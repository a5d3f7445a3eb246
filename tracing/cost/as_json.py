"""How is an account written as plain values, for JSON?

USD are numbers, rounded to 1e-9; null is unknown. Where ``at_least`` is true the number is the known part only.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Any, Final

from tracing.cost.amount import Amount, amount_of, sum_of
from tracing.cost.difference import Difference
from tracing.cost.run_account import RunAccount
from tracing.cost.step_account import AttemptAccount, ModelCall, StepAccount
from tracing.cost.tally import Tally
from tracing.cost.waits import PersonWait
from tracing.spans.model import NS_PER_S
from tracing.usage import Usage, total

_DECIMALS: Final = 9
"""USD in JSON are rounded to 1e-9."""


def usd(amount: Amount) -> float | None:
    """An amount as a JSON number; None where nothing of it is known."""
    return _number(amount.usd)


def _number(exact: Decimal | None) -> float | None:
    value = None if exact is None else float(exact)
    # JSON has no infinity, and traces may come from anywhere.
    return round(value, _DECIMALS) if value is not None and isfinite(value) else None


def seconds(nanoseconds: int | None) -> float | None:
    """A duration in seconds; None where it is unknown."""
    return None if nanoseconds is None else nanoseconds / NS_PER_S


def usage_as_json(usage: Usage, amount: Amount) -> dict[str, Any]:
    """Calls, tokens and cost."""
    return {
        "llm_calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_usd": usd(amount),
        "at_least": amount.at_least,
        "unknown_cost_calls": usage.unknown_cost_calls,
    }


def run_as_json(run: RunAccount) -> dict[str, Any]:
    """A run without its steps."""
    return {
        "run_id": run.run_id,
        "kind": "replay" if run.replay_id else "run",
        **({"replay_id": run.replay_id} if run.replay_id else {}),
        **({"joined_runs": list(run.joined)} if run.joined else {}),
        "workflow_id": run.workflow_id,
        "workflow_type": run.workflow_type,
        "status": run.status,
        **_spent(run),
        **({"person_wait_s": seconds(run.waited)} if run.waits else {}),
        **({"undecoded_results": run.undecoded} if run.undecoded else {}),
        "price_sources": list(run.price_sources),
    }


def step_as_json(step: StepAccount) -> dict[str, Any]:
    """A step without its attempts."""
    return {
        "key": step.key,
        "type": step.type,
        "reused": step.reused,
        "attempts": step.tries,
        "models": sorted({call.model or "unknown" for attempt in step.attempts for call in attempt.calls}),
        "failed_calls": sum(attempt.failed_calls for attempt in step.attempts),
        **_spent(step),
    }


def attempt_as_json(attempt: AttemptAccount) -> dict[str, Any]:
    """An attempt with its calls by provider and model."""
    return {
        "number": attempt.number,
        "closing": attempt.closing,
        "recorded": attempt.recorded,
        "error": attempt.error or None,
        "timeout_type": attempt.timeout_type or None,
        "failed_calls": attempt.failed_calls,
        **usage_as_json(attempt.usage, attempt.amount),
        "duration_s": seconds(None if attempt.end is None else max(0, attempt.end - attempt.start)),
        "by_model": by_model(attempt.calls, attempt.unlisted),
    }


def by_model(calls: list[ModelCall] | tuple[ModelCall, ...], unlisted: Usage) -> list[dict[str, Any]]:
    """Calls by provider and model, in the order of their first call, with the prices that they were priced by.

    Args:
        calls: The calls.
        unlisted: Usage of further calls, whose models nobody knows.
    """
    groups: dict[tuple[str | None, str | None], list[ModelCall]] = {}
    for call in calls:
        groups.setdefault((call.provider, call.model), []).append(call)
    rows = [
        {
            "provider": provider,
            "model": model,
            **usage_as_json(total(each.usage for each in of_one), sum_of(amount_of(each.usage) for each in of_one)),
            "price_sources": sorted({each.price_source for each in of_one} - {""}),
        }
        for (provider, model), of_one in groups.items()
    ]
    if unlisted.calls:
        rows.append(
            {"provider": None, "model": None, **usage_as_json(unlisted, amount_of(unlisted)), "price_sources": []}
        )
    return rows


def wait_as_json(wait: PersonWait) -> dict[str, Any]:
    """A wait for a person."""
    return {
        "outcome": wait.outcome or None,
        "answered_by": list(wait.answered_by),
        "answers": list(wait.answers),
        "about": wait.about or None,
        "duration_s": seconds(wait.duration),
    }


def account_as_json(run: RunAccount) -> dict[str, Any]:
    """A run with its steps, their attempts, and the calls of each by provider and model."""
    attempts = [attempt for step in run.steps for attempt in step.attempts]
    unlisted = total(attempt.unlisted for attempt in attempts)
    return {
        **run_as_json(run),
        "by_model": by_model([call for attempt in attempts for call in attempt.calls], unlisted),
        "steps": [
            {
                **step_as_json(step),
                "each_attempt": [attempt_as_json(attempt) for attempt in step.attempts],
                "attempts_without_trace": step.missing_attempts,
            }
            for step in run.steps
        ],
        **({"person_waits": [wait_as_json(wait) for wait in run.waits]} if run.waits else {}),
    }


def difference_as_json(difference: Difference) -> dict[str, Any]:
    """The second side less the first."""
    return {
        "llm_calls": difference.usage.calls,
        "input_tokens": difference.usage.input_tokens,
        "output_tokens": difference.usage.output_tokens,
        "cost_usd": _number(difference.usd),
        "duration_s": seconds(difference.duration),
    }


def tally_as_json(tally: Tally) -> dict[str, Any]:
    """A sum over runs."""
    return {
        "runs": tally.runs,
        "attempts": tally.attempts,
        **usage_as_json(tally.usage, tally.amount),
        "unknown_attempts": tally.unknown_attempts,
        **({"undecoded_results": tally.undecoded} if tally.undecoded else {}),
        "wasted_attempts": tally.wasted_attempts,
        "retry_waste_usd": usd(tally.waste),
        "retry_waste_at_least": tally.waste.at_least,
        "person_wait_s": seconds(tally.waited),
        "price_sources": list(tally.price_sources),
    }


def _spent(account: RunAccount | StepAccount) -> dict[str, Any]:
    return {
        **usage_as_json(account.usage, account.amount),
        "unknown_attempts": account.unknown_attempts,
        "retry_waste_usd": usd(account.waste),
        "retry_waste_at_least": account.waste.at_least,
        "duration_s": seconds(account.duration),
    }

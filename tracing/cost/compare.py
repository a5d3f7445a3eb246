"""What did the second run spend that the first did not, and what did it save by reusing results?

``docs/cost.md`` defines each number and works one example through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

from tracing.cost.align import StepPair, align
from tracing.cost.model import Amount, RunAccount, StepAccount, sum_of
from tracing.cost.recovery import RecoveryPoint, cost_of_restarting, recovery_points
from tracing.spans.model import NS_PER_S

_DECIMALS: Final = 9
"""USD in JSON are rounded to 1e-9."""


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        first: The first run.
        second: The second run, or a replay of the first.
        steps: Their steps, paired.
        saved: What the second run did not spend because it reused results: the cost, in the first run, of the attempts
            that closed the reused steps.
        counterfactual: What the first run would have cost, had it begun again from nothing at each recovery point: an
            estimate, for history does not record every crash.
        retry_waste: What attempts cost, in both runs, whose result did not close their step.
        recoveries: Recovery points of the first run.
        requests: Requests of the first run as counted elsewhere (by a gateway, a model server), by step key.
    """

    first: RunAccount
    second: RunAccount
    steps: tuple[StepPair, ...]
    saved: Amount
    counterfactual: Amount
    retry_waste: Amount
    recoveries: tuple[RecoveryPoint, ...]
    requests: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain values for a JSON file.

        USD are numbers, rounded to 1e-9; null is unknown. Where ``at_least`` names a number, it is the known part only.
        """
        totals = {
            "saved_usd": self.saved,
            "counterfactual_usd": self.counterfactual,
            "retry_waste_usd": self.retry_waste,
        }
        return {
            "runs": [_run(self.first), _run(self.second)],
            "steps": [_pair(pair) for pair in self.steps],
            **{name: usd(amount) for name, amount in totals.items()},
            "at_least": [name for name, amount in totals.items() if amount.at_least],
            "recovery_points": [
                {"cause": point.cause, "step": point.step or None, "completed": list(point.completed)}
                for point in self.recoveries
            ],
            "waste": [
                _waste(position, step, self.requests if position == 0 else {})
                for position, run in enumerate((self.first, self.second))
                for step in run.steps
                if step.wasted_attempts or step.missing_attempts
            ],
        }


def compare(first: RunAccount, second: RunAccount, *, requests: Mapping[str, int] | None = None) -> Comparison:
    """Compare two runs, or a run with a replay of it.

    Args:
        first: The run compared against.
        second: A later one: a replay, a reset, a re-run.
        requests: Requests of the first run as the model's side counted them, by step key. Named beside the waste: an
            attempt that died left no record of what it asked.
    """
    steps = align(first.steps, second.steps)
    recoveries = recovery_points(first)
    return Comparison(
        first=first,
        second=second,
        steps=steps,
        saved=sum_of(pair.first.result_amount for pair in steps if pair.state == "reused" and pair.first is not None),
        counterfactual=cost_of_restarting(first, recoveries),
        retry_waste=first.waste + second.waste,
        recoveries=recoveries,
        requests=requests or {},
    )


def usd(amount: Amount) -> float | None:
    """An amount as a JSON number; None where nothing of it is known."""
    value = None if amount.usd is None else float(amount.usd)
    # JSON has no infinity, and traces may come from anywhere.
    return round(value, _DECIMALS) if value is not None and isfinite(value) else None


def _run(run: RunAccount) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "kind": "replay" if run.replay_id else "run",
        **({"replay_id": run.replay_id} if run.replay_id else {}),
        "workflow_id": run.workflow_id,
        "workflow_type": run.workflow_type,
        "status": run.status,
        **_spent(run),
        "price_sources": list(run.price_sources),
    }


def _pair(pair: StepPair) -> dict[str, Any]:
    return {
        "key": pair.key,
        "type": pair.type,
        "state": pair.state,
        "first": _step(pair.first),
        "second": _step(pair.second),
    }


def _step(step: StepAccount | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "key": step.key,
        "type": step.type,
        "attempts": len(step.attempts) + step.missing_attempts,
        "models": sorted({call.model or "unknown" for attempt in step.attempts for call in attempt.calls}),
        "failed_calls": sum(attempt.failed_calls for attempt in step.attempts),
        **_spent(step),
    }


def _spent(account: RunAccount | StepAccount) -> dict[str, Any]:
    usage = account.usage
    return {
        "llm_calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_usd": usd(account.amount),
        "at_least": account.amount.at_least,
        "unknown_cost_calls": usage.unknown_cost_calls,
        "unknown_attempts": account.unknown_attempts,
        "retry_waste_usd": usd(account.waste),
        "duration_s": None if account.end is None else (account.end - account.start) / NS_PER_S,
    }


def _waste(position: int, step: StepAccount, requests: Mapping[str, int]) -> dict[str, Any]:
    named: dict[str, Any] = {
        "run": position,
        "key": step.key,
        "type": step.type,
        "attempts": len(step.wasted_attempts) + step.missing_attempts,
        "attempts_unknown": step.missing_attempts + sum(1 for each in step.wasted_attempts if not each.recorded),
        "llm_calls": sum(attempt.usage.calls for attempt in step.wasted_attempts),
        "cost_usd": usd(step.waste),
    }
    if step.key in requests:
        named["requests"] = requests[step.key]
        named["requests_unrecorded"] = requests[step.key] - step.usage.calls
    return named

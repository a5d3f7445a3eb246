"""What did the second run spend that the first did not, and what did it save by reusing results?

``docs/cost.md`` defines each number and works one example through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracing.cost.align import StepPair, align
from tracing.cost.amount import Amount
from tracing.cost.as_json import difference_as_json, run_as_json, step_as_json, usd
from tracing.cost.difference import difference
from tracing.cost.recovery import RecoveryPoint, cost_of_restarting, recovery_points
from tracing.cost.run_account import RunAccount
from tracing.cost.savings import saved
from tracing.cost.step_account import StepAccount


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
            "runs": [run_as_json(self.first), run_as_json(self.second)],
            "difference": difference_as_json(difference(self.first, self.second)),
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
                if step.wasted_attempts or step.wasted_missing_attempts
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
    steps = align(first.steps, second.steps, same_workflow=first.workflow_type == second.workflow_type)
    recoveries = recovery_points(first)
    return Comparison(
        first=first,
        second=second,
        steps=steps,
        saved=saved(pair.first for pair in steps if pair.second is not None and pair.second.reused),
        counterfactual=cost_of_restarting(first, recoveries),
        retry_waste=first.waste + second.waste,
        recoveries=recoveries,
        requests=requests or {},
    )


def _pair(pair: StepPair) -> dict[str, Any]:
    return {
        "key": pair.key,
        "type": pair.type,
        "state": pair.state,
        "first": None if pair.first is None else step_as_json(pair.first),
        "second": None if pair.second is None else step_as_json(pair.second),
        "difference": difference_as_json(difference(pair.first, pair.second)),
    }


def _waste(position: int, step: StepAccount, requests: Mapping[str, int]) -> dict[str, Any]:
    named: dict[str, Any] = {
        "run": position,
        "key": step.key,
        "type": step.type,
        "attempts": len(step.wasted_attempts) + step.wasted_missing_attempts,
        "attempts_unknown": step.wasted_missing_attempts + sum(1 for each in step.wasted_attempts if not each.recorded),
        "llm_calls": sum(attempt.usage.calls for attempt in step.wasted_attempts),
        "cost_usd": usd(step.waste),
    }
    if step.key in requests:
        named["requests"] = requests[step.key]
        named["requests_unrecorded"] = requests[step.key] - step.usage.calls
    return named

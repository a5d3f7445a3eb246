"""What was spent by steps, in the words of their account?

The sums are those of `tracing.cost`, which docs/cost.md defines, so that tables and `durable-trace cost` agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tracing.cost.amount import sum_of
from tracing.cost.recovery import cost_of_restarting, recovery_points
from tracing.cost.run_account import RunAccount
from tracing.cost.step_account import StepAccount
from tracing.tables.cells import Row, amount_cells, count_cell, strings_cell
from tracing.usage import total


def spent(steps: Sequence[StepAccount]) -> Row:
    """Attempts, calls, tokens, cost and waste of some steps: of all that a run has, of one, of none."""
    usage = total(step.usage for step in steps)
    calls = [call for step in steps for attempt in step.attempts for call in attempt.calls]
    return {
        "attempts": count_cell(sum(len(step.attempts) + step.missing_attempts for step in steps)),
        "llm_calls": count_cell(usage.calls),
        "failed_calls": sum(attempt.failed_calls for step in steps for attempt in step.attempts),
        "client_retries": count_cell(usage.client_retries),
        "input_tokens": count_cell(usage.input_tokens),
        "output_tokens": count_cell(usage.output_tokens),
        "cached_input_tokens": count_cell(usage.cached_tokens),
        "reasoning_tokens": count_cell(usage.reasoning_tokens),
        **amount_cells("cost", sum_of(step.amount for step in steps)),
        "unknown_cost_calls": count_cell(usage.unknown_cost_calls),
        "unknown_attempts": count_cell(sum(step.unknown_attempts for step in steps)),
        "wasted_attempts": count_cell(sum(len(step.wasted_attempts) + step.wasted_missing_attempts for step in steps)),
        **amount_cells("retry_waste", sum_of(step.waste for step in steps)),
        "models": strings_cell(sorted({call.model for call in calls if call.model})),
        "providers": strings_cell(sorted({call.provider for call in calls if call.provider})),
    }


def restarts(run: RunAccount) -> Row:
    """The crashes that a run's history shows, and what it would have cost without durable execution."""
    points = recovery_points(run)
    return {"recovery_points": len(points), **amount_cells("counterfactual", cost_of_restarting(run, points))}


NOTHING_SPENT: Final = spent(())
"""The cells of a step that can spend nothing."""

"""What was not spent again because results were reused?"""

from __future__ import annotations

from collections.abc import Iterable

from tracing.cost.amount import UNKNOWN, Amount, sum_of
from tracing.cost.step_account import StepAccount


def saved(makers: Iterable[StepAccount | None]) -> Amount:
    """What reused results cost when they were made, by the attempts that closed their steps.

    Args:
        makers: For each reused step the step whose result it took; None where that is not at hand, so that nobody
            knows what it cost.
    """
    return sum_of(UNKNOWN if maker is None else maker.result_amount for maker in makers)

"""By how much does the second side of a comparison differ from the first?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tracing.cost.amount import Amount
from tracing.cost.run_account import RunAccount
from tracing.cost.step_account import StepAccount
from tracing.usage import NO_USAGE, Usage


@dataclass(frozen=True, slots=True)
class Difference:
    """The second side less the first.

    Attributes:
        usage: Calls and tokens; negative where the second had fewer.
        usd: USD; None where a part of either side's cost is unknown: two least sums have no difference.
        duration: ns; None where either side is still open.
    """

    usage: Usage
    usd: Decimal | None
    duration: int | None


def difference(first: RunAccount | StepAccount | None, second: RunAccount | StepAccount | None) -> Difference:
    """The second less the first. A side that does not have the step spent nothing on it, and no time."""
    amounts = [Amount() if side is None else side.amount for side in (first, second)]
    durations = [0 if side is None else side.duration for side in (first, second)]
    before, after = durations
    return Difference(
        (second.usage if second is not None else NO_USAGE) - (first.usage if first is not None else NO_USAGE),
        None if any(amount.at_least for amount in amounts) else amounts[1].known - amounts[0].known,
        None if before is None or after is None else after - before,
    )

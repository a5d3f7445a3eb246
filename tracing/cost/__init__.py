"""Accounts of what runs spent, and comparisons of two of them."""

from __future__ import annotations

from tracing.cost.account import account, accounts
from tracing.cost.align import StepPair, StepState
from tracing.cost.amount import Amount, rounded
from tracing.cost.compare import Comparison, compare
from tracing.cost.difference import Difference, difference
from tracing.cost.dimensions import DIMENSIONS, Dimension
from tracing.cost.joining import JoinError, join
from tracing.cost.recovery import RecoveryPoint, recovery_points
from tracing.cost.run_account import RunAccount
from tracing.cost.savings import saved
from tracing.cost.scoring import scored_run, scores
from tracing.cost.step_account import AttemptAccount, ModelCall, StepAccount
from tracing.cost.tally import Period, Tally, tallies
from tracing.cost.waits import PersonWait, person_wait
from tracing.pricing import Price, price_of_call

__all__ = [
    "DIMENSIONS",
    "Amount",
    "AttemptAccount",
    "Comparison",
    "Difference",
    "Dimension",
    "JoinError",
    "ModelCall",
    "Period",
    "PersonWait",
    "Price",
    "RecoveryPoint",
    "RunAccount",
    "StepAccount",
    "StepPair",
    "StepState",
    "Tally",
    "account",
    "accounts",
    "compare",
    "difference",
    "join",
    "person_wait",
    "price_of_call",
    "recovery_points",
    "rounded",
    "saved",
    "scored_run",
    "scores",
    "tallies",
]

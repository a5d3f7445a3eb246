"""Accounts of what runs spent, and comparisons of two of them."""

from __future__ import annotations

from tracing.cost.account import account, accounts
from tracing.cost.align import StepPair, StepState
from tracing.cost.compare import Comparison, compare
from tracing.cost.model import Amount, AttemptAccount, ModelCall, RunAccount, StepAccount
from tracing.cost.recovery import RecoveryPoint, recovery_points

__all__ = [
    "Amount",
    "AttemptAccount",
    "Comparison",
    "ModelCall",
    "RecoveryPoint",
    "RunAccount",
    "StepAccount",
    "StepPair",
    "StepState",
    "account",
    "accounts",
    "compare",
    "recovery_points",
]

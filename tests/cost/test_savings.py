"""What was not spent again because results were reused."""

from __future__ import annotations

from tests.cost.runs import killed_run
from tests.cost.writing import money
from tracing.cost import account, saved


def test_what_reused_results_cost_once_is_saved() -> None:
    plan, search, *_ = account(killed_run().spans()).steps
    assert money(saved([plan, search])) == "0.0046325 USD"
    assert money(saved([])) == "0 USD"


def test_it_is_unknown_what_a_result_cost_whose_run_is_not_at_hand() -> None:
    plan, *_ = account(killed_run().spans()).steps
    assert money(saved([plan, None])) == "≥ 0.0046325 USD"
    assert money(saved([None])) == "unknown"

"""What was not spent again because results were reused?"""

from __future__ import annotations

import pytest

from tests.cost.runs import Attempt, Call, RecordedRun, killed_run
from tests.cost.writing import money
from tests.history.local_markers import run_and_resets_with_local_activities
from tests.tables.fleet import research, reset
from tracing import conventions as c
from tracing.cost import StepAccount, account, compare, join, saved
from tracing.cost.savings import makers_of
from tracing.cost.step_account import SpanKey
from tracing.identity import run_trace_id, step_span_id
from tracing.spans.model import Link


def reused(base: SpanKey | None) -> StepAccount:
    return StepAccount("activity:1", "call_llm", 0, reused=True, taken_from=base)


MADE = StepAccount("activity:1", "call_llm", 1)


def test_what_reused_results_cost_once_is_saved() -> None:
    plan, search, *_ = account(killed_run().spans()).steps
    assert money(saved([plan, search])) == "0.0046325 USD"
    assert money(saved([])) == "0 USD"


def test_it_is_unknown_what_a_result_cost_whose_run_is_not_at_hand() -> None:
    plan, *_ = account(killed_run().spans()).steps
    assert money(saved([plan, None])) == "≥ 0.0046325 USD"
    assert money(saved([None])) == "unknown"


def test_a_step_names_the_one_whose_result_it_took() -> None:
    links = (Link(1, 2, {}), Link(3, 4, {c.RUN_ID: "run-0"}), Link(5, 6, {c.RUN_ID: "run-1"}), Link(7, 8, {}))
    run = RecordedRun("run-2").step("call_llm", 1, 4, reused=True, links=links).step("call_llm", 4, 5, links=links)
    assert [step.taken_from for step in account(run.spans()).steps] == [(5, 6), None]


def test_results_lead_over_resets_to_the_step_that_made_them() -> None:
    steps = {(1, 1): MADE, (2, 1): reused((1, 1)), (3, 1): reused((2, 1)), (4, 1): reused((1, 1))}
    for order in (steps, dict(reversed(steps.items()))):
        assert makers_of(order) == {(2, 1): MADE, (3, 1): MADE, (4, 1): MADE}


def test_results_lead_nowhere_where_a_run_is_missing_and_in_a_circle() -> None:
    missing = {(3, 1): reused((2, 1)), (2, 1): reused((1, 1)), (4, 1): reused(None)}
    circle = {(5, 1): reused((5, 1)), (6, 1): reused((7, 1)), (7, 1): reused((6, 1)), (8, 1): reused((7, 1))}
    for steps in (missing | circle, dict(reversed((missing | circle).items()))):
        assert makers_of(steps) == {}


@pytest.mark.timeout(30)
def test_a_long_way_is_walked_once() -> None:
    steps = {(1, 0): MADE} | {(1, number): reused((1, number - 1)) for number in range(1, 50_000)}
    for order in (steps, dict(reversed(steps.items()))):
        assert set(map(id, makers_of(order).values())) == {id(MADE)}


def test_a_comparison_with_the_run_that_paid_says_what_a_reset_of_a_reset_saved() -> None:
    paid, first, second = (account(spans) for spans in (research(), reset(), reset("run-5", base="run-2")))
    assert money(compare(paid, second).saved) == "0.01271 USD"
    assert money(compare(first, second).saved) == "unknown"  # the first run did not pay, either


def test_what_a_reset_of_a_reset_saved_is_what_each_of_the_runs_before_paid() -> None:
    """The base run plans for 0.5 USD and asks; its reset takes the plan and asks again for 0.25; that is taken, too."""

    def taken(key: str, base: str) -> tuple[Link, ...]:
        return (Link(run_trace_id(base), step_span_id(base, "activity", key), {c.RUN_ID: base}),)

    base = RecordedRun("base")
    base.step("plan", 0, 4, Attempt(1, 3, [Call(1, 2, 0.5, 10, 1)]), activity_id="1")
    base.step("ask", 4, 8, Attempt(5, 7, [Call(5, 6, 0.125, 10, 1)]), activity_id="2")
    middle = RecordedRun("middle").step("plan", 0, 4, reused=True, links=taken("1", "base"), activity_id="1")
    middle.step("ask", 14, 18, Attempt(15, 17, [Call(15, 16, 0.25, 10, 1)]), activity_id="2")
    last = RecordedRun("last").step("plan", 0, 4, reused=True, links=taken("1", "middle"), activity_id="1")
    last.step("ask", 14, 18, reused=True, links=taken("2", "middle"), activity_id="2")

    chain = join([account(base.spans(9)), account(middle.spans(19))])
    comparison = compare(chain, account(last.spans(20)))

    paired = {pair.first.key: pair.second.key for pair in comparison.steps if pair.first and pair.second}
    assert paired == {"activity:1": "activity:1", "ResearchAgentWorkflow#2/activity:2": "activity:2"}
    assert money(comparison.saved) == "0.75 USD"


def test_a_result_that_no_step_of_the_first_run_made_is_part_of_what_was_saved_and_unknown() -> None:
    first = RecordedRun("other").step("plan", 0, 4, Attempt(1, 3, [Call(1, 2, 0.5, 10, 1)]))
    second = RecordedRun("last").step("plan", 0, 4, reused=True).step("ask", 4, 8, reused=True)
    assert money(compare(account(first.spans(9)), account(second.spans(9))).saved) == "≥ 0.5 USD"


def test_reused_local_activities_saved_what_they_cost_once() -> None:
    paid, first, second = map(account, run_and_resets_with_local_activities())
    assert [money(compare(paid, each).saved) for each in (first, second)] == ["0.75 USD", "0.75 USD"]
    steps = {step.span_key: step for run in (paid, first, second) for step in run.steps}
    assert [step.reused for step in steps.values()] == [False] * 3 + [True] * 6
    assert list(makers_of(steps).values()) == [*paid.steps, *paid.steps]

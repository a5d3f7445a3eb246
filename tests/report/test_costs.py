from __future__ import annotations

from decimal import Decimal

from tests.cost.runs import KILLED_RUN_TIMEOUTS, killed_run
from tests.report.sample import research_run
from tracing.cost import Amount, account
from tracing.report.costs import by_activity, by_model, by_step


def test_cost_by_activity_type_the_most_expensive_first() -> None:
    lines = by_activity([account(killed_run().spans(45, timeouts=KILLED_RUN_TIMEOUTS))])
    assert [(line.name, line.steps, line.attempts, line.usage.calls, line.share) for line in lines] == [
        ("call_llm", 3, 5, 4, 1.0),
        ("generate_report", 1, 1, 0, 0.0),
        ("search_web", 1, 1, 0, 0.0),
    ]
    assert lines[0].amount == Amount(Decimal("0.02649"), known_parts=4, unknown_parts=1)
    assert lines[0].waste == Amount(Decimal("0.0022675"), known_parts=1, unknown_parts=1)


def test_cost_by_model_and_a_call_without_a_price_stays_unknown() -> None:
    lines = by_model([account(research_run())])
    assert [(line.name, line.amount.usd) for line in lines] == [
        ("gpt-4o-2024-08-06 (openai)", Decimal("0.02649")),
        ("gpt-4o (openai)", None),
    ]


def test_the_same_types_of_several_runs_are_one_line() -> None:
    run = account(killed_run().spans())
    assert [line.steps for line in by_activity([run, run])] == [6, 2, 2]


def test_steps_as_they_were_asked_for_with_what_reused_ones_saved() -> None:
    run = account(killed_run().spans())
    asked, searched = run.steps[0], run.steps[1]
    lines = by_step([run], {asked.span_id: asked, searched.span_id: searched})
    assert [(line.step.key, line.attempts, line.saved) for line in lines[:3]] == [
        ("activity:1", 1, Amount(Decimal("0.0046325"), known_parts=1)),
        ("activity:2", 1, None),  # its result cost nothing
        ("activity:3", 2, None),
    ]

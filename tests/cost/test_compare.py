from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.cost.runs import KILLED_RUN_TIMEOUTS, Attempt, Call, RecordedRun, killed_run
from tests.cost.writing import compared, money
from tracing.cost import RunAccount, StepAccount, StepPair, account, compare, difference

DOCUMENT = Path(__file__).parents[2] / "docs" / "cost.md"


def test_the_worked_example_of_the_documentation() -> None:
    run = account(killed_run().spans(45, timeouts=KILLED_RUN_TIMEOUTS))
    document = DOCUMENT.read_text()
    block = re.search(r"```json\n([^`]*\"saved_usd\"[^`]*)```", document)
    assert block is not None

    computed = compare(run, _replayed(run)).as_json()

    assert {key: value for key, value in computed.items() if key not in {"runs", "steps", "difference"}} == json.loads(
        block[1]
    )
    for amount in (run.amount, run.waste):
        assert f"**{amount.known.normalize():f}**" in document
    for step in run.steps:
        for attempt in step.attempts:
            tokens = f"{attempt.usage.input_tokens} + {attempt.usage.output_tokens} |"
            assert not attempt.calls or (tokens in document and f"**{attempt.usage.cost}**" in document)


def test_the_second_example_of_the_documentation() -> None:
    cheap = Call(101, 103, 0.00069075, 3001, 401, model="gpt-4o-mini-2024-07-18", asked="gpt-4o-mini")
    second = RecordedRun("run-2")
    for type_, begin, end in (("call_llm", 1, 4), ("search_web", 4, 6), ("call_llm", 6, 20)):
        second.step(type_, begin, end, reused=True)
    second.step("call_llm", 100, 104, Attempt(100.5, 103.5, [cheap])).step(
        "generate_report", 104, 106, Attempt(105, 106)
    )
    comparison = compare(
        account(killed_run().spans(45, timeouts=KILLED_RUN_TIMEOUTS)), account(second.spans(110, timeouts=[]))
    )

    rows = [
        f"| `{pair.key}` | {pair.state} | {_cell(pair.first)} | {_cell(pair.second)} | {_less(pair)} |"
        for pair in comparison.steps
    ]
    document = DOCUMENT.read_text()
    assert "\n".join(rows) in document
    assert [money(each) for each in (comparison.saved, comparison.retry_waste, comparison.second.amount)] == [
        "0.01271 USD",
        "≥ 0.0022675 USD",
        "0.00069075 USD",
    ]
    assert {"**0.01271**", "**0.0022675**", "**0.00069075**"} <= set(re.findall(r"\*\*[\d.]+\*\*", document))


def test_a_replay_as_json() -> None:
    run = account(
        RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [Call(1.6, 3.8, 0.0046325, 1009, 211, 512, 64)])).spans()
    )

    computed = compare(run, _replayed(run)).as_json()

    nothing = {
        "llm_calls": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cached_input_tokens": 0,
        "reasoning_tokens": 0,
        "cost_usd": 0.0,
        "at_least": False,
        "unknown_cost_calls": 0,
        "unknown_attempts": 0,
        "retry_waste_usd": 0.0,
        "retry_waste_at_least": False,
    }
    spent = nothing | {
        "llm_calls": 1,
        "input_tokens": 1009,
        "output_tokens": 211,
        "cached_input_tokens": 512,
        "reasoning_tokens": 64,
        "cost_usd": 0.0046325,
    }
    less = {"llm_calls": -1, "input_tokens": -1009, "output_tokens": -211, "cost_usd": -0.0046325}
    named = {"run_id": "run-1", "workflow_id": "research-1", "workflow_type": "ResearchAgentWorkflow"}
    step: dict[str, Any] = {"key": "activity:1", "type": "call_llm", "failed_calls": 0}
    assert computed == {
        "runs": [
            {
                **named,
                "kind": "run",
                "status": "completed",
                **spent,
                "duration_s": 60.0,
                "price_sources": ["genai-prices 0.2.3"],
            },
            {
                **named,
                "kind": "replay",
                "replay_id": "replay-1",
                "status": "reproduced",
                **nothing,
                "duration_s": 60.0,
                "price_sources": [],
            },
        ],
        "difference": {**less, "duration_s": 0.0},
        "steps": [
            {
                "key": "activity:1",
                "type": "call_llm",
                "state": "reused",
                "first": {
                    **step,
                    "reused": False,
                    "attempts": 1,
                    "models": ["gpt-4o-2024-08-06"],
                    **spent,
                    "duration_s": 3.0,
                },
                "second": {**step, "reused": True, "attempts": 0, "models": [], **nothing, "duration_s": 0.0},
                "difference": {**less, "duration_s": -3.0},
            }
        ],
        "saved_usd": 0.0046325,
        "counterfactual_usd": 0.0046325,
        "retry_waste_usd": 0.0,
        "at_least": [],
        "recovery_points": [],
        "waste": [],
    }
    assert json.loads(json.dumps(computed)) == computed


def test_what_is_wholly_unknown_is_null() -> None:
    run = account(
        RecordedRun()
        .step("call_llm", 1, 4, Attempt(1.5, 3.9, [Call(1.6, 3.8, None, 1009, 211, model="local-7b")]))
        .step("call_llm", 4, 20, Attempt(15, 19, number=2))
        .spans()
    )

    computed = compare(run, _replayed(run)).as_json()

    assert [computed[key] for key in ("saved_usd", "counterfactual_usd", "retry_waste_usd")] == [None, None, None]
    assert [(each["cost_usd"], each["at_least"]) for each in computed["runs"]] == [(None, True), (0.0, False)]
    assert [step["first"]["cost_usd"] for step in computed["steps"]] == [None, None]


def test_requests_counted_by_the_model_server_name_what_a_killed_attempt_asked() -> None:
    run = account(
        RecordedRun().step("call_llm", 4, 20, Attempt(15, 19, [Call(16, 18, 0.001, 10, 1)], number=2)).spans()
    )

    computed = compare(run, _replayed(run), requests={"activity:1": 2}).as_json()

    assert computed["waste"] == [
        {
            "run": 0,
            "key": "activity:1",
            "type": "call_llm",
            "attempts": 1,
            "attempts_unknown": 1,
            "llm_calls": 0,
            "cost_usd": None,
            "requests": 2,
            "requests_unrecorded": 1,
        }
    ]


def test_a_reset_run_against_its_base_run() -> None:
    plan, answer, other = Call(1, 2, 0.001, 10, 1), Call(3, 4, 0.002, 20, 2), Call(13, 14, 0.004, 40, 4)
    base = account(
        RecordedRun("base")
        .step("plan", 1, 2, Attempt(1, 2, [plan]))
        .step("sum_up", 3, 4, Attempt(3, 4, [answer]))
        .spans()
    )
    reset = account(
        RecordedRun("reset")
        .step("plan", 1, 2, reused=True)
        .step("sum_up", 13, 14, Attempt(13, 14, [other]))
        .spans(timeouts=[])
    )

    comparison = compare(base, reset)

    assert compared(comparison) == "activity:1 plan reused\nactivity:2 sum_up executed"
    assert [money(each) for each in (comparison.saved, comparison.counterfactual, comparison.second.amount)] == [
        "0.001 USD",
        "0.003 USD",
        "0.004 USD",
    ]


def test_what_a_reused_result_once_cost_is_unknown_where_the_first_run_reused_it_too() -> None:
    first = account(RecordedRun("reset-1").step("plan", 1, 2, reused=True).spans())
    second = account(RecordedRun("reset-2").step("plan", 1, 2, reused=True).spans())

    assert money(compare(first, second).saved) == "unknown"


def test_costs_are_rounded_to_a_billionth_of_a_dollar() -> None:
    calls = [Call(1 + number, 2 + number, 1e-10, 1, 1) for number in range(14)]
    run = account(RecordedRun().step("call_llm", 1, 40, Attempt(1.5, 39, calls)).spans())

    assert compare(run, run).as_json()["runs"][0]["cost_usd"] == 1e-9


def test_infinite_costs_of_a_hostile_trace_leave_valid_json() -> None:
    spans = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [Call(1.6, 3.8, float("inf"), 1, 1)])).spans()

    computed = compare(account(spans), account(spans)).as_json()

    assert json.loads(json.dumps(computed, allow_nan=False)) == computed


def _cell(step: StepAccount | None) -> str:
    assert step is not None  # no step is new or gone
    return f"{_decimal(step.amount.known)}, at least" if step.amount.at_least else _decimal(step.amount.known)


def _less(pair: StepPair) -> str:
    usd = difference(pair.first, pair.second).usd
    return "unknown" if usd is None else _decimal(usd)


def _decimal(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"


def _replayed(run: RunAccount) -> RunAccount:
    """The account of a replay that reproduced the run."""
    return replace(
        run,
        status="reproduced",
        replay_id="replay-1",
        workflow_task_timeouts=(),
        steps=tuple(
            StepAccount(step.key, step.type, step.span_id, reused=True, start=step.start, end=step.end)
            for step in run.steps
        ),
    )

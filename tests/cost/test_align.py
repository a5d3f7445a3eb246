from __future__ import annotations

from tests.cost.runs import Attempt, Call, RecordedRun
from tests.cost.writing import compared
from tracing.cost import RunAccount, account, compare

GPT = Call(1, 2, 0.001, 10, 1)
MINI = Call(1, 2, 0.0001, 10, 1, model="gpt-4o-mini-2024-07-18", asked="gpt-4o-mini")


def test_the_same_again() -> None:
    assert _compared(_run("plan", "search", "plan"), _run("plan", "search", "plan")) == [
        "activity:1 plan executed",
        "activity:2 search executed",
        "activity:3 plan executed",
    ]


def test_steps_that_were_reused() -> None:
    second = RecordedRun("run-2").step("plan", 1, 2, reused=True).step("search", 3, 4, Attempt(3, 4))

    assert _compared(_run("plan", "search"), account(second.spans())) == [
        "activity:1 plan reused",
        "activity:2 search executed",
    ]


def test_a_step_put_in_between_shifts_the_numbers_of_those_after_it() -> None:
    """Steps are found again by type and input, although each number now belongs to another step."""
    first = RecordedRun().step("llm", 1, 2, given='"plan"').step("llm", 3, 4, given='"sum up"')
    second = (
        RecordedRun("run-2")
        .step("llm", 1, 2, given='"plan"')
        .step("translate", 3, 4, given='"plan"')
        .step("llm", 5, 6, given='"sum up"')
    )

    comparison = compare(account(first.spans()), account(second.spans()))

    assert compared(comparison).splitlines() == [
        "activity:1 llm executed",
        "activity:2 translate new",
        "activity:2 llm executed",
    ]
    assert [pair.second.key for pair in comparison.steps if pair.second] == ["activity:1", "activity:2", "activity:3"]


def test_without_inputs_keys_then_types_in_order_decide() -> None:
    assert _compared(_run("plan", "search", "search"), _run("search", "plan", "search", "search")) == [
        "activity:1 plan executed",
        "activity:2 search executed",
        "activity:3 search executed",
        "activity:4 search new",
    ]


def test_another_prompt() -> None:
    first = RecordedRun().step("llm", 1, 2, given='"be brief"')
    second = RecordedRun("run-2").step("llm", 1, 2, given='"be thorough"')

    assert _compared(account(first.spans()), account(second.spans())) == ["activity:1 llm changed"]


def test_another_model() -> None:
    first = RecordedRun().step("llm", 1, 2, Attempt(1, 2, [GPT]))
    second = RecordedRun("run-2").step("llm", 1, 2, Attempt(1, 2, [MINI]))

    assert _compared(account(first.spans()), account(second.spans())) == ["activity:1 llm changed"]


def test_another_type_in_the_same_place() -> None:
    assert _compared(_run("plan", "search"), _run("plan", "look_up")) == [
        "activity:1 plan executed",
        "activity:2 search changed",
    ]


def test_steps_of_one_side_only() -> None:
    assert _compared(_run("plan", "search", "plan"), _run("plan")) == [
        "activity:1 plan executed",
        "activity:2 search gone",
        "activity:3 plan gone",
    ]
    assert _compared(_run(), _run("plan")) == ["activity:1 plan new"]
    assert _compared(_run(), _run()) == []


def _run(*types: str) -> RunAccount:
    run = RecordedRun()
    for number, activity_type in enumerate(types):
        run.step(activity_type, number, number + 1, Attempt(number, number + 0.9))
    return account(run.spans())


def _compared(first: RunAccount, second: RunAccount) -> list[str]:
    return compared(compare(first, second)).splitlines()

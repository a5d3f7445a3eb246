from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cost.runs import Attempt, Call, RecordedRun
from tests.cost.writing import compared
from tracing.cost import RunAccount, StepAccount, account, compare
from tracing.cost.align import align
from tracing.spans.model import Span

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


def test_of_two_workflow_types_a_number_alone_pairs_nothing() -> None:
    whole, node_by_node = _run("run_graph", workflow_type="Whole"), _run("plan", "search", workflow_type="NodeByNode")

    assert _compared(whole, node_by_node) == [
        "activity:1 plan new",
        "activity:2 search new",
        "activity:1 run_graph gone",
    ]
    assert _compared(_run("run_graph"), _run("plan")) == ["activity:1 run_graph changed"]


def _run(*types: str, workflow_type: str = "ResearchAgentWorkflow") -> RunAccount:
    run = RecordedRun(workflow_type=workflow_type)
    for number, activity_type in enumerate(types):
        run.step(activity_type, number, number + 1, Attempt(number, number + 0.9))
    return account(run.spans())


def _compared(first: RunAccount, second: RunAccount) -> list[str]:
    return compared(compare(first, second)).splitlines()


def test_parallel_steps_of_one_type_are_told_by_what_they_were_asked() -> None:
    """The second run issued the same three searches in another order, so each has another number."""
    first, second = (account(_searches(run_id, *asked)) for run_id, asked in (("run-1", "abc"), ("run-2", "cab")))

    assert {
        pair.first.key: pair.second.key for pair in align(first.steps, second.steps) if pair.first and pair.second
    } == {
        "activity:1": "activity:2",
        "activity:2": "activity:3",
        "activity:3": "activity:1",
    }


def _searches(run_id: str, *asked: str) -> list[Span]:
    run = RecordedRun(run_id)
    for question in asked:
        run.step("search", 1, 2, Attempt(1, 2), given=f'"{question}"')
    return run.spans(given='""')


STEPS = st.lists(
    st.builds(
        lambda type_, given, calls: (type_, given, calls),
        st.sampled_from(["plan", "search"]),
        st.none() | st.sampled_from(['"a"', '"b"', '"c"']),
        st.sampled_from([(), (GPT,), (MINI,)]),
    ),
    max_size=8,
)
RUN = STEPS.map(lambda steps: account(_of_steps(steps)))


def _of_steps(steps: list[tuple[str, str | None, tuple[Call, ...]]]) -> list[Span]:
    run = RecordedRun()
    for number, (activity_type, question, calls) in enumerate(steps):
        run.step(activity_type, number, number + 1, Attempt(number, number + 0.9, calls), given=question)
    return run.spans()


@pytest.mark.slow
@given(RUN)
def test_a_run_is_aligned_with_itself_step_by_step(run: RunAccount) -> None:
    pairs = align(run.steps, run.steps)

    assert [(pair.first, pair.second, pair.state) for pair in pairs] == [(step, step, "executed") for step in run.steps]


@pytest.mark.slow
@given(RUN, RUN)
def test_every_step_is_in_one_pair_and_the_pairs_are_the_same_from_both_sides(
    first: RunAccount, second: RunAccount
) -> None:
    there, back = align(first.steps, second.steps), align(second.steps, first.steps)

    assert [pair.first for pair in there if pair.first] == list(first.steps)
    assert sorted(pair.second.key for pair in there if pair.second) == sorted(step.key for step in second.steps)
    assert {(_key(pair.first), _key(pair.second)) for pair in there} == {
        (_key(pair.second), _key(pair.first)) for pair in back
    }


@pytest.mark.slow
@given(st.permutations(["a", "b", "c", "d", "e"]))
def test_in_whatever_order_parallel_steps_are_issued_equal_ones_are_paired(asked: list[str]) -> None:
    first, second = account(_searches("run-1", *"abcde")), account(_searches("run-2", *asked))

    pairs = align(first.steps, second.steps)

    assert {pair.state for pair in pairs} == {"executed"}
    assert all(pair.first and pair.second and pair.first.input_digest == pair.second.input_digest for pair in pairs)


def _key(step: StepAccount | None) -> str:
    return "" if step is None else step.key

"""Runs that belong together as one side of a comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cost.runs import Attempt, Call, RecordedRun
from tests.cost.writing import compared, money
from tracing.cost import JoinError, RunAccount, account, compare, join

ANSWER = Call(1, 2, 0.001, 10, 1)


def page(number: int, *, workflow_id: str = "book-1", start: int = 0) -> RunAccount:
    """A run of a chain, with one step, which begins some seconds later."""
    run = RecordedRun(f"{workflow_id}-run-{number}", workflow_id=workflow_id, workflow_type="Pages")
    told = account(run.step("write", 1, 2, Attempt(1, 2, [ANSWER])).spans(10))
    return replace(told, start=told.start + start)


def child(parent: RunAccount) -> RunAccount:
    run = RecordedRun("child-run", workflow_id=f"{parent.workflow_id}/child", workflow_type="Child")
    told = account(run.step("draw", 3, 4, Attempt(3, 4, [ANSWER])).spans(5))
    return replace(told, trace_id=parent.trace_id, start=parent.start + 1)


def test_a_chain_and_a_child_are_one_account() -> None:
    first, second = page(1), page(2, start=20)

    whole = join([second, child(first), first])

    assert [step.key for step in whole.steps] == ["activity:1", "Pages#2/activity:1", "Child/activity:1"]
    assert (whole.run_id, whole.status) == (first.run_id, "completed")
    assert whole.joined == ("book-1-run-1", "child-run", "book-1-run-2")
    assert money(whole.amount) == "0.003 USD"
    assert whole.trace_id == 0


def test_a_run_and_its_child_are_of_one_trace() -> None:
    parent = page(1)

    assert join([parent, child(parent)]).trace_id == parent.trace_id


def test_two_executions_of_a_chain_are_aligned_page_by_page_although_their_ids_differ() -> None:
    sides = [join([page(1, workflow_id=name), page(2, workflow_id=name, start=20)]) for name in ("book-1", "book-2")]

    assert compared(compare(*sides)) == "activity:1 write executed\nPages#2/activity:1 write executed"


def test_one_run_stays_as_it_is() -> None:
    run = page(1)

    assert join([run]) is run


def test_runs_of_two_executions_are_no_side() -> None:
    with pytest.raises(JoinError, match="holds 2 runs that do not belong together, such as book-1 and book-2"):
        join([page(1), page(1, workflow_id="book-2", start=5)])


def test_a_run_and_its_replay_are_no_side() -> None:
    with pytest.raises(JoinError, match="holds 2 runs, of which some are replays: give one run or one replay"):
        join([page(1), replace(page(1), replay_id="replay-1")])


def test_replays_of_a_run_and_its_child_are_one_account() -> None:
    parent = page(1)
    runs = [parent, child(parent)]
    replays = [
        replace(run, replay_id="replay", trace_id=number, start=number, status=status, session_id="chat")
        for number, (run, status) in enumerate(zip(runs, ("reproduced", "diverged"), strict=True))
    ]

    whole = join(replays)

    assert [step.key for step in whole.steps] == [step.key for step in join(runs).steps]
    assert (whole.run_id, whole.status) == (parent.run_id, "diverged")


def test_replays_of_two_sessions_are_no_side() -> None:
    first, second = (
        replace(page(1, workflow_id=name), replay_id="replay", trace_id=number, session_id=name, start=number)
        for number, name in enumerate(("book-1", "book-2"))
    )

    with pytest.raises(JoinError, match="do not belong together, such as book-1 and book-2"):
        join([first, second])

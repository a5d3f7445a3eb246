"""Which scores a comparison gives, and of which trace they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.cost.runs import BEGIN, Attempt, Call, RecordedRun
from tests.tables.fleet import replay, research, reset
from tracing import conventions as c
from tracing.cost import RunAccount, account, compare, scored_run, scores
from tracing.identity import run_trace_id
from tracing.scores import Score


def written(found: list[Score]) -> dict[str, str]:
    return {score.name: f"{'≥ ' if score.at_least else ''}{score.value}" for score in found}


def test_a_reset_of_the_worked_example() -> None:
    found = scores(compare(account(research()), account(reset())))

    assert written(found) == {
        "durable.saved_usd": "0.01271",
        "durable.counterfactual_usd": "≥ 0.055345",
        "durable.retry_waste_usd": "≥ 0.2522675",
        "durable.cost_difference_usd": "None",
        "durable.tokens_difference": "-7426",
        "durable.steps_reused": "3",
        "durable.steps_executed": "1",
    }
    assert [score.comment for score in found[1:4]] == [
        (
            "At least, for a part is unknown. Estimate: what the first run would have cost, had it begun again from "
            "nothing at each recovery point. Run run-2 against run run-1."
        ),
        (
            "At least, for a part is unknown. What attempts of both runs cost whose result did not close their step. "
            "Run run-2 against run run-1."
        ),
        "Unknown. Cost of the second run less that of the first. Run run-2 against run run-1.",
    ]
    assert found[0].metadata == {"first_run_id": "run-1", "second_run_id": "run-2"}
    assert {score.time for score in found} == {BEGIN}


def test_a_replay_is_about_the_run_that_it_is_compared_with() -> None:
    comparison = compare(account(research()), account(replay()))

    assert scored_run(comparison).trace_id == run_trace_id("run-1")
    outcome = scores(comparison)[-1]
    assert (outcome.name, outcome.value) == (c.SCORE_REPLAY_OUTCOME, "reproduced")
    assert outcome.comment.endswith(" Replay of run run-1 against run run-1.")
    assert outcome.metadata["replay_id"] == "replay-1"
    assert outcome.time == BEGIN  # the run's, not the replay's


def test_a_re_run_is_scored_on_its_own_trace() -> None:
    assert scored_run(compare(account(research()), account(reset()))).trace_id == run_trace_id("run-2")


def test_ids_are_the_same_whatever_is_found_and_differ_by_name_and_sides() -> None:
    def ids(first: RunAccount, second: RunAccount) -> list[str]:
        return [score.id for score in scores(compare(first, second))]

    first, second, other = account(research()), account(reset()), account(reset("run-9"))
    still_open = replace(second, steps=second.steps[:2], end=None, status="running")

    assert ids(first, second) == ids(first, still_open)
    assert len({*ids(first, second), *ids(second, first), *ids(first, other)}) == 21


def test_two_replays_of_a_run_are_two_comparisons() -> None:
    run, replayed = account(research()), account(replay())
    again = replace(replayed, replay_id="replay-2")

    assert scores(compare(run, replayed))[0].id != scores(compare(run, again))[0].id


def test_of_what_nothing_is_known_there_is_no_number() -> None:
    unknown = RecordedRun().step("call_llm", 1, 4, Attempt(1, 4, [Call(1, 3, None, 10, 1)])).spans()
    reused = RecordedRun("run-2").step("call_llm", 1, 4, reused=True).spans()

    [saved, *_] = scores(compare(account(unknown), account(reused)))

    assert (saved.value, saved.at_least) == (None, False)
    assert saved.comment.startswith("Unknown. What the second run did not spend")


def test_runs_that_are_joined_are_named_by_the_one_that_began_first() -> None:
    first, second = account(research()), account(reset())
    joined = replace(second, joined=("run-2", "run-3", "run-4"))

    [saved, *_] = scores(compare(first, joined))

    assert saved.metadata["second_run_id"] == "run-2"
    assert saved.comment.endswith(" Run run-2 and 2 more against run run-1.")
    assert saved.id != scores(compare(first, second))[0].id


def test_the_documentation_has_every_score() -> None:
    document = (Path(__file__).parents[2] / "docs" / "cost.md").read_text()

    assert [name for name in c.SCORES if f"`{name}`" not in document] == []

"""Waits for persons in accounts: how long, what became of each, who answered; time in which nothing was computed."""

from __future__ import annotations

import pytest

from tests.cost.runs import CONTENT, Attempt, RecordedRun, at
from tracing import waiting_for_person
from tracing.cost import PersonWait, RunAccount, account, join
from tracing.cost.as_json import account_as_json
from tracing.payloads import Payload
from tracing.runs import Run
from tracing.spans.model import NS_PER_S, Span
from tracing.spans.reused import as_reused
from tracing.spans.step import OPEN, Outcome
from tracing.spans.timer import timer_span
from tracing.spans.wait import Answer, Wait

DAY = 86_400 * NS_PER_S
BY_ADA = Wait("answered", [Answer("update", "u-1", "decide", "ada")])


def waiting(run: Run, number: int, start: float, end: float | None, wait: Wait | None) -> Span:
    """A timer that was set for a day."""
    return timer_span(
        CONTENT,
        run,
        str(number),
        start=at(start),
        outcome=OPEN if end is None else Outcome(at(end)),
        timeout=DAY,
        canceled=wait is not None and wait.outcome == "answered",
        summary=Payload(f'"{waiting_for_person("approval")}"'.encode(), {"encoding": b"json/plain"}),
        wait=wait,
    )


def accounted(*waits: tuple[float, float | None, Wait | None], end: float | None = 100) -> RunAccount:
    run = RecordedRun().step("ask", 1, 3, Attempt(1, 3))
    timers = [waiting(run.run, number, *each) for number, each in enumerate(waits)]
    return account([*run.spans(end), *timers])


def test_a_wait_is_told_with_who_answered() -> None:
    found = accounted((3, 93, BY_ADA))
    assert found.waits == (
        PersonWait(found.waits[0].span_id, at(3), at(93), "answered", ("ada",), ("HandleUpdate:decide",), "approval"),
    )
    assert (found.waited, found.duration) == (90 * NS_PER_S, 100 * NS_PER_S)


def test_an_account_in_json_has_it() -> None:
    told = account_as_json(accounted((3, 93, BY_ADA)))
    assert (told["duration_s"], told["person_wait_s"]) == (100.0, 90.0)
    assert told["person_waits"] == [
        {
            "outcome": "answered",
            "answered_by": ["ada"],
            "answers": ["HandleUpdate:decide"],
            "about": "approval",
            "duration_s": 90.0,
        }
    ]


def test_of_a_run_that_waited_for_nobody_nothing_is_told() -> None:
    found = accounted((3, 93, None))
    assert (found.waits, found.waited) == ((), 0)
    assert account_as_json(found).keys() & {"person_wait_s", "person_waits"} == set()


def test_waits_that_go_on_at_once_are_counted_once() -> None:
    found = accounted((3, 50, BY_ADA), (10, 30, BY_ADA), (40, 60, BY_ADA), (70, 80, Wait("timed_out")))
    assert found.waited == (57 + 10) * NS_PER_S


def test_a_wait_that_goes_on_has_no_length_yet() -> None:
    found = accounted((3, 10, Wait("timed_out")), (10, None, Wait()), end=None)
    assert ([wait.duration for wait in found.waits], found.waited) == ([7 * NS_PER_S, None], 7 * NS_PER_S)


@pytest.mark.parametrize(
    ("end", "wait", "words"),
    [
        (9, BY_ADA, "answered by ada"),
        (9, Wait("answered"), "answered"),
        (
            9,
            Wait("answered", [Answer("signal", "7", "ok", "ada"), Answer("signal", "8", "ok", "ada")]),
            "answered by ada",
        ),
        (9, Wait(None, [Answer("signal", "7", "ok", "ada")]), "answered by ada, or not in time"),
        (9, Wait("timed_out"), "nobody answered in time"),
        (9, Wait("canceled"), "canceled"),
        (9, Wait(), "not answered when the run ended"),
        (None, Wait(), "still waiting"),
    ],
)
def test_what_became_of_it_in_words(end: float | None, wait: Wait, words: str) -> None:
    assert [each.ending for each in accounted((3, end, wait)).waits] == [words]


def test_a_wait_that_a_reset_took_over_was_the_base_runs() -> None:
    run = RecordedRun().step("ask", 1, 3, Attempt(1, 3))
    taken = as_reused(waiting(run.run, 1, 3, 93, BY_ADA), None, 0)
    assert account([*run.spans(100), taken]).waits == ()


def test_joined_runs_have_the_waits_of_all() -> None:
    first, second = accounted((3, 93, BY_ADA)), accounted((200, 210, Wait("timed_out")))
    assert join([second, first]).waited == 100 * NS_PER_S

from __future__ import annotations

from msgspec.structs import replace

from tests.cost.runs import KILLED_RUN_TIMEOUTS, REFUSED, TIMED_OUT, Attempt, Call, RecordedRun, killed_run
from tests.cost.writing import money
from tracing import conventions as c
from tracing.cost import RunAccount, account, recovery_points
from tracing.cost.recovery import cost_of_restarting


def test_a_run_without_trouble_has_none() -> None:
    run = account(RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9)).spans())

    assert _written(run) == []


def test_a_lost_attempt_and_a_timed_out_task() -> None:
    run = account(killed_run().spans(45, timeouts=KILLED_RUN_TIMEOUTS))

    assert _written(run) == [
        "attempt_lost activity:3 after activity:1 activity:2",
        "workflow_task_timed_out after activity:1 activity:2 activity:3 activity:4",
    ]
    assert money(cost_of_restarting(run, recovery_points(run))) == "≥ 0.055345 USD"


def test_an_attempt_that_failed_by_itself_is_no_crash() -> None:
    run = RecordedRun().step("call_llm", 1, 9, Attempt(1.5, 3.9, number=1, failure=REFUSED), Attempt(5, 8, number=2))

    assert _written(account(run.spans())) == []


def test_earlier_missing_attempts_may_have_failed_by_themselves() -> None:
    """Of three attempts history names the last two: the second failed by itself, nobody knows about the first."""
    run = RecordedRun().step("call_llm", 1, 9, Attempt(3, 3.9, number=2, failure=REFUSED), Attempt(5, 8, number=3))

    assert _written(account(run.spans())) == []


def test_where_no_attempt_was_recorded_none_is_known_to_be_lost() -> None:
    run = RecordedRun().step("call_llm", 1, 9, Attempt(5, 8, number=2, recorded=False))

    assert _written(account(run.spans())) == []


def test_an_attempt_that_a_spool_knows_to_have_died_with_its_worker() -> None:
    """Live, its span came, when another worker sent what the spool had kept."""
    run = (
        RecordedRun()
        .step("plan", 1, 4, Attempt(1.5, 3.9))
        .step("call_llm", 4, 20, Attempt(4.5, 5, number=1, failure=REFUSED), Attempt(15, 19, number=2))
    )
    lost = {c.ERROR_TYPE: c.WORKER_LOST, c.UNRECORDED: True}
    spans = [
        replace(span, attributes={**span.attributes, **lost}) if c.ERROR_TYPE in span.attributes else span
        for span in run.spans()
    ]

    assert _written(account(spans)) == ["attempt_lost activity:2 after activity:1"]


def test_a_step_that_failed_by_a_timeout() -> None:
    run = (
        RecordedRun()
        .step("call_llm", 1, 4, Attempt(1.5, 3.9))
        .step("call_llm", 4, 9, Attempt(4.5, 9, failure=TIMED_OUT), failure=TIMED_OUT)
    )

    assert _written(account(run.spans())) == ["attempt_timed_out activity:2 after activity:1"]


def test_one_crash_that_took_several_attempts_counts_once() -> None:
    run = RecordedRun().step("plan", 1, 4, Attempt(1.5, 3.9))
    for _ in range(3):
        run.step("search_web", 4, 30, Attempt(20, 29, number=2))

    assert _written(account(run.spans())) == ["attempt_lost activity:2 after activity:1"]


def test_a_task_that_times_out_before_anything_new_was_asked_belongs_to_the_crash_before() -> None:
    """The next task went to the dead worker's sticky queue first, and timed out there."""
    run = RecordedRun().step("plan", 1, 4, Attempt(1.5, 3.9)).step("call_llm", 4, 20, Attempt(15, 19, number=2))

    assert _written(account(run.spans(timeouts=[29, 39]))) == ["attempt_lost activity:2 after activity:1"]


def test_two_crashes_in_a_row_count_twice() -> None:
    run = (
        RecordedRun()
        .step("call_llm", 1, 20, Attempt(15, 19, number=2))
        .step("call_llm", 20, 40, Attempt(35, 39, number=2))
    )

    assert _written(account(run.spans(timeouts=[50]))) == [
        "attempt_lost activity:1 after nothing",
        "attempt_lost activity:2 after activity:1",
    ]


def test_restarting_repeats_results_not_waste() -> None:
    run = account(
        RecordedRun()
        .step(
            "call_llm",
            1,
            9,
            Attempt(1.5, 3.9, [Call(2, 3, 0.002)], number=1, failure=REFUSED),
            Attempt(5, 8, [Call(6, 7, 0.001)], number=2),
        )
        .spans(timeouts=[20])
    )

    assert money(cost_of_restarting(run, recovery_points(run))) == "0.004 USD"


def test_restarting_a_run_that_reused_results_costs_what_another_run_tells() -> None:
    run = account(
        RecordedRun()
        .step("call_llm", 1, 4, reused=True)
        .step("call_llm", 10, 14, Attempt(10.5, 13.9, [Call(11, 12, 0.001)]))
        .spans(timeouts=[20])
    )

    assert money(cost_of_restarting(run, recovery_points(run))) == "≥ 0.002 USD"


def _written(run: RunAccount) -> list[str]:
    return [
        " ".join(part for part in (point.cause, point.step, "after", *(point.completed or ("nothing",))) if part)
        for point in recovery_points(run)
    ]

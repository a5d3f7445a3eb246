"""When did a local activity begin and end?"""

from __future__ import annotations

from tests.spans.research import RUN_ID, SECOND, START
from tracing.failures import Failure
from tracing.ledger import Ledger
from tracing.spans.local_activity import local_activity_times
from tracing.spans.step import Outcome

FAILED = Outcome(START + 5 * SECOND, failure=Failure("application", "ValueError"))
LEDGER = Ledger(
    run=RUN_ID,
    activity="1",
    attempt=1,
    started=(START + 2 * SECOND) // 1_000,
    duration=2 * SECOND + 1,
    scheduled=(START + SECOND) // 1_000,
)


def test_without_a_ledger_it_begins_with_its_task() -> None:
    assert local_activity_times(START, FAILED, None, 0) == (START, FAILED)


def test_with_one_it_begins_when_its_worker_scheduled_it_and_ends_by_the_workers_clock() -> None:
    assert local_activity_times(START, FAILED, LEDGER, 0) == (
        START + SECOND,
        Outcome(START + 4 * SECOND + 1, failure=FAILED.failure),
    )


def test_one_that_backed_off_began_with_its_first_try() -> None:
    assert local_activity_times(START, FAILED, None, START - SECOND) == (START - SECOND, FAILED)
    start, outcome = local_activity_times(START, FAILED, LEDGER, START - SECOND)
    assert (start, outcome.end) == (START - SECOND, START + 4 * SECOND + 1)

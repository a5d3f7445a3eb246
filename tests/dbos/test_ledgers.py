"""Ledgers of attempts in a database that anybody may have written, and what follows of executions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.dbos.conftest import MS, Made
from tracing.config import TracingConfig
from tracing.cost import account
from tracing.dbos import Reader, connect, convert
from tracing.dbos.executions import Executions
from tracing.dbos.ledgers import RecordedAttempt, entry_of, read_entry, stream_of
from tracing.dbos.records import StepRow
from tracing.failures import Failure
from tracing.ledger import Ledger, LedgerSpan, encode_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracing.dbos import Converted

CALL = LedgerSpan(
    span_id="00000000000000aa",
    name="chat gpt-4o",
    start=MS * 1_000_000,
    end=(MS + 5) * 1_000_000,
    attributes={
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 100,
    },
)


def attempt(
    number: int = 1, *, ms: int = 11, run: str = "w", failure: Failure | None = None, execution: int = 1, since: int = 0
) -> RecordedAttempt:
    ledger = Ledger(run=run, activity="1", attempt=number, started=(MS + ms) * 1_000, duration=5_000_000, spans=[CALL])
    return RecordedAttempt("ask", ledger, failure, execution, MS + since)


def entry(recorded: RecordedAttempt) -> dict[str, Any]:
    return entry_of(recorded, encode_ledger(recorded.ledger))


def read(value: Any, *, workflow_id: str = "w", function_id: int = 1) -> RecordedAttempt | None:
    text = value if isinstance(value, str) else json.dumps(value)
    return read_entry(text, workflow_id=workflow_id, function_id=function_id)


FAILED = Failure(kind="application", type="TimeoutError", message="too slow")


def test_what_is_written_is_read_again() -> None:
    assert read(entry(attempt(failure=FAILED))) == attempt(failure=FAILED)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{",
        "[]",
        "null",
        "9" * 10_000,
        "[" * 100_000,
        entry(attempt()) | {"v": 2},
        entry(attempt()) | {"step": ""},
        entry(attempt()) | {"step": 7},
        entry(attempt()) | {"step": "s" * 2_000},
        entry(attempt()) | {"ledger": "no base64"},
        entry(attempt()) | {"ledger": "e30="},
        entry(attempt()) | {"ledger": "A" * (3 << 20)},
        entry(attempt()) | {"failure": "TimeoutError"},
        entry(attempt()) | {"since": "now"},
    ],
)
def test_what_is_broken_is_none(value: Any) -> None:
    assert read(value) is None


def test_a_ledger_of_another_workflow_or_step_is_none() -> None:
    assert read(entry(attempt(run="base"))) is None
    assert read(entry(attempt()), function_id=2) is None


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    database = Made(tmp_path / "made.sqlite")
    database.sql("CREATE TABLE streams (workflow_uuid, key, value, offset, function_id, serialization)")
    yield database
    database.close()


def stream(made: Made, recorded: RecordedAttempt, *, function_id: Any = 1, offset: int = 0) -> None:
    made.sql(
        f"INSERT INTO streams VALUES ('w', '{stream_of(1)}', '{json.dumps(entry(recorded))}', {offset}, "
        f"{function_id!r}, 'portable_json')"
    )


def converted(made: Made) -> Converted:
    with connect(made.url) as database:
        found = convert(Reader(database), "w", TracingConfig())
    assert found is not None
    return found


def test_attempts_are_shown_each_and_summed(made: Made) -> None:
    made.workflow("w", recovery_attempts=1)
    made.step("w", 1)
    stream(made, attempt(1, failure=FAILED))
    stream(made, attempt(2, ms=15), offset=1)
    spans = converted(made).spans
    assert [span.name for span in spans] == [
        "RunWorkflow:work",
        "StartActivity:ask",
        *["RunActivity:ask", "chat gpt-4o"] * 2,
    ]
    told = account(spans)
    assert (told.usage.calls, told.unknown_attempts) == (2, 0)


def test_a_step_that_is_not_over_is_open_with_its_attempts(made: Made) -> None:
    made.workflow("w", status="PENDING", completed_at=None)
    stream(made, attempt(failure=FAILED))
    run, step, tried, _ = converted(made).spans
    assert (run.end, step.end, step.start) == (None, None, tried.start)
    assert step.name == "StartActivity:ask"


def test_a_step_that_its_workflow_did_not_wait_for_is_unclosed(made: Made) -> None:
    made.workflow("w")
    stream(made, attempt(failure=FAILED))
    step = converted(made).spans[1]
    assert (step.name, step.attributes["durable.unclosed"]) == ("StartActivity:ask", True)


def test_a_step_that_was_not_over_when_its_workflow_was_cancelled_stays_open_for_it_may_go_on(made: Made) -> None:
    made.workflow("w", status="CANCELLED")
    stream(made, attempt(failure=FAILED))
    found = converted(made)
    run, step, tried, _ = found.spans
    assert (run.end is None, step.end, tried.end is None) == (False, None, False)
    assert not found.is_open


def test_numbers_that_are_none_are_passed_over(made: Made) -> None:
    made.workflow("w")
    stream(made, attempt(), function_id="one")
    assert [span.name for span in converted(made).spans] == ["RunWorkflow:work"]


QUIET = StepRow(2, "note", MS + 30, MS + 31)


def executions(*begun: tuple[int, int], count: int) -> Executions:
    """Executions of which ledgers tell, as (number, since), of so many."""
    return Executions({1: [attempt(execution=number, since=since) for number, since in begun]}, count)


@pytest.mark.parametrize(
    ("begun", "count", "covered"),
    [
        ([(1, 0)], 1, True),
        ([(1, 0)], 2, False),  # another process went on, and did not say that it traces
        ([(1, 0), (2, 20)], 2, True),
        ([(2, 20)], 2, True),
        ([(1, 0), (3, 40)], 3, False),
        ([(1, 40)], 1, False),  # before it was traced
        ([(0, 0)], 1, False),  # nobody vouches
        ([], 1, False),
    ],
)
def test_steps_without_a_ledger_are_covered_by_their_execution(
    begun: list[tuple[int, int]], count: int, *, covered: bool
) -> None:
    assert executions(*begun, count=count).covers(QUIET) is covered


def test_steps_that_begin_before_any_other_is_over_may_have_died_with_the_execution_before() -> None:
    second = executions((1, 0), (2, 20), count=2)
    first, beside, later = (StepRow(number, "ask", MS + at, MS + at + 5) for number, at in ((2, 21), (3, 22), (4, 27)))
    steps = [StepRow(1, "ask", MS + 1, MS + 6), first, beside, later]
    assert [second.interrupted(step, steps) for step in steps] == [False, True, True, False]


def test_an_attempt_that_was_recorded_did_not_die() -> None:
    step = StepRow(1, "ask", MS + 21, MS + 26)
    known = Executions({1: [attempt(execution=1), attempt(ms=22, execution=2, since=20)]}, 2)
    lost = Executions({1: [attempt(execution=1, failure=FAILED), attempt(ms=22, execution=2, since=20)]}, 2)
    assert (known.interrupted(step, [step]), lost.interrupted(step, [step])) == (False, True)
    assert not lost.interrupted(replace(step, started=None), [step])

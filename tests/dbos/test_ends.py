"""How workflows had ended before they were resumed, as their attributes tell, which anybody may have written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dbos.conftest import MS, Made, converted
from tests.dbos.test_ledgers import QUIET, attempt
from tracing import TracingConfig
from tracing import conventions as c
from tracing.cost import account
from tracing.dbos import Reader, connect
from tracing.dbos.conversion import build
from tracing.dbos.ends import MAX_ENDS, KeptEnd, ends_attributes, missing_steps, part_of, read_ends
from tracing.dbos.executions import Executions
from tracing.dbos_live.ends import end_of
from tracing.identity import resumed_span_id, run_span_id
from tracing.tables.rows import rows_of_run

END = KeptEnd("CANCELLED", MS + 50, MS + 60, 1, "local", "1.0", last=3, missing=(2,))


def attributes(*ends: KeptEnd, workflow_id: str = "w") -> dict[str, Any]:
    kept = ends_attributes(workflow_id, ends)
    assert kept is not None
    return kept


def changed(**values: Any) -> dict[str, Any]:
    kept = attributes(END)
    kept[c.KEPT_ENDS] |= values
    return kept


def changed_end(**values: Any) -> dict[str, Any]:
    return changed(ends=[attributes(END)[c.KEPT_ENDS]["ends"][0] | values])


def test_what_is_noted_is_read_again() -> None:
    assert read_ends(json.dumps({"customer": "acme", **attributes(END, END)}), "w") == (END, END)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "durable-trace/ends",
        {c.KEPT_ENDS: None},
        {c.KEPT_ENDS: []},
        attributes(END, workflow_id="base"),
        changed(v=2),
        changed(ends="now"),
        changed(ends=[{}]),
        changed_end(status="SUCCESS"),
        changed_end(completed=-1),
        changed_end(end=1 << 60),
        changed_end(missing=[-1]),
        changed_end(missing=[1] * 2_000),
        changed_end(executor="x" * 2_000),
        changed(ends=[attributes(END)[c.KEPT_ENDS]["ends"][0]] * (MAX_ENDS + 1)),
        {**attributes(END), "more": "x" * 100_000},
    ],
)
def test_what_is_broken_or_of_another_workflow_is_none(value: Any) -> None:
    assert read_ends(json.dumps(value), "w") == ()


def test_what_cannot_be_read_again_or_takes_too_much_room_is_not_noted() -> None:
    short = KeptEnd("CANCELLED", MS, MS)
    assert ends_attributes("w", [short] * MAX_ENDS) is not None
    assert ends_attributes("w", [short] * (MAX_ENDS + 1)) is None
    assert ends_attributes("w", [KeptEnd("CANCELLED", MS, MS, last=2_000, missing=tuple(range(1, 1_000)))] * 3) is None


def test_steps_belong_to_the_part_in_which_they_were_done() -> None:
    later = KeptEnd("CANCELLED", MS + 80, MS + 80, last=4)
    assert [part_of((END, later), number) for number in range(1, 6)] == [0, 1, 0, 1, 2]
    assert [part_of((), number) for number in (1, 5)] == [0, 0]


def test_which_steps_are_missing() -> None:
    assert (missing_steps([]), missing_steps([1, 2, 4]), missing_steps([5_000])) == ((), (3,), None)


@pytest.mark.parametrize(
    ("executions", "begun", "covered"),
    [
        (1, [(1, 0), (1, 70)], True),
        (
            2,
            [(1, 0), (1, 70)],
            False,
        ),  # another process went on, and did not say that it traces
        (2, [(1, 0), (2, 20), (1, 70)], True),
        (1, [(1, 70)], False),  # before it was traced
    ],
)
def test_executions_are_counted_anew_after_each_end(
    executions: int, begun: list[tuple[int, int]], *, covered: bool
) -> None:
    attempts = {1: [attempt(execution=number, since=since) for number, since in begun]}
    end = KeptEnd("CANCELLED", MS + 50, MS + 60, executions)
    assert Executions(attempts, 1, [end]).covers(QUIET) is covered


@pytest.fixture
def resumed(made: Made) -> Made:
    """A workflow of three steps that was cancelled after two of them; no process that traces saw it go on."""
    made.sql("ALTER TABLE workflow_status ADD COLUMN attributes")
    kept = json.dumps(attributes(KeptEnd("CANCELLED", MS + 50, MS + 50, last=2)))
    made.workflow("w", attributes=kept, completed_at=MS + 900)
    for number, at in ((1, 10), (2, 30), (3, 700)):
        made.step("w", number, started_at_epoch_ms=MS + at, completed_at_epoch_ms=MS + at + 10)
    return made


def test_each_part_has_a_span_with_its_steps_below(resumed: Made) -> None:
    spans = converted(resumed.url, "w").spans
    first, second = spans[:2]
    assert [(span.span_id, span.parent_id) for span in (first, second)] == [
        (run_span_id("w"), None),
        (resumed_span_id("w", 1), run_span_id("w")),
    ]
    assert [(span.start // 1_000_000 - MS, (span.end or 0) // 1_000_000 - MS) for span in (first, second)] == [
        (0, 50),
        (700, 900),
    ]
    assert [span.attributes[c.RUN_STATUS] for span in (first, second)] == ["canceled", "completed"]
    steps = [(span.attributes[c.ACTIVITY_ID], span.parent_id) for span in spans if span.name == "StartActivity:ask"]
    assert steps == [("1", first.span_id), ("2", first.span_id), ("3", second.span_id)]


def test_cost_and_tables_take_the_parts_for_one_run(resumed: Made) -> None:
    spans = converted(resumed.url, "w").spans
    told = account(spans)
    assert (told.status, told.start, told.end) == ("completed", spans[0].start, spans[1].end)
    [row] = rows_of_run("w", spans)["runs"]
    assert (row["status"], row["steps"]) == ("completed", 3)


def test_a_workflow_that_goes_on_is_open_in_its_last_part_only(resumed: Made) -> None:
    resumed.sql("UPDATE workflow_status SET status = 'PENDING', completed_at = NULL")
    found = converted(resumed.url, "w")
    assert found.is_open
    assert [span.end is None for span in found.spans[:2]] == [False, True]


def test_cancelled_again_it_has_no_part_for_what_was_noted(resumed: Made) -> None:
    resumed.sql(f"UPDATE workflow_status SET status = 'CANCELLED', completed_at = {MS + 50}")
    found = converted(resumed.url, "w")
    assert (len(found.parts), found.own.span_id) == (1, run_span_id("w"))
    # A step that a process did though the workflow was over, and that nobody noted, is shown with the rest.
    assert len([span for span in found.spans if span.name == "StartActivity:ask"]) == 3


def test_over_again_within_the_second_it_has_one_for_who_knows_that_it_began(resumed: Made) -> None:
    """DBOS counts in seconds on SQLite before Python 3.12."""
    resumed.sql(f"UPDATE workflow_status SET status = 'CANCELLED', completed_at = {MS + 50}")
    with connect(resumed.url) as database:
        found = build(Reader(database), "w", TracingConfig(), begun=1)
    assert found is not None
    assert [part.status for part in found.parts] == ["canceled", "canceled"]
    assert [step.function_id for step in found.parts[1].steps] == [3]
    end = end_of(found)
    assert end is not None
    resumed.sql(f"UPDATE workflow_status SET attributes = '{json.dumps(attributes(*found.row.ends, end))}'")
    again = converted(resumed.url, "w")
    assert [part.status for part in again.parts] == ["canceled", "canceled"]
    assert again.own.span_id == resumed_span_id("w", 1)

"""A run of a workflow with a step of every kind, replayed against versions of it that were changed since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.replay import changed_shops as changed
from tests.replay.shop import Shop, Steps
from tracing.replay import Replay, SourceLine, replay

RECORDED = Path(__file__).parent / "recorded" / "shop.history.json"

Cases = list[tuple[type[Steps], int, str, str, str]]

ANOTHER_ACTIVITY: Cases = [
    (
        changed.BooksInsteadOfReserving,
        9,
        "activity 'reserve' (ID 1)",
        "activity 'book' (ID 1)",
        "BooksInsteadOfReserving.reserve",
    ),
    # The task that asked has no frame of the workflow's: where its coroutine was made counts.
    (changed.BooksInTheGroup, 9, "activity 'reserve' (ID 1)", "activity 'book' (ID 1)", "reserve"),
    (changed.TakesBackAndBooks, 9, "activity 'reserve' (ID 1)", "activity 'book' (ID 1)", "TakesBackAndBooks.reserve"),
]
OTHER_STEPS: Cases = [
    (changed.ReservesNothing, 9, "activity 'reserve' (ID 1)", "local activity 'price' (ID 1)", "Steps.price"),
    (
        changed.ReservesTwice,
        15,
        "local activity 'price' (ID 2)",
        "activity 'confirm' (ID 2)",
        "ReservesTwice.reserve",
    ),
    (
        changed.ReservesAfterTheShipment,
        9,
        "activity 'reserve' (ID 1)",
        "child workflow 'Shipping' (ID shipping-1)",
        "Steps.ship",
    ),
    (
        changed.SleepsInsteadOfReserving,
        9,
        "activity 'reserve' (ID 1)",
        "timer (ID 1)",
        "SleepsInsteadOfReserving.reserve",
    ),
    (changed.TakesBackATimerBeforeAnother, 16, "timer (ID 1)", "timer (ID 2)", "Steps.pause"),
    (changed.BooksInsteadOfSleeping, 16, "timer (ID 1)", "activity 'book' (ID 3)", "BooksInsteadOfSleeping.pause"),
    (changed.WaitsForAReservation, 9, "activity 'reserve' (ID 1)", "nothing", "WaitsForAReservation.reserve"),
    (
        changed.WeighsInsteadOfPricing,
        15,
        "local activity 'price' (ID 2)",
        "local activity 'weigh' (ID 2)",
        "WeighsInsteadOfPricing.price",
    ),
    (changed.PricesNothing, 15, "local activity 'price' (ID 2)", "timer (ID 1)", "Steps.pause"),
    (changed.WeighsFirst, 9, "activity 'reserve' (ID 1)", "local activity 'weigh' (ID 1)", "WeighsFirst.reserve"),
    (
        changed.PostsInsteadOfShipping,
        21,
        "child workflow 'Shipping' (ID shipping-1)",
        "child workflow 'Post' (ID shipping-1)",
        "PostsInsteadOfShipping.ship",
    ),
    (
        changed.ShipsUnderAnotherId,
        21,
        "child workflow 'Shipping' (ID shipping-1)",
        "child workflow 'Shipping' (ID shipping-2)",
        "ShipsUnderAnotherId.ship",
    ),
    (
        changed.TellsNobody,
        30,
        "external workflow signal 'shipped' (ID warehouse-1)",
        "Nexus operation 'Translation/translate'",
        "Steps.translate",
    ),
    (
        changed.TranslatesNothing,
        35,
        "Nexus operation 'Translation/translate'",
        "external workflow cancel (ID warehouse-1)",
        "Steps.stop",
    ),
    (
        changed.SignalsInsteadOfCancelling,
        40,
        "external workflow cancel (ID warehouse-1)",
        "external workflow signal 'stop' (ID warehouse-1)",
        "SignalsInsteadOfCancelling.stop",
    ),
]
PATCHES_AND_ATTRIBUTES: Cases = [
    (changed.HasAnotherPatch, 5, "patch 'with-memo'", "memo", "HasAnotherPatch.note"),
    (changed.HasLostItsPatch, 5, "patch 'with-memo'", "memo", "HasLostItsPatch.note"),
    (changed.NotesNothing, 7, "memo", "search attributes", "Steps.index"),
    (changed.IndexesNothing, 8, "search attributes", "activity 'reserve' (ID 1)", "Steps.reserve"),
]
ENDINGS: Cases = [
    (changed.GoesOn, 45, "complete workflow", "continue as new", "GoesOn.finish"),
    (changed.DoesMore, 45, "complete workflow", "activity 'thank' (ID 3)", "DoesMore.finish"),
    (changed.ReturnsEarly, 9, "activity 'reserve' (ID 1)", "complete workflow", "changed.<locals>.run"),
    (changed.NeverEnds, 45, "complete workflow", "nothing", "NeverEnds.finish"),
    (changed.FailsAtTheEnd, 45, "complete workflow", "fail workflow", "FailsAtTheEnd.finish"),
]


async def test_the_code_that_was_recorded() -> None:
    result = await _replayed(Shop)

    assert (result.outcome, result.message, result.divergence) == ("reproduced", "", None)
    assert (result.workflow_tasks, result.guarded) == (8, True)
    assert [(step.kind, step.type, step.id, step.nth) for step in result.reused_steps] == [
        ("activity", "reserve", "1", 1),
        ("local_activity", "price", "2", 1),
        ("timer", "", "1", 1),
        ("child_workflow", "Shipping", "shipping-1", 1),
        ("external_signal", "shipped", "warehouse-1", 1),
        ("nexus_operation", "Translation/translate", "translation", 1),
        ("external_cancel", "", "warehouse-1", 1),
    ]
    assert [str(step.source).rpartition(" ")[2] for step in result.reused_steps] == [
        "Steps.reserve",
        "Steps.price",
        "Steps.pause",
        "Steps.ship",
        "Steps.tell",
        "Steps.translate",
        "Steps.stop",
    ]


@pytest.mark.parametrize(
    ("workflow", "event_id", "expected", "actual", "function"),
    [*ANOTHER_ACTIVITY, *OTHER_STEPS, *PATCHES_AND_ATTRIBUTES, *ENDINGS],
)
async def test_a_change(workflow: type, event_id: int, expected: str, actual: str, function: str) -> None:
    result = await _replayed(workflow)

    assert result.outcome == "diverged"
    assert result.message.startswith("[TMPRL1100] Nondeterminism error: ")
    divergence = result.divergence
    assert divergence is not None
    assert (divergence.event_id, divergence.expected_words, divergence.actual_words) == (event_id, expected, actual)
    assert divergence.source is not None
    assert divergence.source.function == function


async def test_the_source_line_is_that_of_the_call_and_its_file_relative_to_the_current_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(RECORDED.parents[3])

    result = await _replayed(changed.BooksInsteadOfReserving)

    assert result.divergence is not None
    source = result.divergence.source
    assert source is not None
    assert source.file == "tests/replay/changed_shops.py"
    assert _line(source).strip().startswith('await workflow.execute_activity("book"')


async def test_a_command_that_was_taken_back_before_it_was_sent_is_no_change() -> None:
    assert (await _replayed(changed.TakesBackATimerAtTheEnd)).outcome == "reproduced"


async def test_code_that_raises_names_class_line_and_what_history_has_there() -> None:
    result = await _replayed(changed.RaisesAtTheEnd)

    assert (result.outcome, result.message) == ("failed", "'order-1'")
    divergence = result.divergence
    assert divergence is not None
    assert (divergence.event_id, divergence.expected_words, divergence.actual_words) == (
        45,
        "complete workflow",
        "KeyError: 'order-1'",
    )
    assert divergence.source is not None
    assert divergence.source.function == "RaisesAtTheEnd.finish"


@pytest.mark.slow  # the SDK waits for two seconds
async def test_code_that_loops_for_ever_is_found_and_ended() -> None:
    result = await _replayed(changed.LoopsAtTheEnd)

    assert result.outcome == "failed"
    divergence = result.divergence
    assert divergence is not None
    assert divergence.actual_words == (
        "[TMPRL1101] Potential deadlock detected: workflow didn't yield within 2 second(s)."
    )
    assert divergence.source is not None
    assert divergence.source.function == "LoopsAtTheEnd.finish"


def _line(source: SourceLine) -> str:
    return Path(source.file).read_text().splitlines()[source.line - 1]


async def _replayed(workflow: type) -> Replay:
    return await replay(RECORDED, [workflow])


async def test_an_event_that_is_newer_than_the_sdk_hides_no_change() -> None:
    """One that its server lets workers ignore: Core passes it over."""

    def moved(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: moved(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [moved(each, key) for each in value]
        return str(int(value) + 1) if key.lower().endswith("eventid") and int(value) >= 12 else value

    document = json.loads(RECORDED.read_text())
    document["events"] = moved(document["events"])
    newer = {"eventId": "12", "eventType": 999, "eventTime": "2026-11-23T07:19:26Z", "workerMayIgnore": True}
    document["events"].insert(11, newer)
    found = await replay(json.dumps(document).encode(), [changed.GoesOn])

    assert (found.outcome, found.event_id) == ("diverged", 46)
    assert (await replay(json.dumps(document).encode(), [Shop])).outcome == "reproduced"

"""What a history has lost is named in its trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.history.recording import Recording, payload
from tracing import conventions as c
from tracing.history import History, read, to_spans


def told(document: Any) -> object:
    """What the trace of a history says it has lost; and what is said to the user, who is told the same."""
    [history] = read(json.dumps(document).encode())
    assert isinstance(history, History), history
    [run, *_] = to_spans(history)
    assert run.attributes.get(c.DEFECTS, ()) == history.defects
    return run.attributes.get(c.DEFECTS)


def whole() -> dict[str, Any]:
    """A whole history."""
    recording = Recording()
    scheduled = recording.activity(recording.task(ms=2), input={"payloads": [payload()]})
    recording.attempt(scheduled)
    recording.complete_activity(scheduled, payload())
    recording.complete()
    return recording.json()


def test_nothing() -> None:
    assert told(whole()) is None


NO_ID = "Item 5 of the list of events has no event ID and is left out."
STARTED = "Event 6 (ActivityTaskStarted) is damaged"
NO_TIME = f"{STARTED}: it has no time"
PLAIN = """Plain values stand in the place of payloads (a download of decoded events): inputs and outputs are shown \
as they are; what was recorded beside them is lost."""


@pytest.mark.parametrize(
    ("position", "key", "value", "sentence"),
    [
        (4, "eventId", None, NO_ID),
        (4, "eventId", "-5", NO_ID),
        (4, "eventId", str(1 << 63), NO_ID),
        (4, "eventId", "4", "Event 4 (ActivityTaskScheduled) is there twice: the first is kept."),
        (5, "eventTime", None, f"{NO_TIME} ('' is not a time such as '2026-11-23T07:19:26.7091Z')."),
        (5, "eventTime", "0001-01-01T00:00:00Z", f"{NO_TIME} ('0001-01-01T00:00:00Z' is not between 1970 and 2262)."),
        (5, "activityTaskStartedEventAttributes", None, f"{STARTED}: it has no attributes."),
        (
            5,
            "activityTaskStartedEventAttributes",
            [1],
            f"{STARTED}: Expected `object | null`, got `array` - at `$.activityTaskStartedEventAttributes`.",
        ),
        (6, "activityTaskCompletedEventAttributes", {"result": {"payloads": ["because"]}}, PLAIN),
    ],
)
def test_one_thing(position: int, key: str, value: object, sentence: str) -> None:
    document = whole()
    document["events"][position][key] = value
    named = told(document)
    assert isinstance(named, tuple)
    assert sentence in named


def test_missing_events() -> None:
    document = whole()
    del document["events"][5], document["events"][1:3]
    assert told(document) == ("Events 2-3 are missing.", "Event 6 is missing.")


def test_one_page_of_several() -> None:
    document = {"history": {"events": whole()["events"][:-1]}, "nextPageToken": "abc"}
    assert told(document) == ("It is one page of the history: later events are missing. Read it with the other pages.",)


def test_protobuf_events_without_an_id() -> None:
    recording = Recording()
    recording.task()
    recording.events[2].event_id = 0
    recording.events[3].event_id = -7
    [history] = read(recording.sdk())
    assert isinstance(history, History)
    assert to_spans(history)[0].attributes[c.DEFECTS] == (
        "An event (WorkflowTaskCompleted) has no ID and is left out.",
        "An event (WorkflowTaskStarted) has no ID and is left out.",
    )


def test_more_than_a_trace_names() -> None:
    recording = Recording()
    for number in range(100):
        recording.add("timer_started")
        recording.events[-1].event_id = 3 * number + 3
    [history] = read(recording.sdk())
    assert isinstance(history, History)
    named = to_spans(history)[0].attributes[c.DEFECTS]
    assert isinstance(named, tuple)
    assert (len(history.defects), len(named), named[-1]) == (100, 33, "68 more defects.")

"""Events in every spelling, and what is left of damaged ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.history import v1 as messages
from temporalio.api.history.v1 import HistoryEvent

from tests.history.recording import RUN_ID, Recording, payload, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans
from tracing.history.attributes import ATTRIBUTES
from tracing.history.attributes.steps import TimerStarted
from tracing.history.enums import EVENT_TYPE_NAMES, WORKFLOW_TASK_FAILED_CAUSES, event_type_name
from tracing.history.events import Event
from tracing.history.protobuf import reader
from tracing.history.values import Duration

CONTENT = TracingConfig(capture_content=True)


def _recording() -> Recording:
    recording = Recording()
    task = recording.task(ms=2)
    activity = recording.activity(task, input={"payloads": [payload('"plan"')]})
    recording.add(
        "timer_started",
        timer_id="1",
        start_to_fire_timeout={"nanos": 500_000_000},
        workflow_task_completed_event_id=task,
    )
    recording.attempt(activity, ms=10)
    recording.complete_activity(activity, payload('"ok"'), ms=12)
    recording.complete(ms=14)
    return recording


def _read(document: Any) -> History:
    (history,) = read(json.dumps(document).encode())
    assert isinstance(history, History), history
    return history


def test_every_event_type_that_is_read_exists() -> None:
    assert set(ATTRIBUTES) <= EVENT_TYPE_NAMES
    for name, class_ in ATTRIBUTES.items():
        message = getattr(messages, f"{name}EventAttributes")
        assert set(class_.__struct_fields__) <= set(message.DESCRIPTOR.fields_by_name), name


def test_a_protobuf_message_becomes_the_same_type() -> None:
    event = HistoryEvent()
    event.timer_started_event_attributes.timer_id = "t"
    event.timer_started_event_attributes.start_to_fire_timeout.FromMilliseconds(1500)
    read_timer = reader(TimerStarted)
    assert read_timer(event.timer_started_event_attributes) == TimerStarted("t", Duration(1_500_000_000))


@pytest.mark.parametrize("value", ["EVENT_TYPE_TIMER_FIRED", "TimerFired", 18, "18"])
def test_event_types_in_every_spelling(value: int | str) -> None:
    assert event_type_name(value) == "TimerFired"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("EVENT_TYPE_AGENT_WOKE_UP", "AgentWokeUp"),
        ("AgentWokeUp", "AgentWokeUp"),
        (9999, "EventType9999"),
        (0, "Unspecified"),
        ("<script>", "UnknownEvent"),
        ("x" * 101, "UnknownEvent"),
    ],
)
def test_unknown_event_types_keep_their_name_where_it_is_one(value: int | str, name: str) -> None:
    assert event_type_name(value) == name


@pytest.mark.parametrize("value", ["WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW", "ResetWorkflow", "RESET_WORKFLOW", 20])
def test_causes_in_every_spelling(value: int | str) -> None:
    assert WORKFLOW_TASK_FAILED_CAUSES.name(value) == "RESET_WORKFLOW"


def test_an_unknown_cause_keeps_its_name() -> None:
    assert WORKFLOW_TASK_FAILED_CAUSES.name("WORKFLOW_TASK_FAILED_CAUSE_NEW") == "NEW"
    assert WORKFLOW_TASK_FAILED_CAUSES.name(0) == ""


def test_spellings_of_the_web_ui_and_of_older_servers() -> None:
    document = _recording().json()
    plain = to_spans(_read(document), CONTENT)
    for event in document["events"]:
        event["eventType"] = event_type_name(event["eventType"])
        event["eventId"] = int(event["eventId"])
        event["links"] = None
        event["futureField"] = {"any": [1, None]}
        for attributes in event.values():
            if isinstance(attributes, dict):
                attributes |= {"header": None, "failure": None, "identity": attributes.get("identity")}
    document["events"].reverse()

    history = _read(document)
    assert history.defects == ()
    run, *steps = to_spans(history, CONTENT)
    assert run.attributes.pop(c.UNKNOWN_FIELDS) == ("futureField",)
    assert [run, *steps] == plain


def test_payloads_that_a_download_replaced_by_plain_values_are_kept() -> None:
    document = _recording().json()
    scheduled = document["events"][4]["activityTaskScheduledEventAttributes"]
    scheduled["input"] = {"payloads": ["plan", {"data": 7}, None]}
    completed = document["events"][7]["activityTaskCompletedEventAttributes"]
    completed["result"]["payloads"][0]["data"] = "not base64!"

    history = _read(document)
    (defect,) = history.defects
    assert defect == (
        "Plain values stand in the place of payloads (a download of decoded events): inputs and outputs are shown as "
        "they are; what was recorded beside them is lost."
    )
    step = to_spans(history, CONTENT)[1]
    assert step.attributes[c.INPUT_VALUE] == '["plan",{"data":7},null]'
    assert step.attributes[c.OUTPUT_VALUE] == "not base64!"


DAMAGES: dict[str, dict[str, Any]] = {
    "Expected `int`, got `array` - at `$.activityTaskCompletedEventAttributes.scheduledEventId`": {
        "activityTaskCompletedEventAttributes": {"scheduledEventId": [5]}
    },
    "Expected `object | null`, got `str` - at `$.activityTaskCompletedEventAttributes`": {
        "activityTaskCompletedEventAttributes": "gone"
    },
    "it has no attributes": {"activityTaskCompletedEventAttributes": None},
}


@pytest.mark.parametrize("defect", DAMAGES)
def test_a_damaged_event_is_isolated(defect: str) -> None:
    document = _recording().json()
    document["events"][7] |= DAMAGES[defect]

    history = _read(document)
    assert history.defects == (f"Event 8 (ActivityTaskCompleted) is damaged: {defect}.",)
    shown = {c.EVENT_IDS, c.DEFECT, c.UNCLOSED}
    # fmt: off
    assert render(to_spans(history), only=shown) == tree(f"""
    RunWorkflow:Research SERVER 0..14 ms
      temporal.event_ids: '1-4,8-9'
      * ActivityTaskCompleted 12 ms
        durable.defect: {defect!r}
        temporal.event_ids: '8'
      StartActivity:call_llm CLIENT 2..14 ms
        durable.unclosed: True
        temporal.event_ids: '5,7'
        RunActivity:call_llm SERVER 10.. ms
          durable.unclosed: True
          temporal.event_ids: '7'
      Timer INTERNAL 2..14 ms
        durable.unclosed: True
        temporal.event_ids: '6'
    """)
    # fmt: on


def test_an_event_without_a_time_gets_that_of_the_event_before() -> None:
    document = _recording().json()
    del document["events"][6]["eventTime"]
    document["events"][7]["eventTime"] = "yesterday"

    history = _read(document)
    example = "'2026-11-23T07:19:26.7091Z'"
    assert history.defects == (
        f"Event 7 (ActivityTaskStarted) is damaged: it has no time ('' is not a time such as {example}).",
        f"Event 8 (ActivityTaskCompleted) is damaged: it has no time ('yesterday' is not a time such as {example}).",
    )
    assert [event.time for event in history.events[5:8]] == [history.events[5].time] * 3


def test_items_that_are_no_events_are_left_out() -> None:
    document = _recording().json()
    document["events"][5:5] = [7, {"eventType": "TimerFired"}, {"eventId": "-1"}]

    history = _read(document)
    assert history.defects == tuple(
        f"Item {position} of the list of events has no event ID and is left out." for position in (6, 7, 8)
    )
    assert len(history.events) == 9


def test_missing_and_repeated_events_are_named() -> None:
    document = _recording().json()
    events = document["events"]
    document["events"] = [*events[:2], *events[4:6], events[5], *events[7:]]

    assert _read(document).defects == (
        "Events 3-4 are missing.",
        "Event 6 (TimerStarted) is there twice: the first is kept.",
        "Event 7 is missing.",
    )


def test_damaged_protobuf_events_are_isolated_too() -> None:
    recording = _recording()
    recording.events[5].ClearField("timer_started_event_attributes")
    recording.events[6].ClearField("event_time")
    recording.events[7].event_time.seconds = -5
    (history,) = read(recording.proto().SerializeToString())
    assert isinstance(history, History)
    assert history.defects == (
        "Event 6 (TimerStarted) is damaged: it has no attributes.",
        "Event 7 (ActivityTaskStarted) is damaged: it has no time.",
        "Event 8 (ActivityTaskCompleted) is damaged: it has no time (it is not between 1970 and 2262).",
    )


def test_an_event_of_a_type_from_the_future_is_kept() -> None:
    document = _recording().json()
    document["events"].append(
        {"eventId": "10", "eventTime": "2026-11-23T07:19:27Z", "eventType": "EVENT_TYPE_AGENT_WOKE_UP"}
    )
    history = _read(document)
    assert history.events[-1] == Event(id=10, time=1_795_418_367_000_000_000, type="AgentWokeUp")
    assert to_spans(history)[0].events[-1].name == "AgentWokeUp"


def test_nesting_without_end_is_refused_in_one_sentence() -> None:
    (deep,) = read(b'{"events":[{"eventId":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}")
    assert isinstance(deep, Unreadable)
    assert deep.reason == "Its JSON is nested too deeply for a history."


def test_payload_metadata_and_header_fields_survive_as_bytes() -> None:
    recording = Recording(header={"fields": {"x": Payload(metadata={"k": b"\x00\xff"}, data=b"\x01")}})
    header = recording.read().started.header
    assert header is not None
    assert (dict(header.fields["x"].metadata), header.fields["x"].data) == ({"k": b"\x00\xff"}, b"\x01")
    assert recording.read().run_id == RUN_ID

"""Types and fields of events that are newer than this version are found in the trace."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.history.recording import Recording, payload, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.spans.model import Span

SHOWN = {c.EVENT_IDS, c.EVENT_ATTRIBUTES, c.UNKNOWN_FIELDS}
CONTENT = TracingConfig(capture_content=True)


def spans_of(source: Any, config: TracingConfig = CONTENT) -> list[Span]:
    """The spans of a history."""
    [history] = read(source)
    assert isinstance(history, History), history
    return to_spans(history, config)


def document(**event: Any) -> bytes:
    """A history as JSON, with one more event after the start."""
    found = Recording().json()
    found["events"].append({"eventId": "2", "eventTime": found["events"][0]["eventTime"], **event})
    return json.dumps(found).encode()


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    low = number & 0x7F
    return bytes([low]) if number < 0x80 else bytes([low | 0x80]) + varint(number >> 7)


def field(number: int, data: bytes) -> bytes:
    """A field of bytes, by a number that nobody knows."""
    return varint(number << 3 | 2) + varint(len(data)) + data


@pytest.mark.parametrize("spelling", ["EVENT_TYPE_SOMETHING_NEW", "SomethingNew"])
@pytest.mark.parametrize("config", [CONTENT, TracingConfig()], ids=["content", "no content"])
def test_a_new_type_in_json(spelling: str, config: TracingConfig) -> None:
    said = {"reason": "why not", "given": {"payloads": [{"metadata": {}, "data": "InNlY3JldCI="}]}}
    data = document(eventType=spelling, somethingNewEventAttributes=said)

    says = {
        True: """
        temporal.event.attributes: '{"given":{"payloads":["\\\\"secret\\\\""]},"reason":"why not"}'
        temporal.event_ids: '2'""",
        False: """
        temporal.event_ids: '2'""",
    }[config.capture_content]
    assert render(spans_of(data, config), only=SHOWN) == tree(f"""
    RunWorkflow:Research SERVER 0.. ms
      durable.history.unknown_fields: ('somethingNewEventAttributes',)
      temporal.event_ids: '1-2'
      * SomethingNew 0 ms{says}
    """)


def test_a_new_type_in_protobuf() -> None:
    recording = Recording()
    time = recording.events[0].event_time.SerializeToString()
    new = b"\x08\x02" + field(2, time) + b"\x18\xe7\x07" + field(500, field(1, b"why not"))
    recording.events.append(HistoryEvent.FromString(new))

    expected = tree("""
    RunWorkflow:Research SERVER 0.. ms
      temporal.event_ids: '1-2'
      * EventType999 0 ms
        temporal.event.attributes: '{"500":"\\\\n\\\\u0007why not"}'
        temporal.event_ids: '2'
    """)
    assert render(spans_of(recording.proto().SerializeToString()), only=SHOWN) == expected
    assert render(spans_of(WorkflowHistory("wf", recording.events)), only=SHOWN) == expected


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("workflow_execution_paused", {"identity": "ada", "reason": "lunch"}),
        ("workflow_execution_unpaused", {"identity": "ada", "reason": "coffee"}),
        ("workflow_execution_options_updated", {"identity": "ada", "attached_request_id": "r-1"}),
        ("workflow_execution_cancel_requested", {"cause": "too slow", "identity": "ada"}),
        ("activity_properties_modified_externally", {"scheduled_event_id": 7}),
        ("workflow_properties_modified_externally", {"new_task_queue": "other"}),
    ],
)
def test_a_type_that_is_known_and_not_read_is_told_alike_by_both_forms(event: str, says: dict[str, Any]) -> None:
    recording = Recording()
    recording.add(event, **says)

    [run] = recording.spans(content=True)  # JSON, bytes and SDK object are compared there
    [shown] = run.events
    assert shown.name == "".join(word.capitalize() for word in event.split("_"))
    told = json.loads(str(shown.attributes[c.EVENT_ATTRIBUTES]))
    assert [str(value) for value in told.values()] == [str(says[name]) for name in sorted(says)]
    assert c.EVENT_ATTRIBUTES not in recording.spans()[0].events[0].attributes


def test_what_is_told_of_a_new_type_is_redacted() -> None:
    config = TracingConfig(capture_content=True, redact=lambda _key, text: text.replace("secret", "…"))
    said = {"reason": "secret", "given": {"metadata": {}, "data": "c2VjcmV0"}}
    [run] = spans_of(document(eventType="SomethingNew", newEventAttributes=said), config)
    assert run.events[0].attributes[c.EVENT_ATTRIBUTES] == '{"given":"…","reason":"…"}'


def test_new_fields_in_json_are_named() -> None:
    recording = Recording()
    task = recording.task()
    timer = recording.add("timer_started", timer_id="1", workflow_task_completed_event_id=task)
    recording.add("timer_fired", timer_id="1", started_event_id=timer)
    known = spans_of(json.dumps(recording.json()).encode())
    found = recording.json()
    for event in found["events"]:
        event["newField"] = {"any": 1}
        event["nothing"] = None
    found["events"][1]["workflowTaskScheduledEventAttributes"]["urgency"] = "high"
    found["events"][5]["timerFiredEventAttributes"]["drift"] = "3s"
    found["events"][5]["timerFiredEventAttributes"]["x" * 1_000] = 1

    [run, *steps] = spans_of(json.dumps(found).encode())
    named = run.attributes.pop(c.UNKNOWN_FIELDS)
    assert named == ("TimerFired.drift", f"TimerFired.{'x' * 109}", "WorkflowTaskScheduled.urgency", "newField")
    assert [run, *steps] == known


def test_new_fields_in_protobuf_are_named_by_their_numbers() -> None:
    recording = Recording()
    task = recording.task()
    recording.add("timer_started", timer_id="1", workflow_task_completed_event_id=task)
    known = spans_of(recording.proto().SerializeToString())
    recording.events[4].timer_started_event_attributes.MergeFromString(field(17, b"soon"))
    recording.events[4].MergeFromString(field(600, b"x"))
    recording.events[2].workflow_task_started_event_attributes.MergeFromString(field(18, b"x"))

    [run, *steps] = spans_of(recording.proto().SerializeToString())
    assert run.attributes.pop(c.UNKNOWN_FIELDS) == ("600", "TimerStarted.17", "WorkflowTaskStarted.18")
    assert [run, *steps] == known


def test_so_many_new_fields_that_not_all_are_named() -> None:
    found = Recording().json()
    found["events"][0]["workflowExecutionStartedEventAttributes"] |= {f"new{n}": n for n in range(10_000)}
    [run] = spans_of(json.dumps(found).encode())
    named = run.attributes[c.UNKNOWN_FIELDS]
    assert isinstance(named, tuple)
    assert len(named) == 64


def test_a_field_in_place_of_attributes_that_is_no_object() -> None:
    data = document(eventType="SomethingNew", somethingNewEventAttributes="7", payload=payload().data.decode())
    [run] = spans_of(data)
    assert run.events[0].attributes[c.EVENT_ATTRIBUTES] == '{"payload":"\\"x\\"","somethingNewEventAttributes":"7"}'

"""Events as Temporal's JSON of today: what changes, what stays, and what the SDK makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson, ParseError
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.history.damage import places
from tests.history.recording import Recording, payload
from tests.history.test_mutations import DATA, TEXTS, json_values
from tracing.history import History, read
from tracing.history.sources.accepted import accepted
from tracing.history.sources.standard import is_standard
from tracing.tracefile import write_history


def _read(data: Any) -> History:
    (history,) = read(data if isinstance(data, bytes) else json.dumps(data).encode(), raw=True)
    assert isinstance(history, History), history
    return history


def _raw(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """What becomes of events after the start of a run."""
    (started,) = Recording().json()["events"]
    history = _read({"events": [started, *events]})
    assert history.raw_events is not None
    return [json.loads(event) for event in history.raw_events[1:]]


def test_enums_get_the_spelling_of_current_servers_wherever_they_stand() -> None:
    (event,) = _raw(
        {
            "eventId": 2,
            "eventTime": "2026-11-23T07:19:26Z",
            "eventType": "WorkflowExecutionContinuedAsNew",
            "workflowExecutionContinuedAsNewEventAttributes": {
                "initiator": "CronSchedule",
                "taskQueue": {"name": "q", "kind": "Normal"},
                "failure": {
                    "message": "m",
                    "cause": {"timeoutFailureInfo": {"timeoutType": "StartToClose"}, "retryState": "Unknown"},
                },
            },
        }
    )
    assert event == {
        "eventId": 2,
        "eventTime": "2026-11-23T07:19:26Z",
        "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "workflowExecutionContinuedAsNewEventAttributes": {
            "initiator": "CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE",
            "taskQueue": {"name": "q", "kind": "TASK_QUEUE_KIND_NORMAL"},
            "failure": {
                "message": "m",
                "cause": {
                    "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"},
                    "retryState": "Unknown",
                },
            },
        },
    }


def test_events_in_todays_spelling_are_kept_byte_for_byte() -> None:
    recording = Recording(input={"payloads": [payload()]}, header={"fields": {"h": payload()}})
    recording.task()
    texts = [json.dumps(event, indent=3).encode() for event in recording.json()["events"]]
    history = _read(b'{"events": [' + b",\n".join(texts[::-1]) + b"]}")
    assert history.raw_events == tuple(texts)


def test_payloads_keep_their_bytes_beside_a_value_that_changes() -> None:
    data = "AAECAwQFBgcICQ=="
    (event,) = _raw(
        {
            "eventId": "2",
            "eventTime": "2026-11-23T07:19:26Z",
            "eventType": "MarkerRecorded",
            "markerRecordedEventAttributes": {
                "markerName": "m",
                "details": {"d": {"payloads": [{"metadata": {"encoding": "YmluYXJ5L3BsYWlu"}, "data": data}]}},
            },
            "aNewerField": {"n": 12345678901234567890, "f": 1.0},
        }
    )
    kept = {"payloads": [{"metadata": {"encoding": "YmluYXJ5L3BsYWlu"}, "data": data}]}
    assert event["markerRecordedEventAttributes"]["details"]["d"] == kept
    assert event["aNewerField"] == {"n": 12345678901234567890, "f": 1.0}


def test_plain_values_in_the_place_of_payloads_become_payloads() -> None:
    def stored(data: str) -> dict[str, Any]:
        return {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": data}

    events = _raw(
        {
            "eventId": "2",
            "eventTime": "2026-11-23T07:19:26Z",
            "eventType": "WorkflowExecutionSignaled",
            "workflowExecutionSignaledEventAttributes": {"signalName": "s", "input": ["a", {"b": 1}]},
        },
        {
            "eventId": "3",
            "eventTime": "2026-11-23T07:19:26Z",
            "eventType": "UpsertWorkflowSearchAttributes",
            "upsertWorkflowSearchAttributesEventAttributes": {
                "searchAttributes": {"indexedFields": {"n": 7, "kept": {"metadata": {}, "data": "Nw=="}}}
            },
        },
        {
            "eventId": "4",
            "eventTime": "2026-11-23T07:19:26Z",
            "eventType": "WorkflowExecutionCompleted",
            "workflowExecutionCompletedEventAttributes": {
                "result": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "plain text"}]}
            },
        },
    )
    assert events[0]["workflowExecutionSignaledEventAttributes"]["input"] == {
        "payloads": [stored("ImEi"), stored("eyJiIjoxfQ==")]
    }
    assert events[1]["upsertWorkflowSearchAttributesEventAttributes"]["searchAttributes"]["indexedFields"] == {
        "n": stored("Nw=="),
        "kept": {"metadata": {}, "data": "Nw=="},
    }
    assert events[2]["workflowExecutionCompletedEventAttributes"]["result"] == {
        "payloads": [stored("InBsYWluIHRleHQi")]
    }


def test_events_and_fields_of_newer_servers_survive_in_json_and_the_sdk_reads_the_file(tmp_path: Path) -> None:
    document = Recording().json()
    document["events"][0]["workflowExecutionStartedEventAttributes"]["futureField"] = {"a": [1]}
    document["events"].append(
        {
            "eventId": "2",
            "eventTime": "2026-11-23T07:19:27Z",
            "eventType": "EVENT_TYPE_FROM_THE_FUTURE",
            "fromTheFutureEventAttributes": {"x": "y"},
        }
    )
    path = write_history(tmp_path, "run", _read(document))
    written = json.loads(path.read_text())
    assert written["events"] == document["events"]
    assert [event.event_id for event in WorkflowHistory.from_json("wf", path.read_text()).events] == [1, 2]


def test_a_binary_event_of_a_newer_server_survives_and_its_fields_that_json_cannot_hold_are_named(
    tmp_path: Path,
) -> None:
    recording = Recording()
    recording.task()
    recording.events[1].event_type = 9999  # type: ignore[assignment] # as a newer server numbers it
    data = recording.proto().SerializeToString()
    unknown_field = b"\xfa\xff\x03\x01x"  # field 8191 of event 4
    last = recording.events[-1].SerializeToString()
    data = data[: -len(last) - 2] + b"\x0a" + bytes([len(last) + len(unknown_field)]) + last + unknown_field
    history = _read(data)
    assert history.defects == (
        (
            "Event 4 has fields that the installed Temporal API does not know, and JSON cannot hold them: the history "
            "file is without; upgrade temporalio to have them."
        ),
    )
    (plain,) = read(data)
    assert isinstance(plain, History)
    assert plain.defects == ()
    path = write_history(tmp_path, "run", history)
    assert WorkflowHistory.from_json("wf", path.read_text()).events[1].event_type == 9999
    (again,) = read(path)
    assert isinstance(again, History)
    assert [event.type for event in again.events] == [event.type for event in history.events]


def test_a_binary_event_gives_the_same_bytes_in_each_process() -> None:
    """Protobuf gives the entries of maps in another order in each."""
    keys = [f"key-{number}" for number in range(10, 30)]
    recording = Recording(memo={"fields": {key: payload() for key in keys[::-1]}})
    history = _read(recording.proto().SerializeToString())
    assert history.raw_events is not None
    written = json.loads(history.raw_events[0])
    assert list(written["workflowExecutionStartedEventAttributes"]["memo"]["fields"]) == keys
    assert written == recording.json()["events"][0]


def test_times_of_a_binary_event_that_are_none_are_left_out_and_named(tmp_path: Path) -> None:
    recording = Recording(workflow_run_timeout={"seconds": 10**15}, workflow_task_timeout={"seconds": 10})
    recording.add("timer_started", timer_id="1", start_to_fire_timeout={"seconds": 1, "nanos": -5})
    history = _read(recording.proto().SerializeToString())
    assert history.defects == (
        (
            "Event 1: workflowRunTimeout cannot be written as JSON, and the history file is without: export the "
            "history again."
        ),
        (
            "Event 2: startToFireTimeout cannot be written as JSON, and the history file is without: export the "
            "history again."
        ),
    )
    path = write_history(tmp_path, "run", history)
    start, timer = WorkflowHistory.from_json("wf", path.read_text()).events
    assert start.workflow_execution_started_event_attributes.workflow_task_timeout.seconds == 10
    assert timer.timer_started_event_attributes.timer_id == "1"


def test_a_field_that_the_sdk_would_refuse_the_history_for_is_left_out_and_named(tmp_path: Path) -> None:
    document = Recording().json()
    document["events"][0]["workerMayIgnore"] = "perhaps"
    document["events"][0]["links"] = [{"workflowEvent": 7}]
    document["events"][0]["workflowExecutionStartedEventAttributes"]["parentInitiatedEventId"] = "none"
    with pytest.raises(ParseError, match="parentInitiatedEventId"):
        WorkflowHistory.from_json("wf", json.dumps(document))
    history = _read(document)
    assert history.defects == (
        (
            "Event 1: the SDK cannot read workflowExecutionStartedEventAttributes.parentInitiatedEventId, "
            "workerMayIgnore, links, and the history file is without: export the history again."
        ),
    )
    path = write_history(tmp_path, "run", history)
    (event,) = WorkflowHistory.from_json("wf", path.read_text()).events
    assert event.workflow_execution_started_event_attributes.workflow_type.name == "Research"


def test_raw_events_are_kept_only_where_asked_for() -> None:
    for source in (json.dumps(Recording().json()).encode(), Recording().proto().SerializeToString(), Recording().sdk()):
        (plain,) = read(source)
        (raw,) = read(source, raw=True)
        assert isinstance(plain, History)
        assert isinstance(raw, History)
        assert plain.raw_events is None
        assert raw.raw_events is not None
        assert len(raw.raw_events) == 1


@pytest.mark.slow
@settings(max_examples=100)
@given(st.sampled_from(TEXTS), st.data())
def test_whatever_is_done_to_a_history_the_sdk_reads_what_is_written_of_it(text: str, data: st.DataObject) -> None:
    document = json.loads(text)
    for _ in range(data.draw(st.integers(1, 4))):
        *parents, last = data.draw(st.sampled_from(places(document)))
        holder = document
        for key in parents:
            holder = holder[key]
        holder[last] = data.draw(json_values)
        if not places(document):
            break
    for history in read(json.dumps(document).encode(), raw=True):
        if isinstance(history, History):
            _check(history)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.sampled_from(TEXTS), st.integers(0), st.binary(max_size=6), st.integers(0, 50))
def test_whatever_bytes_are_replaced_the_sdk_reads_what_is_written(
    text: str, position: int, inserted: bytes, removed: int
) -> None:
    data = text.encode()
    position %= len(data)
    for history in read(data[:position] + inserted + data[position + removed :], raw=True):
        if isinstance(history, History):
            _check(history)


def _check(history: History) -> None:
    assert history.raw_events is not None
    sdk = WorkflowHistory.from_json("wf", {"events": [json.loads(event) for event in history.raw_events]})
    assert [event.event_id for event in sdk.events] == [event.id for event in history.events]


@pytest.mark.parametrize("depth", [150, 300, 600, 1500])
def test_depth_that_the_sdk_cannot_copy_is_left_out(depth: int) -> None:
    document = Recording().json()
    text = json.dumps(document).encode()
    for opened, closed in ((b'{"a":', b"}"), (b"[", b"]")):
        nested = opened * depth + b"1" + closed * depth
        for history in read(text.replace(b'"eventId"', b'"future": ' + nested + b', "eventId"'), raw=True):
            if isinstance(history, History):
                _check(history)
                assert bool(history.defects) == (depth > 200)


@pytest.mark.slow
def test_what_the_fast_parser_lets_pass_the_sdk_reads_and_that_is_nearly_everything() -> None:
    passed = others = 0
    for history in read(DATA, raw=True):
        for event in (history.raw_events or ()) if isinstance(history, History) else ():
            if is_standard(event):
                passed += 1
                assert accepted(event, 1) == (event, [])
            else:
                others += 1
    # The others have fields that the API had once, or will have.
    assert passed > 2500
    assert others / passed < 0.05


def test_each_message_of_the_api_that_servers_fill_in_passes() -> None:
    """An event with every field of every message, as the API's own library spells it."""
    for field in HistoryEvent.DESCRIPTOR.fields:
        event = HistoryEvent(event_id=5, event_type="EVENT_TYPE_TIMER_FIRED")
        event.event_time.FromJsonString("2026-02-28T23:59:59.123456789Z")
        if field.message_type is not None and not field.is_repeated and field.name != "event_time":
            _fill(getattr(event, field.name), 0)
        assert is_standard(MessageToJson(event).encode()), field.name


def _fill(message: Any, depth: int) -> None:
    message.SetInParent()
    seen = set()
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if depth < 4 and (oneof is None or oneof.name not in seen):
            seen.add(oneof.name if oneof is not None else "")
            _fill_field(message, field, depth)


def _fill_field(message: Any, field: Any, depth: int) -> None:
    inner = getattr(message, field.name)
    kind = field.message_type
    if kind is None and not field.is_repeated:
        value = field.enum_type.values[-1].number if field.enum_type is not None else 1
        setattr(message, field.name, b"x" if field.type == field.TYPE_BYTES else type(inner)(value))
    elif kind is not None and kind.GetOptions().map_entry:
        if kind.fields_by_name["value"].message_type is not None:
            _fill(inner["key"], depth + 1)
    elif kind is not None and kind.full_name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        inner.seconds = 1_790_000_000 if kind.name == "Timestamp" else 7
    elif kind is not None and not kind.full_name.startswith("google.protobuf."):
        _fill(inner.add() if field.is_repeated else inner, depth + 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("eventTime", "2026-02-30T00:00:00Z"),
        ("eventTime", "2026-02-29T00:00:00Z"),
        ("eventTime", "2026-01-01T24:00:00Z"),
        ("eventTime", "2026-01-01T00:00:00.1234567890Z"),
        ("eventTime", "2026-01-01T00:00:00Z\n"),
        ("eventType", "TimerFired"),
        ("eventId", "5.0"),
        ("eventId", 1 << 63),
        ("version", True),
        ("event_id", "5"),
        ("future", 1),
        ("links", [None]),
        ("userMetadata", {"summary": {"data": "no base64"}}),
        ("timerStartedEventAttributes", {}),
        ("timerFiredEventAttributes", {"startedEventId": "x"}),
    ],
)
def test_what_is_not_as_servers_write_it_does_not_pass(key: str, value: Any) -> None:
    event = {
        "eventId": "5",
        "eventTime": "2026-11-23T07:19:26Z",
        "eventType": "EVENT_TYPE_TIMER_FIRED",
        "timerFiredEventAttributes": {"timerId": "t"},
    }
    assert is_standard(json.dumps(event).encode())
    assert not is_standard(json.dumps(event | {key: value}).encode())

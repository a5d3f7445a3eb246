"""Pages of the HTTP API whose events are serialised, and exports as JSON."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import DataBlob
from temporalio.api.enums.v1 import EncodingType
from temporalio.api.export.v1 import WorkflowExecution, WorkflowExecutions
from temporalio.api.history.v1 import History as HistoryProto
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryResponse

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, payload
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans

CONTENT = TracingConfig(capture_content=True)


def _recording() -> Recording:
    recording = Recording(input={"payloads": [payload()]})
    task = recording.task()
    activity = recording.activity(task)
    recording.attempt(activity)
    recording.complete_activity(activity, payload())
    recording.task()
    recording.complete()
    return recording


def _page(*batches: HistoryProto, token: bytes = b"") -> dict[str, Any]:
    """What the server's HTTP API answers where it is asked for raw history."""
    blobs = [
        DataBlob(encoding_type=EncodingType.ENCODING_TYPE_PROTO3, data=batch.SerializeToString()) for batch in batches
    ]
    response = GetWorkflowExecutionHistoryResponse(raw_history=blobs, next_page_token=token)
    page: dict[str, Any] = MessageToDict(response)
    return page


def _one(document: Any) -> History:
    (history,) = read(json.dumps(document).encode())
    assert isinstance(history, History), history
    return history


def _reason(document: Any) -> str:
    (refused,) = read(json.dumps(document).encode())
    assert isinstance(refused, Unreadable), refused
    return refused.reason


@pytest.mark.parametrize("history", [None, {}, {"events": []}, {"events": None}])
def test_events_that_are_only_in_raw_history(history: Any) -> None:
    recording = _recording()
    page = _page(HistoryProto(events=recording.events[:4]), HistoryProto(events=recording.events[4:]))
    assert page["rawHistory"][0]["encodingType"] == "ENCODING_TYPE_PROTO3"
    found = _one(page | ({"history": history} if history is not None else {}))
    assert (found.defects, to_spans(found, CONTENT)) == ((), recording.spans(content=True))


@pytest.mark.parametrize("encoding", ["ENCODING_TYPE_PROTO3", "Proto3", 1])
def test_spellings_of_the_encoding(encoding: Any) -> None:
    page = _page(_recording().proto())
    page["rawHistory"][0]["encodingType"] = encoding
    assert len(_one(page).events) == 11


def test_batches_in_json() -> None:
    data = b64encode(json.dumps(_recording().json()).encode()).decode()
    assert len(_one({"rawHistory": [{"encodingType": "ENCODING_TYPE_JSON", "data": data}]}).events) == 11


def test_events_win_over_raw_history() -> None:
    other = Recording(run_id=BASE_RUN_ID).proto()
    assert _one(_page(other) | {"history": _recording().json()}).run_id == RUN_ID


def test_raw_pages_are_one_history() -> None:
    recording = _recording()
    pages = [
        _page(HistoryProto(events=recording.events[:4]), token=b"token"),
        _page(HistoryProto(events=recording.events[4:])),
    ]
    found = _one(pages)
    assert (found.defects, to_spans(found, CONTENT)) == ((), recording.spans(content=True))
    assert _one(pages[0]).defects == (
        "It is one page of the history: later events are missing. Read it with the other pages.",
    )


def test_a_batch_that_cannot_be_decoded_is_named_and_the_others_are_read() -> None:
    recording = _recording()
    page = _page(HistoryProto(events=recording.events[:4]))
    page["rawHistory"] += [
        {"encodingType": "ENCODING_TYPE_PROTO3", "data": "CgIKfw=="},
        {"encodingType": "ENCODING_TYPE_PROTO3", "data": "%"},
        {"encodingType": "ENCODING_TYPE_THRIFT", "data": ""},
    ]
    assert _one(page).defects == (
        (
            "Batch 2 of rawHistory cannot be decoded (Error parsing message with type "
            "'temporal.api.history.v1.History': Wire format was corrupt): fetch the page again."
        ),
        "Batch 3 of rawHistory cannot be decoded (Only base64 data is allowed): fetch the page again.",
        (
            "Batch 4 of rawHistory cannot be decoded (its encoding is 'ENCODING_TYPE_THRIFT', not "
            "ENCODING_TYPE_PROTO3): fetch the page again."
        ),
    )


@pytest.mark.parametrize("blobs", [[7], [None], 7, "x", [{"data": 7}], [{"data": [1]}], [[]]])
def test_raw_history_of_a_wrong_kind_is_refused(blobs: Any) -> None:
    assert _reason({"rawHistory": blobs}).startswith("Batch 1 of rawHistory cannot be decoded (")


@pytest.mark.parametrize("blobs", [[{}], [{"data": ""}], [{"data": None}]])
def test_raw_history_without_events_is_refused(blobs: Any) -> None:
    assert _reason({"rawHistory": blobs}) == "Its rawHistory is empty: fetch the page again."


def test_an_object_of_an_export_as_json() -> None:
    message = WorkflowExecutions(
        items=[
            WorkflowExecution(history=Recording().proto()),
            WorkflowExecution(),
            WorkflowExecution(history=Recording(run_id=BASE_RUN_ID).proto()),
        ]
    )
    found = list(read(json.dumps(MessageToDict(message)).encode()))
    assert [item.run_id if isinstance(item, History) else item.reason for item in found] == [
        RUN_ID,
        "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
        BASE_RUN_ID,
    ]


def test_halves_of_characters_do_not_cost_the_history() -> None:
    recording = _recording()
    text = json.dumps(recording.json())
    half = text.replace('"queue"', r'"queue \ud83d cut, \\ud83d, \ud83d\ude00, \uDE00"', 1)
    (history,) = read(half.encode(), raw=True)
    assert isinstance(history, History)
    assert history.started.task_queue is not None
    assert history.started.task_queue.name == "queue ? cut, \\ud83d, \N{GRINNING FACE}, ?"
    assert history.defects == ("Halves of characters (surrogates that stand alone) are shown as “?”.",)
    assert _reason_of(half.encode()[:-2]).startswith("Its JSON is broken (")


def _reason_of(data: bytes) -> str:
    (refused,) = read(data)
    assert isinstance(refused, Unreadable)
    return refused.reason

"""Sources: the shapes of files, whose history they are, and refusals."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, payload
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, documents, read, source, to_spans

CONTENT = TracingConfig(capture_content=True)


def _document(**started: Any) -> dict[str, Any]:
    recording = Recording(input={"payloads": [payload('"x"')]}, **started)
    recording.task(ms=2)
    recording.complete(ms=5)
    return recording.json()


def _one(origin: Any, **names: str) -> History:
    (history,) = read(origin, **names)
    assert isinstance(history, History), history
    return history


def _reasons(*sources: Any, **names: str) -> list[str]:
    found = list(read(*sources, **names))
    assert all(isinstance(item, Unreadable) for item in found), found
    return [str(item) for item in found]


SHAPES: dict[str, Any] = {
    "SDKs and command line": lambda d: d,
    "the Web UI's download": lambda d: d["events"],
    "a list of histories": lambda d: [d],
    "the HTTP API": lambda d: {"history": d, "rawHistory": [], "nextPageToken": None, "archived": False},
    "newest first": lambda d: {"events": d["events"][::-1]},
    "a map of events": lambda d: {event["eventId"]: event for event in d["events"]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_history(shape: str) -> None:
    document = _document()
    expected = to_spans(_one(json.dumps(document).encode()), CONTENT)
    history = _one(json.dumps(SHAPES[shape](document)).encode())
    assert history.defects == ()
    assert to_spans(history, CONTENT) == expected


def test_one_event_alone_is_a_history_that_has_just_begun() -> None:
    (started, *_) = _document()["events"]
    assert [event.type for event in _one(json.dumps(started).encode()).events] == ["WorkflowExecutionStarted"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_shells_write(encoding: str) -> None:
    assert len(_one(f"\n {json.dumps(_document())}\n".encode(encoding)).events) == 5


def test_compressed_files_and_folders(tmp_path: Path) -> None:
    text = json.dumps(_document()).encode()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(text))
    (tmp_path / "c.JSON").write_bytes(text)
    (tmp_path / "deep" / "a.json.zst").write_bytes(zstandard.compress(text))
    recording = Recording()
    (tmp_path / "deep" / "er" / "d.bin").write_bytes(recording.proto().SerializeToString())
    (tmp_path / "trace.otlp.jsonl").write_text("not a history")
    histories = list(read(tmp_path))
    assert [len(h.events) if isinstance(h, History) else str(h) for h in histories] == [5, 5, 5, 1]
    assert len(_one(str(tmp_path / "b.json.gz")).events) == 5


def test_one_page_of_a_history_says_so() -> None:
    document = {"history": _document(), "nextPageToken": "AAAA"}
    assert _one(json.dumps(document).encode()).defects == ("It is one page of the history: later events are missing.",)


def test_names_come_from_the_caller_then_the_file_then_the_events() -> None:
    document = _document()
    assert _names(document) == ("default", "wf", RUN_ID)
    document |= {"workflowId": "beside", "runId": "real", "namespace": "ns"}
    assert _names(document) == ("ns", "beside", "real")
    given = {"workflow_id": "given", "run_id": "given-run", "namespace": "given-ns"}
    assert _names(document, **given) == ("given-ns", "given", "given-run")


def _names(document: Any, **given: str) -> tuple[str, str, str]:
    history = _one(json.dumps(document).encode(), **given)
    return history.namespace, history.workflow_id, history.run_id


def test_a_reset_run_is_not_called_by_the_base_runs_id() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID)
    for new_run_id in ("between", RUN_ID):
        recording.add("workflow_task_failed", cause="WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW", new_run_id=new_run_id)
    recording.add("workflow_task_failed", cause="WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND", new_run_id="other")
    assert recording.read().run_id == RUN_ID


def test_histories_of_old_servers_need_to_be_told_their_names() -> None:
    document = json.dumps(_document(original_execution_run_id="", workflow_id="")).encode()
    (reason,) = _reasons(document)
    assert reason.endswith(
        "bytes: It does not name its run, as histories of old servers do not: give the run ID with it."
    )
    history = _one(document, run_id="told")
    assert (history.run_id, history.workflow_id) == ("told", "")
    (defect,) = history.defects
    assert defect == "It does not name its workflow, as histories of old servers do not: give the workflow ID with it."


def test_an_sdk_history_takes_the_servers_word_for_its_run_id() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID)
    assert _one(recording.sdk()).run_id == BASE_RUN_ID
    assert _one((recording.sdk(), RUN_ID)).run_id == RUN_ID
    assert _one(recording.sdk(), run_id=RUN_ID, namespace="ns").namespace == "ns"


def test_ids_are_given_with_one_source_only() -> None:
    with pytest.raises(ValueError, match="give them with one source"):
        next(read(b"", b"", run_id="r"))
    two = json.dumps([_document(), _document()]).encode()
    (reason,) = _reasons(two, workflow_id="wf")
    assert reason.endswith("bytes: It holds 2 histories: give IDs only with a file of one.")
    assert len([item for item in read(two) if isinstance(item, History)]) == 2


BROKEN: dict[bytes, str] = {
    b"": "It is empty: export the history again.",
    b" \n": "It is empty: export the history again.",
    b"[]": "Its list of events is empty: export the history again.",
    b"[{}]": "No event has an ID and a time: export the history again.",
    b'{"events":[]}': "Its list of events is empty: export the history again.",
    b'{"events":null}': "Its list of events is empty: export the history again.",
    b'{"history":{}}': "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
    b"{}": "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
    b'{"runs":[1]}': "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
    b'{"events":[{"eventId": 1}': "Its JSON is broken (Input data was truncated): export the history again.",
    b'{"events":7}': "Its JSON is broken (Expected `array | null`, got `int`): export the history again.",
    b"<html>": (
        "It is neither JSON nor a binary history: give a file of `temporal workflow show --output json`, of the Web "
        "UI's download, or a serialised temporal.api.history.v1.History."
    ),
    b'{"eventId":"5","eventTime":"2026-11-23T07:19:26Z","eventType":"TimerFired","timerFiredEventAttributes":{}}': (
        "Its first event is 5 (TimerFired), but event 1 (WorkflowExecutionStarted) says whose history it is: export it "
        "again, whole."
    ),
    b'{"eventId":"1","eventTime":"2026-11-23T07:19:26Z","eventType":1}': (
        "Its event 1 (WorkflowExecutionStarted) is damaged (it has no attributes), but event 1 "
        "(WorkflowExecutionStarted) says whose history it is: export it again, whole."
    ),
    gzip.compress(b"{}", mtime=0)[:-4]: (
        "Its compression is broken (Compressed file ended before the end-of-stream marker was reached): copy the file "
        "again."
    ),
    b"\x28\xb5\x2f\xfd": "It is empty: export the history again.",
}


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_history_is_refused_in_one_sentence(data: bytes) -> None:
    assert _reasons(data) == [f"{len(data)} bytes: {BROKEN[data]}"]


def test_a_source_that_is_refused_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(_document()))
    (tmp_path / "bad.json").write_text("{")
    bad, good = read(tmp_path)
    assert isinstance(bad, Unreadable)
    assert bad.source == str(tmp_path / "bad.json")
    assert isinstance(good, History)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert _reasons(tmp_path / "none.json", tmp_path / "empty", tmp_path / "pipe") == [
        f"{tmp_path}/none.json: It does not exist: check the path.",
        f"{tmp_path}/empty: No file in this folder ends in .json, .json.gz, .json.zst, .bin: give one that does.",
        f"{tmp_path}/pipe: It is neither a file nor a folder.",
    ]


def test_sizes_are_limited_before_and_after_decompression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 1 << 20)
    text = json.dumps(_document()).encode() + b" " * (1 << 20)
    reason = "It is larger than 1 MiB, and no history is."
    monkeypatch.setattr(source, "MAX_BYTES", 1 << 20)
    for data in (text, gzip.compress(text), zstandard.compress(text)):
        assert _reasons(data) == [f"{len(data)} bytes: {reason}"]
    large = tmp_path / "large.json"
    large.write_bytes(text)
    assert _reasons(large) == [f"{large}: {reason}"]

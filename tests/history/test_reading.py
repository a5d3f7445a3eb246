"""Reading: the shapes of files, whose history they are, and refusals."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any, cast

import pytest
import zstandard

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, payload
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, distinct, read, to_spans
from tracing.history.sources import limits

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
    document = {"history": {"events": _document()["events"][:-1]}, "nextPageToken": "AAAA"}
    assert _one(json.dumps(document).encode()).defects == (
        "It is one page of the history: later events are missing. Read it with the other pages.",
    )


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
        "It does not name its run, as histories of old servers do not: export it with --run-id (in Python: run_id=)."
    )
    history = _one(document, run_id="told")
    assert (history.run_id, history.workflow_id) == ("told", "")
    (defect,) = history.defects
    assert defect == (
        "It does not name its workflow, as histories of old servers do not: export it with --workflow-id (in Python: "
        "workflow_id=)."
    )


def test_an_sdk_history_takes_the_servers_word_for_its_run_id() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID)
    assert _one(recording.sdk()).run_id == BASE_RUN_ID
    assert _one((recording.sdk(), RUN_ID)).run_id == RUN_ID
    assert _one(recording.sdk(), run_id=RUN_ID, namespace="ns").namespace == "ns"


def test_ids_are_given_with_one_source_only() -> None:
    with pytest.raises(ValueError, match="give them with one source"):
        read(b"", b"", run_id="r")
    two = json.dumps([_document(), _document()]).encode()
    (reason,) = _reasons(two, workflow_id="wf")
    assert reason.endswith("bytes: It holds several histories: give IDs only with a file of one.")
    assert len([item for item in read(two) if isinstance(item, History)]) == 2


EMPTY_PAGE = (
    "It is a page without events, and nothing says of which history it is the last: put it into a folder with the "
    "other pages of that history alone, or export the history again."
)
BROKEN: dict[bytes, str] = {
    b"": "It is empty: export the history again.",
    b" \n": "It is empty: export the history again.",
    b"[]": "Its list of events is empty: export the history again.",
    b"[{}]": "No event has an ID and a time: export the history again.",
    b'{"events":[]}': EMPTY_PAGE,
    b'{"events":null}': EMPTY_PAGE,
    b'{"history":{}}': EMPTY_PAGE,
    b"{}": "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
    b'{"runs":[1]}': "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
    b'{"events":[{"eventId": 1}': "Its JSON is broken (Input data was truncated): export the history again.",
    b'{"events":7}': "Its JSON is broken (Expected `array | null`, got `int`): export the history again.",
    b"<html>": (
        "It is neither JSON nor a binary history: give a file of `temporal workflow show --output json`, of the Web "
        "UI's download, a serialised temporal.api.history.v1.History, or an object of Temporal Cloud's export."
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
    zstandard.compress(b"{}")[:-1]: (
        "Its compression is broken (Compressed file ended in the middle of a frame): copy the file again."
    ),
}


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_history_is_refused_in_one_sentence(data: bytes) -> None:
    assert _reasons(data) == [f"{len(data)} bytes: {BROKEN[data]}"]


def test_pipes_in_a_folder_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert _reasons(tmp_path) == [
        f"{tmp_path}/pipe.json: It is neither a file nor a folder: save what it gives to a file, and give that."
    ]


def test_a_link_that_leads_nowhere_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "circle.json").symlink_to("circle.json")
    (tmp_path / "gone.json").symlink_to("nowhere")
    (tmp_path / "run.json").write_text(json.dumps(_document()))
    nowhere = "It is a link that leads nowhere: mend it, or take it away."
    found = list(read(tmp_path))
    assert [str(item) for item in found if isinstance(item, Unreadable)] == [
        f"{tmp_path}/circle.json: {nowhere}",
        f"{tmp_path}/gone.json: {nowhere}",
    ]
    assert [len(item.events) for item in found if not isinstance(item, Unreadable)] == [5]


def test_an_empty_path_is_not_the_current_folder() -> None:
    assert list(read("")) == [Unreadable("", "The path is empty: check what it was made from.")]


def test_the_text_of_a_history_is_no_path() -> None:
    text = Recording().sdk().to_json()
    assert list(read(text)) == [
        Unreadable(f"{len(text)} characters", "A str is a path, and this is a history's text: give its bytes.")
    ]


def test_what_is_no_source_is_named() -> None:
    with pytest.raises(TypeError, match=r"^read\(\) takes paths, bytes and WorkflowHistory, not dict$"):
        list(read(cast("Any", _document())))
    with pytest.raises(
        TypeError, match=r"^to_spans\(\) takes a History, which read\(\) gives, and not WorkflowHistory$"
    ):
        to_spans(cast("Any", Recording().sdk()))


def test_a_folder_is_listed_in_the_order_of_its_paths_and_one_by_one(tmp_path: Path) -> None:
    for name in ("b/c.json", "a/z.json", "a/deep/y.json", "a.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(_document()))
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    found = read(tmp_path)
    assert _source(next(found), tmp_path) == "a/deep/y.json"
    (tmp_path / "b" / "late.json").write_text(json.dumps(_document()))
    assert [_source(item, tmp_path) for item in found] == ["a/z.json", "a.json", "b/c.json", "b/late.json"]


def _source(item: History | Unreadable, folder: Path) -> str:
    assert isinstance(item, History), item
    return Path(item.source).relative_to(folder).as_posix()


def test_file_urls_are_local_paths_and_others_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a b.json").write_text(json.dumps(_document()))
    assert len(_one((tmp_path / "a b.json").as_uri()).events) == 5
    other = "It is no kind of path that is read: give a local path, s3://… or gs://…."
    for url in ("https://example.com/h.json", "zip://h.json::s3://bucket/all.zip", "zip::file:///h.zip", "memory://h"):
        assert _reasons(url) == [f"{url}: {other}"]


def test_a_run_that_comes_twice_is_given_once() -> None:
    one, same, other = Recording(), Recording(), Recording(run_id=BASE_RUN_ID)
    sources = [recording.proto().SerializeToString() for recording in (one, same, other)]
    found = list(distinct(read(*sources, b"{")))
    assert [item.run_id if isinstance(item, History) else item.reason for item in found] == [
        RUN_ID,
        BASE_RUN_ID,
        "Its JSON is broken (Input data was truncated): export the history again.",
    ]
    in_two_namespaces = [*read(sources[0], namespace="one"), *read(sources[1], namespace="two")]
    assert list(distinct(in_two_namespaces)) == in_two_namespaces


def test_a_source_that_is_refused_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(_document()))
    (tmp_path / "bad.json").write_text("{")
    bad, good = read(tmp_path)
    assert isinstance(bad, Unreadable)
    assert bad.source == str(tmp_path / "bad.json")
    assert isinstance(good, History)


def test_a_list_of_histories_with_a_broken_one() -> None:
    items = [_document(), {"events": 7}, {"events": []}, 7, _document()]
    found = list(read(json.dumps(items).encode()))
    assert [item.reason if isinstance(item, Unreadable) else len(item.events) for item in found] == [
        5,
        "Its JSON is broken (Expected `array | null`, got `int`): export the history again.",
        "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
        5,
        EMPTY_PAGE,  # perhaps another file holds the pages before it: it is told when all are read
    ]


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert _reasons(tmp_path / "none.json", tmp_path / "empty", tmp_path / "pipe") == [
        f"{tmp_path}/none.json: It does not exist: check the path.",
        (
            f"{tmp_path}/empty: No file in this folder ends in .json, .json.gz, .json.zst, .bin, and none is of "
            "Temporal Cloud's export (YYYY/MM/DD/HH/MM/NAME): give one that does."
        ),
        f"{tmp_path}/pipe: It is neither a file nor a folder: save what it gives to a file, and give that.",
    ]


def test_sizes_are_limited_before_and_after_decompression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    text = json.dumps(_document()).encode() + b" " * (1 << 20)
    reason = "It is larger than 1 MiB, and no history is."
    for data in (text, gzip.compress(text), zstandard.compress(text)):
        assert _reasons(data) == [f"{len(data)} bytes: {reason}"]
    large = tmp_path / "large.json"
    large.write_bytes(text)
    assert _reasons(large) == [f"{large}: {reason}"]

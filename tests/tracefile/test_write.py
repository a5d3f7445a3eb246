"""Writing a run's trace and its history."""

from __future__ import annotations

import gzip
import json
import os
import stat
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import zstandard
from temporalio.client import WorkflowHistory

from tracing.history import History, read
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.compression import Compression
from tracing.tracefile.read import read_trace
from tracing.tracefile.write import write_history, write_trace

STEP = Span(0xA1, 0xB2, 0xB1, "Timer", SpanKind.INTERNAL, 5, 7, {"temporal.timer.id": "1"})
LINE = (
    b'{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"scope":{"name":"durable-trace"},"spans":[{"traceId"'
    b':"000000000000000000000000000000a1","spanId":"00000000000000b2","name":"Timer","kind":1,"startTimeUnixNano":"5",'
    b'"attributes":[{"key":"temporal.timer.id","value":{"stringValue":"1"}}],"status":{},"parentSpanId":"00000000000000b1"'
    b',"endTimeUnixNano":"7"}]}]}]}\n'
)


def test_a_trace_file_holds_one_request_a_line(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "new" / "folder", "run", [STEP])
    assert path == tmp_path / "new" / "folder" / "run.otlp.jsonl"
    assert path.read_bytes() == LINE


def test_many_spans_are_written_in_lines_of_500(tmp_path: Path) -> None:
    path = write_trace(tmp_path, "run", (STEP for _ in range(1001)))
    assert [line.count(b'"spanId"') for line in path.read_bytes().splitlines()] == [500, 500, 1]


@pytest.mark.parametrize(("compression", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_compressed_traces_are_the_same_bytes_each_time(tmp_path: Path, compression: Compression, suffix: str) -> None:
    first = write_trace(tmp_path / "first", "run", [STEP], compression=compression)
    again = write_trace(tmp_path / "again", "run", [STEP], compression=compression)
    assert first.name == f"run.otlp.jsonl{suffix}"
    assert first.read_bytes() == again.read_bytes()
    unpack = gzip.decompress if compression == "gzip" else _unzstd
    assert unpack(first.read_bytes()) == LINE


def _unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, compression: Compression | None) -> None:
    path = write_trace(tmp_path, "run", [STEP], compression=compression)
    before = path.read_bytes()

    def failing() -> Iterator[Span]:
        yield from [STEP] * 600
        raise RuntimeError("the history ends here")

    with pytest.raises(RuntimeError, match="the history ends here"):
        write_trace(tmp_path, "run", failing(), compression=compression)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_has_its_name_only_when_it_is_complete(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def spans() -> Iterator[Span]:
        yield STEP
        seen.append([path.suffix for path in tmp_path.iterdir()])

    path = write_trace(tmp_path, "run", spans())
    assert seen == [[".part"]]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../run", "a/b", "", ".."])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a run's files"):
        write_trace(tmp_path / "folder", name, [STEP])
    with pytest.raises(ValueError, match="cannot name a run's files"):
        write_history(tmp_path / "folder", name, HISTORY, run_id="r", namespace="n", workflow_id="w")
    assert list(tmp_path.iterdir()) == []


def test_zstd_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ValueError, match=r"zstd needs a package: pip install 'durable-trace\[zstd\]'"):
        write_trace(tmp_path, "run", [STEP], compression="zstd")
    assert list(tmp_path.iterdir()) == []


# --- histories ---

HISTORY: dict[str, Any] = {
    "events": [
        {
            "eventId": "1",
            "eventTime": "2026-11-23T09:00:00.000000001Z",
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
            "workflowExecutionStartedEventAttributes": {
                "workflowType": {"name": "Research"},
                "originalExecutionRunId": "base-run",
            },
        },
        {"eventId": "2", "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED"},
    ]
}
WHOSE = {"workflowId": "research-1", "runId": "real-run", "namespace": "default"}


FORMS: dict[str, tuple[WorkflowHistory | Mapping[str, Any] | bytes, str]] = {
    "the SDK's history": (WorkflowHistory.from_json("research-1", HISTORY), ""),
    "parsed JSON": (HISTORY, "research-1"),
    "JSON": (json.dumps(HISTORY, indent=2).encode(), "research-1"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_history_file_says_whose_it_is_beside_its_events(tmp_path: Path, form: str) -> None:
    history, workflow_id = FORMS[form]
    path = write_history(tmp_path, "run", history, run_id="real-run", namespace="default", workflow_id=workflow_id)
    content = json.loads(path.read_bytes())
    assert path == tmp_path / "run.history.json"
    assert {key: content[key] for key in WHOSE} == WHOSE
    assert list(content) == ["workflowId", "runId", "namespace", "events"]
    assert [event["eventId"] for event in content["events"]] == ["1", "2"]


def test_the_sdk_reads_a_history_file(tmp_path: Path) -> None:
    history = WorkflowHistory.from_json("research-1", HISTORY)
    path = write_history(tmp_path, "run", history, run_id="real-run", namespace="default")
    assert WorkflowHistory.from_json("research-1", path.read_text()) == history


def test_json_is_kept_to_the_last_digit(tmp_path: Path) -> None:
    raw = '{"events": [{"eventId": "1", "decoded": 1.00000000000000000001, "big": 12345678901234567890123}]}'
    path = write_history(tmp_path, "run", raw.encode(), run_id="r", namespace="n", workflow_id="w")
    assert path.read_text() == '{"workflowId": "w", "runId": "r", "namespace": "n", ' + raw[1:]


@pytest.mark.parametrize("parse", [json.loads, str.encode])
def test_text_that_utf8_cannot_hold_is_kept(tmp_path: Path, parse: Callable[[str], dict[str, Any] | bytes]) -> None:
    raw = '{"events": [{"eventId": "1", "summary": "half a \\ud83d smile", "big": 12345678901234567890123}]}'
    path = write_history(tmp_path, "run", parse(raw), run_id="r", namespace="n", workflow_id="w")
    assert path.read_text() == '{"workflowId": "w", "runId": "r", "namespace": "n", ' + raw[1:]


def test_a_history_is_private_from_its_creation_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    really_open = os.open

    def watched(path: Any, flags: int, mode: int = 0o777) -> int:
        descriptor = really_open(path, flags, mode)
        if flags & os.O_CREAT:
            opened.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    older = tmp_path / "run.history.json"
    older.write_text("readable by all")
    older.chmod(0o644)
    path = write_history(tmp_path, "run", HISTORY, run_id="r", namespace="n", workflow_id="w")
    assert opened == [0o600]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_history_can_be_compressed(tmp_path: Path) -> None:
    path = write_history(tmp_path, "run", HISTORY, run_id="r", namespace="n", workflow_id="w", compression="gzip")
    assert path.name == "run.history.json.gz"
    assert json.loads(gzip.decompress(path.read_bytes()))["events"] == HISTORY["events"]


@pytest.mark.parametrize(
    "history", [b"", b"[]", b'{"events": 1}', b'{"events": []}', b'{"events": [', {}, {"events": []}]
)
def test_a_history_without_events_is_refused(tmp_path: Path, history: bytes | dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=r'The history for run has no events: give Temporal\'s JSON, {"events": \[…\]}.'
    ):
        write_history(tmp_path, "run", history, run_id="r", namespace="n", workflow_id="w")
    assert list(tmp_path.iterdir()) == []


def test_a_history_must_say_its_workflow_id(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not say its workflow ID: give it as workflow_id"):
        write_history(tmp_path, "run", HISTORY, run_id="r", namespace="n")


def test_a_history_that_was_read_knows_whose_it_is(tmp_path: Path) -> None:
    (history,) = read(json.dumps(HISTORY).encode(), workflow_id="research-1", raw=True)
    assert isinstance(history, History)
    path = write_history(tmp_path, "run", history)
    whose = {"workflowId": "research-1", "runId": "base-run", "namespace": "default"}
    assert json.loads(path.read_text()) == whose | HISTORY
    told = write_history(tmp_path, "told", history, workflow_id="w", run_id="r", namespace="n")
    assert json.loads(told.read_text()) == {"workflowId": "w", "runId": "r", "namespace": "n"} | HISTORY


def test_a_history_that_was_read_without_its_json_says_how_to_read_it(tmp_path: Path) -> None:
    (history,) = read(json.dumps(HISTORY).encode())
    assert isinstance(history, History)
    with pytest.raises(
        ValueError, match=r"The history for run was read without its events as JSON: give read\(\) raw=True"
    ):
        write_history(tmp_path, "run", history)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("missing", "called"), [("run_id", "run ID"), ("namespace", "namespace")])
def test_what_the_json_of_a_history_lacks_must_be_given(tmp_path: Path, missing: str, called: str) -> None:
    known = {"workflow_id": "w", "run_id": "r", "namespace": "n"} | {missing: ""}
    with pytest.raises(ValueError, match=f"does not say its {called}: give it as {missing}"):
        write_history(tmp_path, "run", HISTORY, **known)


def test_a_long_history_is_written_without_a_copy_of_it_in_memory(tmp_path: Path) -> None:
    document = HISTORY["events"][0] | {"filler": "x" * 1_000_000}
    events = [document, *({"eventId": str(n), "filler": "x" * 1_000_000} for n in range(2, 12))]
    (history,) = read(json.dumps({"events": events}).encode(), workflow_id="w", raw=True)
    assert isinstance(history, History)
    tracemalloc.start()
    try:
        write_history(tmp_path, "run", history)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # An event is joined to what stands before it: one event at a time, of eleven.
    assert peak < 3_000_000


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    for compression in (None, "gzip", "zstd"):
        reading = read_trace(write_trace(tmp_path, "run", [STEP] * 3, compression=compression))
        assert (list(reading), reading.defects) == ([STEP] * 3, [])

"""What the commands take as histories: every shape, from every place."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from temporalio.api.export.v1 import WorkflowExecution, WorkflowExecutions
from temporalio.client import WorkflowHistory

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, payload
from tracing.cli import OK, SOME_FAILED, USAGE, run
from tracing.history import History, read, to_spans

EXPORT = "temporal-workflow-history/export/orders.a1b2c/2026/11/23/07/00/7f3c0b"


def _recording(run_id: str = RUN_ID) -> Recording:
    recording = Recording(run_id=run_id)
    activity = recording.activity(recording.task())
    recording.attempt(activity)
    recording.complete_activity(activity, payload())
    recording.task()
    recording.complete()
    return recording


def _cloud_object(*run_ids: str) -> bytes:
    items = [WorkflowExecution(history=_recording(run_id).proto()) for run_id in run_ids]
    return WorkflowExecutions(items=items).SerializeToString()


def _command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any, str]:
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


SHAPES: dict[str, Any] = {
    "binary": lambda r: r.proto().SerializeToString(),
    "bare list, newest first": lambda r: json.dumps(r.json()["events"][::-1]).encode(),
    "page": lambda r: json.dumps({"history": r.json()}).encode(),
    "object of Temporal Cloud": lambda _: _cloud_object(RUN_ID),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_export_writes_the_history_beside_the_trace_whatever_its_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    source, folder = tmp_path / "history.bin", tmp_path / "traces"
    source.write_bytes(SHAPES[shape](_recording()))
    code, printed, complaints = _command(capsys, "export", source, "-o", folder, "--with-history", "--json")
    assert (code, printed["failed"], complaints) == (OK, [], "")
    written = folder / f"wf_{RUN_ID}.history.json"
    assert sorted(folder.glob("wf_*")) == [written, folder / f"wf_{RUN_ID}.otlp.jsonl"]
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    document = json.loads(written.read_text())
    assert [document[key] for key in ("workflowId", "runId", "namespace")] == ["wf", RUN_ID, "default"]
    assert document["events"] == _recording().json()["events"]
    assert WorkflowHistory.from_json("wf", written.read_text()) == _recording().sdk()
    again, original = read(written, source)
    assert isinstance(again, History)
    assert isinstance(original, History)
    assert to_spans(again) == to_spans(original)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is in gs://bucket."""
    files = DirFileSystem(path=str(tmp_path / "google"), fs=LocalFileSystem())
    monkeypatch.setattr(fsspec, "filesystem", lambda _scheme, **_: files)
    folder = tmp_path / "google" / "bucket"
    (folder / EXPORT).parent.mkdir(parents=True)
    (folder / EXPORT).write_bytes(_cloud_object(RUN_ID, BASE_RUN_ID))
    return folder


def test_export_reads_buckets(bucket: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bucket / "broken.json").write_text("{")
    code, printed, _ = _command(
        capsys, "export", "gs://bucket", "https://example.com/h.json", "-o", tmp_path / "traces", "--json", "--jobs", 1
    )
    assert code == SOME_FAILED
    assert sorted(each["run_id"] for each in printed["exported"]) == [BASE_RUN_ID, RUN_ID]
    assert printed["failed"] == [
        "gs://bucket/broken.json: Its JSON is broken (Input data was truncated): export the history again.",
        "https://example.com/h.json: It is no kind of path that is read: give a local path, s3://… or gs://….",
    ]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_pages_that_a_server_gave_with_an_empty_one_at_the_end_are_one_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: int
) -> None:
    events = _recording().json()["events"]
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "1.json").write_text(json.dumps({"history": {"events": events[:4]}, "nextPageToken": "AAAA"}))
    (pages / "2.json").write_text(json.dumps({"history": {"events": events[4:]}, "nextPageToken": "BBBB"}))
    (pages / "3.json").write_text(json.dumps({"history": {}}))
    code, printed, complaints = _command(
        capsys, "export", pages, "-o", tmp_path / "traces", "--with-history", "--jobs", jobs, "--json"
    )
    assert (code, printed["failed"], complaints) == (OK, [], "")
    assert [each["run_id"] for each in printed["exported"]] == [RUN_ID]
    assert json.loads((tmp_path / "traces" / f"wf_{RUN_ID}.history.json").read_text())["events"] == events
    code, printed, complaints = _command(capsys, "cost", pages, "--json")
    assert (code, complaints) == (OK, "")


def test_a_page_that_was_alone_is_read_again_with_those_that_are_put_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = _recording().json()["events"]
    pages, traces = tmp_path / "pages", tmp_path / "traces"
    pages.mkdir()
    (pages / "1.json").write_text(json.dumps({"history": {"events": events[:4]}, "nextPageToken": "AAAA"}))
    code, printed, complaints = _command(capsys, "export", pages, "-o", traces, "--json")
    assert (code, len(printed["failed"])) == (SOME_FAILED, 1)
    assert "later events are missing" in complaints
    (pages / "2.json").write_text(json.dumps({"history": {"events": events[4:]}}))
    for _ in range(2):
        code, printed, complaints = _command(capsys, "export", pages, "-o", traces, "--json")
        assert (code, printed["failed"], complaints) == (OK, [], "")
        [exported] = printed["exported"]
        assert (exported["run_id"], exported["spans"], exported["open"]) == (RUN_ID, 3, False)


def test_a_page_that_is_missing_is_named_once_by_the_pages_as_they_were_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    events = _recording().json()["events"]
    monkeypatch.chdir(tmp_path)
    for number, (first, last) in enumerate(((0, 2), (2, 4), (4, 6)), 1):
        page = {"history": {"events": events[first:last]}, "nextPageToken": "AAAA"}
        (tmp_path / f"{number}.json").write_text(json.dumps(page))
    missing = "It is one page of the history: later events are missing. Read it with the other pages."
    for named in ([".", "3.json"], ["3.json", "1.json", "2.json"]):
        code, printed, complaints = _command(capsys, "cost", *named, "--json")
        told = [f"1.json + 2.json + 3.json: {missing}"]
        assert (code, printed["failed"], complaints.count("\n")) == (SOME_FAILED, told, 1)
    assert run(["report", ".", "-o", "report.html"]) == SOME_FAILED
    assert capsys.readouterr().err == f"durable-trace: {told[0]}\n"


def test_what_is_wrong_with_a_history_names_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = _recording().json()
    del document["events"][5]
    source = tmp_path / "gap.json"
    source.write_text(json.dumps(document))
    code, printed, _ = _command(capsys, "export", source, "-o", tmp_path / "traces", "--json")
    assert code == SOME_FAILED
    assert len(printed["exported"]) == 1
    assert printed["failed"] == [f"{source}: Event 6 is missing."]


def test_a_history_that_names_no_workflow_and_no_run_takes_their_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = _recording().json()
    started = document["events"][0]["workflowExecutionStartedEventAttributes"]
    for name in ("workflowId", "originalExecutionRunId"):
        started.pop(name, None)
    source = tmp_path / "nameless.json"
    source.write_text(json.dumps({"events": document["events"]}))
    export = ("export", source, "-o", tmp_path / "traces", "--json")

    code, printed, _ = _command(capsys, *export)
    assert (code, printed["failed"]) == (
        SOME_FAILED,
        [
            (
                f"{source}: It does not name its run, as histories of old servers do not: export it with --run-id (in "
                "Python: run_id=)."
            )
        ],
    )
    code, printed, _ = _command(capsys, *export, "--run-id", RUN_ID)
    assert (code, printed["failed"]) == (
        SOME_FAILED,
        [
            (
                f"{source}: It does not name its workflow, as histories of old servers do not: export it with "
                "--workflow-id (in Python: workflow_id=)."
            )
        ],
    )
    code, printed, _ = _command(capsys, *export, "--run-id", RUN_ID, "--workflow-id", "agent-1")
    assert (code, printed["failed"]) == (OK, [])
    assert [(each["workflow_id"], each["run_id"]) for each in printed["exported"]] == [("agent-1", RUN_ID)]


def test_ids_of_one_run_are_not_given_to_the_histories_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, run_id in (("a.json", RUN_ID), ("b.json", BASE_RUN_ID)):
        (tmp_path / name).write_text(json.dumps(_recording(run_id).json()))
    assert run(["export", str(tmp_path), "--run-id", "x", "-o", str(tmp_path / "traces")]) == USAGE
    assert "--workflow-id and --run-id name one run: of files, give one." in capsys.readouterr().err


def test_whether_a_file_can_be_read_is_seen_by_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reading it says so: a question beforehand, such as click's, would cost all of them."""
    source = tmp_path / "readable.json"
    source.write_text(json.dumps(_recording().json()))
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    code, printed, _ = _command(capsys, "export", source, "-o", tmp_path / "traces", "--json")
    assert (code, len(printed["exported"])) == (OK, 1)


def test_names_in_an_object_choose_no_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = Recording(run_id="../../../run", workflow_id="../../../../etc/\x1b[31mwf")
    hostile = WorkflowExecutions(items=[WorkflowExecution(history=recording.proto())]).SerializeToString()
    source = tmp_path / "temporal-workflow-history/export/..%2f..\x1b[0m/2026/11/23/07/00/o"
    source.parent.mkdir(parents=True)
    source.write_bytes(hostile)
    folder = tmp_path / "out" / "traces"
    assert run(["export", str(source), "-o", str(folder), "--with-history"]) == OK
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert [path.parent for path in (tmp_path / "out").rglob("*run*") if path.is_file()] == [folder, folder]


@pytest.mark.parametrize("source", ["gs://bucket", "tree"])
def test_cost_reads_buckets_and_trees_and_counts_a_run_once(
    bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    (bucket / EXPORT).with_name("again").write_bytes(_cloud_object(RUN_ID))  # Temporal Cloud delivers at least once
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tree").symlink_to(bucket)
    code, printed, complaints = _command(capsys, "cost", source, "--json")
    assert (code, complaints) == (OK, "")
    assert printed["total"]["runs"] == 2

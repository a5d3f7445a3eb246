"""Objects of Temporal Cloud's history export, made with the messages that Temporal Cloud writes."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from temporalio.api.export.v1 import ExportedExecutions, WorkflowExecution, WorkflowExecutions
from temporalio.api.history.v1 import History as HistoryProto
from temporalio.client import WorkflowHistory

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans
from tracing.history.sources import limits
from tracing.history.sources.binary import executions

DATA = Path(__file__).parents[2] / "data"
OBJECT = "temporal-workflow-history/export/orders.a1b2c/2026/11/23/07/00/7f3c0b"
CONTENT = TracingConfig(capture_content=True)


def _recorded(name: str) -> HistoryProto:
    path = DATA / name
    if path.suffix == ".bin":
        return HistoryProto.FromString(path.read_bytes())
    return HistoryProto(events=WorkflowHistory.from_json("", path.read_text()).events)


def _object(*histories: HistoryProto) -> bytes:
    return WorkflowExecutions(items=[WorkflowExecution(history=history) for history in histories]).SerializeToString()


def _put(folder: Path, data: bytes, path: str = OBJECT) -> Path:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    return folder / path


def test_an_object_holds_many_runs_with_their_real_run_ids_and_the_namespace_of_its_path(tmp_path: Path) -> None:
    path = _put(tmp_path, _object(_recorded("live/first-run.json"), _recorded("live/reset-run.json")))
    found = list(read(path))
    assert [(item.namespace, item.run_id, item.source) for item in found if isinstance(item, History)] == [
        ("orders.a1b2c", "01a20746-15c7-70e5-b155-7c6b50432598", f"{path}[1]"),
        ("orders.a1b2c", "cca9a6ec-e9b6-49a1-a26f-cd655dafa13f", f"{path}[2]"),
    ]
    for item, file in zip(found, ("live/first-run.json", "live/reset-run.json"), strict=True):
        (alone,) = read(DATA / file, namespace="orders.a1b2c")
        assert isinstance(item, History)
        assert isinstance(alone, History)
        assert to_spans(item, CONTENT) == to_spans(alone, CONTENT)


def test_the_namespace_that_is_given_wins(tmp_path: Path) -> None:
    _put(tmp_path, _object(Recording().proto()))
    assert [item.namespace for item in read(tmp_path, namespace="given") if isinstance(item, History)] == ["given"]


def test_a_folder_of_an_export_is_found_without_extensions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(tmp_path, _object(Recording().proto()))
    _put(tmp_path, _object(Recording(run_id=BASE_RUN_ID).proto()), "copied/2026/11/23/08/00/0a1b")
    _put(tmp_path, b"not read", "copied/README")
    _put(tmp_path, b"not read", "copied/2026/11/23/08/00/notes.txt")
    found = [item for item in read(tmp_path) if isinstance(item, History)]
    assert [(item.namespace, item.run_id) for item in found] == [("default", BASE_RUN_ID), ("orders.a1b2c", RUN_ID)]
    # The namespace is known wherever below the export the user stands.
    monkeypatch.chdir(tmp_path / "temporal-workflow-history/export/orders.a1b2c/2026")
    assert [item.namespace for item in read(".") if isinstance(item, History)] == ["orders.a1b2c"]


@pytest.mark.parametrize(
    "path",
    [*sorted(path.relative_to(DATA).as_posix() for path in DATA.rglob("*.bin")), "live/first-run.json"],
)
def test_histories_and_objects_are_told_apart_by_content(path: str) -> None:
    history = _recorded(path)
    (alone,) = read(history.SerializeToString())
    for data in (_object(history), _object(HistoryProto(), history), gzip.compress(_object(history))):
        *empty, item = read(data)
        assert isinstance(alone, History)
        assert isinstance(item, History)
        assert to_spans(item, CONTENT) == to_spans(alone, CONTENT)
        assert [str(each).partition(": ")[2] for each in empty] == (
            ["No event has an ID and a time: export the history again."] if empty else []
        )


def test_runs_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one = _object(Recording().proto())
    # The whole object is larger than a history may be.
    monkeypatch.setattr(limits, "MAX_BYTES", 2 * len(one))
    stream = io.BytesIO(one * 1000)
    found = executions(stream, raw=False)
    next(found)
    assert stream.tell() == len(one)
    assert len([item for item in read(one * 1000) if isinstance(item, History)]) == 1000


def test_a_broken_run_does_not_stop_the_others() -> None:
    good = _object(Recording().proto())
    broken = b"\x0a\x04\x0a\x02\x0a\x7f"
    assert [_short(item) for item in read(good + broken + good)] == [
        RUN_ID,
        "It cannot be decoded: copy the object again.",
        RUN_ID,
    ]
    assert [_short(item) for item in read(good + good[:-7])] == [
        RUN_ID,
        "The object ends in the middle of run 2: copy it again.",
    ]


def test_a_size_that_lies_is_refused() -> None:
    assert [_short(item) for item in read(_object(Recording().proto()) + b"\x0a\xff\xff\xff\xff\xff\xff\x7f")] == [
        RUN_ID,
        "It is larger than 512 MiB, and no history is.",
    ]


def test_standalone_activities_are_named() -> None:
    message = ExportedExecutions(workflows=[WorkflowExecution(history=Recording().proto())])
    message.activities.add().activity.SetInParent()
    assert [_short(item) for item in read(message.SerializeToString())] == [
        RUN_ID,
        "1 standalone activities in this object have no history of events and are left out.",
    ]


def _short(item: History | Unreadable) -> str:
    return item.run_id if isinstance(item, History) else item.reason

"""Which runs does an argument of `cost`, `compare` and `report` mean?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.history.recording import Recording
from tracing.cli.connection import Connection, TemporalUnreachableError
from tracing.cli.runs import load
from tracing.cost import account
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from temporalio.client import Client


@pytest.mark.parametrize("names", [("1-open", "2-closed"), ("2-open", "1-closed")])
def test_of_a_run_exported_twice_into_one_folder_the_closed_one_counts(tmp_path: Path, names: tuple[str, str]) -> None:
    recording = Recording()
    scheduled = recording.activity(recording.task())
    write_trace(tmp_path, names[0], recording.spans())
    recording.attempt(scheduled)
    recording.complete_activity(scheduled)
    recording.complete()
    write_trace(tmp_path, names[1], recording.spans())

    loaded = load(str(tmp_path))

    assert (loaded.failures, len(loaded.spans)) == ([], 3)
    run = account(loaded.spans)
    assert (run.status, [step.closed for step in run.steps]) == ("completed", [True])


@pytest.mark.parametrize(
    "name", ["traces/run-1", "run.otlp.jsonl", "nowhere/run.json", "./run", "tables/", "a.JSON.gz"]
)
def test_what_looks_like_a_path_is_asked_of_no_server(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traces").mkdir()

    [failure] = load(name, connection=_Unused()).failures

    assert failure.startswith(f"{name}: there is no such file or folder: check the path.")


@pytest.mark.parametrize("workflow_id", ["agent-1", "orders/2026/17", "x" * 1000])
def test_anything_else_is_a_workflow_id(workflow_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert load(workflow_id, connection=_Unused()).failures == [
        f"{workflow_id}: no such file. As a workflow ID: the server is asked"
    ]


def test_an_empty_argument_is_not_the_current_folder() -> None:
    assert load("").failures == ["An argument is empty: check what it was made from."]


@pytest.mark.parametrize(
    ("content", "failures"),
    [
        ('{"saved_usd": 1, "steps": []}', 0),  # a comparison, a package.json
        ("{}", 1),
        ('{"code": 5, "message": "workflow not found", "details": []}', 1),
        ('{"events": [', 1),
    ],
)
def test_json_of_another_kind_lies_beside_runs_unless_it_may_be_a_history_that_was_lost(
    content: str, failures: int, tmp_path: Path
) -> None:
    recording = Recording()
    recording.complete()
    write_trace(tmp_path, "run", recording.spans())
    (tmp_path / "other.json").write_text(content)

    assert len(load(str(tmp_path)).failures) == failures
    assert len(load(str(tmp_path / "other.json")).failures) == 1


def test_links_that_lead_back_or_nowhere_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    recording = Recording()
    recording.complete()
    write_trace(tmp_path, "run", recording.spans())
    (tmp_path / "back.otlp.jsonl").symlink_to("back.otlp.jsonl")
    (tmp_path / "gone.json").symlink_to("nowhere")
    (tmp_path / "folder").symlink_to(".")

    loaded = load(str(tmp_path))

    assert len(loaded.spans) == 1
    assert loaded.failures == [
        f"{tmp_path / name}: It is a link that leads nowhere: mend it, or take it away."
        for name in ("back.otlp.jsonl", "gone.json")
    ]


class _Unused(Connection):
    """A server that must not be reached."""

    async def connect(self) -> Client:
        raise TemporalUnreachableError("the server is asked")

"""`durable-trace replay`: many histories, in processes of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tracefile.conftest import receiver
from tracing import conventions as c
from tracing.cli import OK, SOME_FAILED, USAGE, run
from tracing.cli.replay_report import report
from tracing.replay import Command, Divergence, Replay, SourceLine
from tracing.replay.job import Replayed
from tracing.tracefile.read import read_trace

if TYPE_CHECKING:
    from tests.tracefile.conftest import Receiver

__all__ = ["receiver"]

RECORDED = Path(__file__).parents[1] / "replay" / "recorded"
SHOP, RESEARCH = RECORDED / "shop.history.json", RECORDED / "research.history.json"
TODAY = ("--workflow", "tests.replay.shop", "--workflow", "tests.replay.workflows:Research")
CHANGED = ("--workflow", "tests.replay.changed_shops:BooksInsteadOfReserving")


class TestReport:
    def test_a_table_with_all_and_a_block_for_each_that_is_not_reproduced(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        report(
            [
                Replayed("a.json", "reproduced", "", "Shop", _replay(), reused_steps=7),
                Replayed("b.json", "diverged", "[TMPRL1100] Nondeterminism error", "Shop", _replay(_DIVERGENCE)),
                Replayed("c.json", "unreadable", "It does not exist: check the path."),
            ]
        )

        printed = capsys.readouterr()
        assert [line.split() for line in printed.out.splitlines()[4:7]] == [
            ["a.json", "Shop", "✓", "reproduced", "7", "12"],
            ["b.json", "Shop", "✗", "diverged", "0", "12"],
            ["c.json", "✗", "unreadable"],
        ]
        assert printed.out.splitlines()[-1] == (
            "1 reproduced, 1 diverged, 1 unreadable · 0 model calls: no connection was tried"
        )
        assert (
            printed.err
            == """\
✗ b.json: diverged at event 9
    expected: activity 'reserve' (ID 1)
    actual:   activity 'book' (ID 1)
    line:     shop.py:38 in Shop.run
    reason:   [TMPRL1100] Nondeterminism error
✗ c.json: unreadable
    reason:   It does not exist: check the path.
"""
        )

    def test_names_from_histories_are_shown_not_obeyed(self, capsys: pytest.CaptureFixture[str]) -> None:
        report([Replayed("a.json", "failed", "\x1b[31m[bold]red", "\x1b]0;Shop\x07", _replay())])

        printed = capsys.readouterr()
        assert "\x1b" not in printed.out + printed.err
        assert "[bold]red" in printed.err

    def test_no_proof_where_a_connection_was_tried(self, capsys: pytest.CaptureFixture[str]) -> None:
        report([Replayed("a.json", "failed", "Workflow code tried to connect", "Shop", _replay(guarded=False))])

        assert capsys.readouterr().out.splitlines()[-1] == "1 failed"


@pytest.mark.slow
class TestCommand:
    def test_a_folder_of_histories(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        status = run(["replay", str(RECORDED), *TODAY, "-o", str(tmp_path), "--json"])

        found = json.loads(capsys.readouterr().out)
        assert status == OK
        assert found["failed"] == []
        assert [
            (each["workflow_type"], each["outcome"], each["reused_steps"], each["llm_calls"])
            for each in found["replays"]
        ] == [("Research", "reproduced", 2, 0), ("Shop", "reproduced", 7, 0)]
        for each in found["replays"]:
            spans = list(read_trace(Path(each["file"])))
            assert {span.attributes[c.REPLAY_ID] for span in spans if span.parent_id is None} == {each["replay_id"]}

    def test_several_processes_say_the_same(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        for number in range(4):
            shutil.copy(RESEARCH, tmp_path / f"{number}.json")
        (tmp_path / "2.json").write_text("{}")

        status = run(["replay", str(tmp_path), *TODAY, "--jobs", "2", "--json"])

        outcomes = [each["outcome"] for each in json.loads(capsys.readouterr().out)["replays"]]
        assert (status, outcomes) == (SOME_FAILED, ["reproduced", "reproduced", "unreadable", "reproduced"])

    def test_json_of_another_kind_beside_histories_is_skipped_and_named_itself_a_failure(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        shutil.copy(RESEARCH, tmp_path)
        (tmp_path / "compare.json").write_text('{"saved_usd": 1}')

        assert run(["replay", str(tmp_path), *TODAY]) == OK
        assert "1 reproduced, 1 skipped" in capsys.readouterr().out
        assert run(["replay", str(tmp_path / "compare.json"), *TODAY]) == SOME_FAILED
        assert "1 unreadable" in capsys.readouterr().out

    def test_a_history_in_several_page_files_is_replayed_and_sent_once_however_they_are_named(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
    ) -> None:
        pages = _pages(tmp_path / "pages", SHOP)
        monkeypatch.chdir(tmp_path / "pages")
        names = [page.name for page in pages]

        for named in ([str(tmp_path)], names, names[::-1], names[1:2], names[2:], [".", names[1], *map(str, pages)]):
            status = run(["replay", *named, *TODAY, "--to", receiver.url, "--json"])

            [replayed] = json.loads(capsys.readouterr().out)["replays"]
            assert (status, replayed["outcome"], replayed["reused_steps"]) == (OK, "reproduced", 7)
            assert [Path(part).name for part in replayed["source"].split(" + ")] == names
            [batch] = receiver.batches
            assert batch.count("ReplayWorkflow:Shop") == 1
            receiver.batches.clear()

    def test_pages_beside_whole_histories_in_several_processes(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        shutil.copy(RESEARCH, tmp_path / "whole.json")
        _pages(tmp_path / "shop", SHOP)
        _pages(tmp_path, RESEARCH)
        (tmp_path / "shop" / "page-2.json").write_text("{")

        status = run(["replay", str(tmp_path), *TODAY, "--jobs", "2", "--json"])

        found = json.loads(capsys.readouterr().out)["replays"]
        assert status == SOME_FAILED
        # Each stands where its first page does, and what is damaged does not stop the others.
        assert [(Path(each["source"].split(" + ")[0]).name, each["outcome"]) for each in found] == [
            ("page-1.json", "reproduced"),
            ("page-1.json", "unreadable"),
            ("page-3.json", "unreadable"),
            ("page-2.json", "unreadable"),
            ("whole.json", "reproduced"),
        ]

    def test_code_that_blocks_for_ever_with_a_history_in_pages_is_stopped(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "blocking.py").write_text(_BLOCKING)
        monkeypatch.syspath_prepend(str(tmp_path))
        _pages(tmp_path / "pages", SHOP)

        status = run(["replay", str(tmp_path / "pages"), "--workflow", "blocking", "--timeout", "5"])

        printed = capsys.readouterr()
        assert status == SOME_FAILED
        assert "1 failed" in printed.out
        assert "It did not end within 15 s, and was stopped: is there workflow code that blocks" in printed.err

    def test_changed_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        status = run(["replay", str(SHOP), *CHANGED, "--json"])

        [replayed] = json.loads(capsys.readouterr().out)["replays"]
        assert status == SOME_FAILED
        line = replayed["divergence"].pop("line")
        assert isinstance(line, int)
        assert Path(replayed["divergence"].pop("file")).name == "changed_shops.py"
        assert replayed["divergence"] == {
            "event_id": 9,
            "expected": "activity 'reserve' (ID 1)",
            "actual": "activity 'book' (ID 1)",
            "function": "BooksInsteadOfReserving.reserve",
        }

    def test_another_workflow_type(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["replay", str(RECORDED), *CHANGED[:1], "tests.replay.shop"]) == SOME_FAILED
        assert "No workflow of type 'Research' is among those given (Shop)" in capsys.readouterr().err
        assert run(["replay", str(RECORDED), *CHANGED[:1], "tests.replay.shop", "--skip-unknown"]) == OK

    def test_code_that_blocks_for_ever_is_stopped(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "blocking.py").write_text(_BLOCKING)
        monkeypatch.syspath_prepend(str(tmp_path))

        status = run(["replay", str(SHOP), str(RESEARCH), "--workflow", "blocking", *TODAY[2:], "--timeout", "15"])

        printed = capsys.readouterr()
        assert status == SOME_FAILED
        assert "1 reproduced, 1 failed" in printed.out
        assert "It did not end within 15 s, and was stopped: is there workflow code that blocks" in printed.err

    def test_code_that_ends_its_process_costs_its_own_history_alone(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "ending.py").write_text(_BLOCKING.replace("while True:", "os._exit(3)\n        while True:"))
        monkeypatch.syspath_prepend(str(tmp_path))

        status = run(["replay", str(SHOP), str(RESEARCH), "--workflow", "ending", *TODAY[2:]])

        printed = capsys.readouterr()
        assert status == SOME_FAILED
        assert "1 reproduced, 1 failed" in printed.out
        assert "The process that replayed it ended (exit code 3)" in printed.err

    def test_where_no_process_is_left_the_rest_is_named(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "only_once.py").write_text(
            _BLOCKING.replace("while True:", "os._exit(3)\n        while True:") + _ONCE
        )
        monkeypatch.syspath_prepend(str(tmp_path))

        status = run(["replay", str(SHOP), str(RESEARCH), "--workflow", "only_once", *TODAY[2:], "--jobs", "1"])

        printed = capsys.readouterr()
        assert status == SOME_FAILED
        assert "2 failed" in printed.out
        assert "The process that replayed it ended (exit code 3)" in printed.err
        assert "Nobody was left to replay it. A process that replays ended as it started (exit code 4)." in printed.err

    def test_code_that_waits_when_it_is_imported(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "waiting.py").write_text("import time\ntime.sleep(3600)\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr("tracing.replay.processes._START_SECONDS", 3.0)

        assert run(["replay", str(SHOP), "--workflow", "waiting", "--timeout", "1"]) == USAGE
        assert "has not started within 3 s" in " ".join(capsys.readouterr().err.split())

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ([], "Missing option '--workflow'"),
            (["--workflow", "nowhere"], "There is no module 'nowhere'"),
            (["--workflow", "tests.replay.workflows"], "are both of workflow type 'Research'"),
            ([*TODAY, "--data-converter", "tests.replay.shop:SOON"], "'tests.replay.shop:SOON' is no DataConverter"),
            ([*TODAY, "--plugin", "tests.replay.shop:SOON"], "'tests.replay.shop:SOON' is no worker's plugin"),
            ([*TODAY, "--to", "nowhere"], "is no backend"),
            ([*TODAY, "--timeout", "nan"], "'nan' is no number."),
            ([*TODAY, "--timeout", "inf"], "inf is not in the range 0<x<=86400."),
            ([*TODAY, "-o", ""], "It is empty: check what it was made from."),
        ],
    )
    def test_wrong_usage(self, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["replay", str(SHOP), *arguments]) == USAGE
        assert reason in " ".join(capsys.readouterr().err.split())


def _pages(folder: Path, history: Path) -> list[Path]:
    """The history as a server gives it, in three pages, each in a file; the last is empty."""
    events = json.loads(history.read_text())["events"]
    pages = [
        {"history": {"events": events[:6]}, "nextPageToken": "AAAA"},
        {"history": {"events": events[6:]}, "nextPageToken": "BBBB"},
        {"history": {}},
    ]
    folder.mkdir(exist_ok=True)
    paths = [folder / f"page-{number}.json" for number in (1, 2, 3)]
    for path, page in zip(paths, pages, strict=True):
        path.write_text(json.dumps(page))
    return paths


_BLOCKING = """
import os
import time
from temporalio import workflow

@workflow.defn(name="Shop", sandboxed=False)
class Shop:
    @workflow.run
    async def run(self) -> str:
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass
"""

_ONCE = """
from pathlib import Path

started = Path(__file__).with_name("started")
if started.exists():
    os._exit(4)
started.touch()
"""

_DIVERGENCE = Divergence(
    event_id=9,
    event_type="ActivityTaskScheduled",
    expected=Command("activity", "reserve", "1", 9),
    actual=Command("activity", "book", "1"),
    source=SourceLine("shop.py", 38, "Shop.run"),
)


def _replay(divergence: Divergence | None = None, *, guarded: bool = True) -> Replay:
    return Replay(
        replay_id="replay-1",
        namespace="default",
        workflow_id="shop-1",
        run_id="run-1",
        workflow_type="Shop",
        outcome="diverged" if divergence else "reproduced",
        message="",
        started=1_795_000_000_000_000_000,
        duration=12_000_000,
        steps=(),
        divergence=divergence,
        guarded=guarded,
    )

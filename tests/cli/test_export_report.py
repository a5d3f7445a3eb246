"""What an export says at its end: a few runs by name, many as sums, failures by kind."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.export.folders import history, put, run_id
from tracing.cli import OK, SOME_FAILED, USAGE, run
from tracing.cli.export_report import Failures
from tracing.cli.export_totals import Totals


@pytest.fixture
def histories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("in")


def test_one_run_is_a_line(histories: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(histories / "1.json", history(1))
    assert run(["export", str(path)]) == OK
    assert capsys.readouterr().out == f"wf-1 {run_id(1)}: 3 spans → traces/wf-1_{run_id(1)}.otlp.jsonl\n"


def test_a_run_of_one_span_has_one_span(histories: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = history(1)
    document["events"] = document["events"][:1]
    path = put(histories / "1.json", document)
    assert run(["export", str(path)]) == OK
    assert capsys.readouterr().out == f"wf-1 {run_id(1)}: 1 span → traces/wf-1_{run_id(1)}-1.otlp.jsonl\n"


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_what_an_earlier_call_could_not_send_is_no_failure_of_one_that_sends_nothing(
    histories: Path, capsys: pytest.CaptureFixture[str], as_json: list[str]
) -> None:
    path = put(histories / "1.json", history(1))
    assert run(["export", str(path), "--to", "http://127.0.0.1:1"]) == SOME_FAILED
    assert "cannot be reached" in capsys.readouterr().err
    assert run(["export", str(path), *as_json]) == OK
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "cannot be reached" not in printed.out


def test_a_few_runs_have_a_line_each_and_sums(histories: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(histories / "1.json", history(1))
    put(histories / "2.json", history(2, closed=False))
    put(histories / "3.json", history(1))
    assert run(["export", str(histories), "-o", "out", "--jobs", "1"]) == OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"wf-1 {run_id(1)}: 3 spans → out/wf-1_{run_id(1)}.otlp.jsonl",
        f"wf-2 {run_id(2)}: 3 spans → out/wf-2_{run_id(2)}-10.otlp.jsonl",
    ]
    assert [re.sub(r"[\d.]+ kB", "some kB", " ".join(line.split())) for line in lines[2:]][:-1] == [
        "2 runs exported",
        "1 run is still open",
        "6 spans",
        "2 files, some kB",
        "1 duplicate of another source",
    ]


def test_many_runs_are_sums(histories: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        put(histories / f"{number:02d}.json", history(number))
    assert run(["export", str(histories), "--jobs", "1"]) == OK
    printed = capsys.readouterr().out
    assert "wf-" not in printed
    assert "30 runs exported" in printed
    assert run(["export", str(histories), "--jobs", "1"]) == OK
    assert "30 sources were done before, and are unchanged" in capsys.readouterr().out


def test_many_failures_of_a_kind_are_named_five_times_and_counted(
    histories: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(histories / "ok.json", history(1))
    for number in range(40):
        (histories / f"{number:02d}.json").write_text(" " * number)
    (histories / "other.json").write_text("{}")
    assert run(["export", str(histories), "--jobs", "1"]) == SOME_FAILED
    other = "in/other.json: It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}."
    assert capsys.readouterr().err.splitlines() == [
        *(f"durable-trace: in/0{number}.json: It is empty: export the history again." for number in range(5)),
        "durable-trace: … and 35 more like this: manifest.jsonl names them all.",
        f"durable-trace: {other}",
    ]


def test_failures_that_differ_in_numbers_or_names_alone_are_alike() -> None:
    failures = Failures()
    for number in range(8):
        failures.add(f"wf-{number}", f"Event {number} (Act{number}) of 'x{number}' is damaged.")
    failures.add("", "No Collector answers.")
    failures.add("", "No Collector answers.")
    assert list(failures.sentences()) == [
        *(f"wf-{number}: Event {number} (Act{number}) of 'x{number}' is damaged." for number in range(5)),
        "… and 3 more like this: manifest.jsonl names them all.",
        "No Collector answers.",
    ]


@pytest.mark.slow
def test_a_flood_of_kinds_is_bounded() -> None:
    failures = Failures()
    for number in range(10_000):
        failures.add("", f"{'x' * number} happened.")
    assert len(list(failures.sentences())) == 40 + 6


def test_names_from_histories_have_no_power_over_the_terminal(
    histories: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = history(1)
    hostile["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"] = "\x1b[2J[bold]../x"
    del hostile["events"][3]
    assert run(["export", str(put(histories / "1.json", hostile))]) == SOME_FAILED
    said = capsys.readouterr()
    assert said.out.startswith(f"<1B>[2J[bold]../x {run_id(1)}: ")
    assert said.err == "durable-trace: in/1.json: Event 4 is missing.\n"


def test_json_has_every_run_every_duplicate_and_every_failure(
    histories: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(25):
        put(histories / f"{number:02d}.json", history(number))
    put(histories / "again.json", history(7))
    for number in range(9):
        (histories / f"x{number}.json").write_text("")
    assert run(["export", str(histories), "--jobs", "1", "--json"]) == SOME_FAILED
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["exported", "duplicates", "failed", "total"]
    assert [exported["workflow_id"] for exported in printed["exported"]] == [f"wf-{number}" for number in range(25)]
    assert printed["exported"][7] == {
        "workflow_id": "wf-7",
        "run_id": run_id(7),
        "namespace": "default",
        "source": "in/07.json",
        "spans": 3,
        "open": False,
        "files": [f"traces/wf-7_{run_id(7)}.otlp.jsonl"],
        "defects": [],
    }
    assert printed["duplicates"] == [{"source": "in/again.json", "duplicate_of": "in/07.json"}]
    assert printed["failed"] == [f"in/x{number}.json: It is empty: export the history again." for number in range(9)]
    assert {key: printed["total"][key] for key in ("runs", "refused", "duplicates", "spans")} == {
        "runs": 25,
        "refused": 9,
        "duplicates": 1,
        "spans": 75,
    }


def test_json_of_nothing_is_json(histories: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (put(histories / "1.json", {})).write_text("")
    assert run(["export", str(histories / "1.json"), "--json"]) == SOME_FAILED
    printed = json.loads(capsys.readouterr().out)
    assert (printed["exported"], len(printed["failed"])) == ([], 1)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_folders_whose_names_are_no_text(histories: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(histories / os.fsdecode(b"\xff.json"), history(1))
    assert run(["export", str(path), "--json", "-o", os.fsdecode(b"out-\xfe")]) == OK
    (exported,) = json.loads(capsys.readouterr().out)["exported"]
    assert exported["source"] == r"in/\xff.json"
    assert exported["files"] == [rf"out-\xfe/wf-1_{run_id(1)}.otlp.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Give history files, or --workflow-id, or --query: one of the three."),
        (["a.json", "--query", "x"], "Give history files, or --workflow-id, or --query: one of the three."),
        (["--query", "x", "--run-id", "r"], "--run-id names one run: give it with --workflow-id or one file, not with"),
        (["a.json", "b.json", "--run-id", "r"], "--workflow-id and --run-id name one run: of files, give one."),
        (["a.json", "b.json", "--workflow-id", "w"], "--workflow-id and --run-id name one run: of files, give one."),
        (["a.json", "--workflow-id", "w", "--query", "x"], "--workflow-id, or --query: one of the three."),
        (["a.json", "--workflow-id", "w", "--chain"], "--chain and --children go from a run to others"),
        (["a.json", "--repair"], "--repair completes what is somewhere: name a backend with --to"),
        (["a.json", "--to", "nowhere"], "'nowhere' is no backend"),
        (["a.json", "--jobs", "0"], "0 is not in the range x>=1"),
        (["a.json", "-o", ""], "It is empty: check what it was made from. The current folder is '.'."),
        (["a.json", "--settle", "3"], "--settle belongs to --watch."),
        (["a.json", "--checkpoint", "done"], "--checkpoint belongs to --watch."),
        (["--watch", "--to", "otlp", "--settle", "nan"], "'nan' is no number."),
        (["--query", "x", "--rate", "nan"], "'nan' is no number."),
    ],
)
def test_wrong_usage_touches_nothing(
    histories: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert run(["export", *arguments]) == USAGE
    assert complaint in capsys.readouterr().err
    assert not histories.exists()
    assert not Path("traces").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(histories: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(histories / "1.json", history(1))
    Path("taken").touch()
    assert run(["export", str(path), "-o", "taken"]) == SOME_FAILED
    assert capsys.readouterr().err == (
        "durable-trace: taken cannot be written (File exists). What is done is kept: mend that, or give another folder "
        "by -o, and call again.\n"
    )


def test_sums_of_nothing() -> None:
    assert Totals().table(0.0).row_count == 3

"""The command line over histories that were made to harm: nothing outside the folder, nothing obeyed by a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.history.recording import Recording, payload
from tracing.cli import OK, SOME_FAILED, run

pytestmark = pytest.mark.slow

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

HOSTILE = {
    "path": "../../../../tmp/escaped",
    "absolute": "/etc/passwd",
    "windows path": "..\\..\\C:\\windows\\win.ini",
    "NUL": "a\0b.json",
    "device": "CON",
    "device with an ending": "nul.txt",
    "dots": "..",
    "empty": "",
    "option": "--help",
    "home": "~root/.ssh/authorized_keys",
    "terminal escape": "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    "C1 escape": "\x9b31mred",
    "right to left": "\u202egpj.exe",
    "markup": "[bold red]x[/] [link=http://localhost]y[/link]",
    "line break": "first\nsecond\rthird",
    "long": "x" * 10_240,
    "unicode": "Grüße/世界/\U0001f600/\ufeff",
    "combining": "e\u0301" * 3_000,
}


def history(name: str) -> Recording:
    """A history in which every name and ID is the hostile one."""
    recording = Recording(workflow_id=name, run_id=name or "run", workflow_type={"name": name})
    task = recording.task()
    scheduled = recording.activity(task, name, activity_type={"name": name}, task_queue={"name": name})
    recording.attempt(scheduled)
    recording.complete_activity(scheduled, payload(json.dumps(name)))
    recording.add("workflow_execution_signaled", signal_name=name)
    recording.add("marker_recorded", marker_name=name)
    recording.complete(payload(json.dumps(name)))
    return recording


def files_below(folder: Path) -> set[Path]:
    """Every file below a folder, but for the manifest of an export, whose name is always the same."""
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path for path in files if path.name != "manifest.jsonl"}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", ["json", "bin"])
def test_names_lead_nowhere_and_are_shown_not_obeyed(
    name: str, form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = tmp_path / f"history.{form}", tmp_path / "deep" / "er" / "out"
    recording = history(name)
    source.write_bytes(
        json.dumps(recording.json()).encode() if form == "json" else recording.proto().SerializeToString()
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")

    assert run(["export", str(source), "-o", str(out)]) == (OK if name else SOME_FAILED)
    written = files_below(tmp_path) - {Path(source.name)}
    assert [path.parent for path in written] == [Path("deep/er/out")]
    [trace] = written
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._~-]{0,230}\.otlp\.jsonl", trace.name)

    assert run(["cost", str(tmp_path / trace)]) == OK
    assert run(["report", str(tmp_path / trace), "-o", str(out / "report.html")]) == OK
    assert files_below(tmp_path) == written | {Path(source.name), Path("deep/er/out/report.html")}
    printed = capfd.readouterr()
    assert CONTROL.search(printed.out + printed.err) is None


BROKEN = {
    "escape.json": b'{"events":[{"eventId":"\x1b[31m"}]}',
    "cut.json": b'{"events":[{"eventId":1',
    "empty.json": b"",
    "html.json": b"<html>\x1b[2J</html>",
    "garbage.bin": b"\x0a\xff\xff\xff\xff\xff",
    "zeros.bin": bytes(1_000),
    "bomb.json.gz": b"\x1f\x8b\x08\x00garbage",
    "deep.json": b"[" * 100_000,
    "nobody.json": b'{"\x1b[31m":1}',
    "\x1b[31mred.json": b"{}",
}


def test_each_broken_file_is_one_line_that_names_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in BROKEN.items():
        (folder / name).write_bytes(data)
    (folder / "good.bin").write_bytes(history("good").proto().SerializeToString())

    assert run(["export", str(folder), "-o", str(tmp_path / "out")]) == SOME_FAILED
    printed = capfd.readouterr()
    lines = printed.err.splitlines()
    assert CONTROL.search(printed.out + printed.err) is None
    assert len(lines) == len(BROKEN)
    for name in BROKEN:
        shown = name.replace("\x1b", "<1B>")
        assert [line.endswith(".") for line in lines if f"{folder / shown}: " in line] == [True], name
    assert len(files_below(tmp_path / "out")) == 1


def test_losses_are_named_one_by_one_but_not_without_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    recording = history("lossy")
    for number in range(1_000):
        recording.add("timer_started", timer_id="\x1b[2J")
        recording.events[-1].event_id = 100 + 2 * number
    (tmp_path / "lossy.bin").write_bytes(recording.proto().SerializeToString())

    assert run(["export", str(tmp_path / "lossy.bin"), "-o", str(tmp_path / "out")]) == SOME_FAILED
    lines = capfd.readouterr().err.splitlines()
    assert lines[:2] == [
        f"durable-trace: {tmp_path}/lossy.bin: Events 11-99 are missing.",
        f"durable-trace: {tmp_path}/lossy.bin: Event 101 is missing.",
    ]
    assert lines[-1] == "durable-trace: … and 994 more like this: manifest.jsonl names them all."

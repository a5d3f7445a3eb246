"""Worker processes: what they share, and what becomes of the work when one of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.export.folders import CONFIG, content, export, history, manifest, names, put, settings, told
from tests.export.hooks import obey
from tests.export.test_killed import kill_at, start
from tracing.export.engine import Export
from tracing.export.items import file_items
from tracing.export.layout import MANIFEST, work_folder
from tracing.export.lock import locked
from tracing.export.workers import WorkersError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OBEDIENT = replace(CONFIG, capture_content=True, redact=obey)


@pytest.fixture
def histories(tmp_path: Path) -> Path:
    for number in range(12):
        put(tmp_path / "in" / f"{number:02d}.json", history(number))
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_two_processes_write_what_one_does(histories: Path, tmp_path: Path, out: Path) -> None:
    put(histories / "20.json", history(3, 2))
    put(histories / "21.json", history(4, 2), history(21), history(5))
    (histories / "22.json").write_text("")
    export(out, histories, jobs=2)
    export(tmp_path / "alone", histories)
    assert content(out) == content(tmp_path / "alone")
    assert manifest(out) == manifest(tmp_path / "alone")
    assert names(out) == names(tmp_path / "alone")


def test_a_worker_that_is_killed_is_replaced_and_its_item_tried_once_more(
    histories: Path, tmp_path: Path, out: Path
) -> None:
    put(histories / "05.json", history(5, result=f'"die once: {tmp_path / "died"}"'))
    records = export(out, histories, jobs=2, config=OBEDIENT)
    assert (tmp_path / "died").exists()
    assert [record.state for record in records] == ["exported"] * 12


def test_an_item_that_kills_its_workers_is_named_and_the_rest_is_done(histories: Path, out: Path) -> None:
    put(histories / "00.json", history(0, result='"die"'))
    put(histories / "05.json", history(5, result='"die"'))
    records = export(out, histories, jobs=2, config=OBEDIENT)
    reason = (
        "The process that worked on it was ended 2 times (SIGKILL, as when memory runs out): export it alone, with "
        "more memory, by --jobs 1."
    )
    assert [told([record])[0][2] for record in records if record.state == "refused"] == [reason] * 2
    assert [record.state for record in records].count("exported") == 10
    assert names(out) == sorted([MANIFEST, *(file.name for record in records for file in record.files)])


def test_hooks_that_no_other_process_can_import_are_refused(histories: Path, out: Path) -> None:
    config = replace(CONFIG, redact=lambda _key, text: text)
    with pytest.raises(WorkersError, match=r"hooks in the config must be functions of a module\. jobs=1 exports in"):
        export(out, histories, jobs=2, config=config)
    assert len(export(out, histories, config=config)) == 12


def test_workers_that_cannot_start_are_a_sentence(histories: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(WorkersError, match=r"Worker processes end before they begin \(exit code 1\): --jobs 1 exports"):
        export(out, histories, jobs=2)


PARENT = """
import sys
from pathlib import Path
from tests.export.folders import export
from tests.export.test_workers import OBEDIENT
export(Path(sys.argv[1]), Path(sys.argv[2]), jobs=2, config=OBEDIENT)
"""


def test_an_export_waits_until_the_workers_of_a_killed_one_have_noticed(
    histories: Path, tmp_path: Path, out: Path
) -> None:
    """Or these would write into its staging folder."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    put(histories / "05.json", history(5, result=f'"wait: {fifo}"'))
    with subprocess.Popen([sys.executable, "-c", PARENT, str(out), str(histories)], cwd=ROOT) as parent:
        release = os.open(fifo, os.O_WRONLY)  # the worker is at it
        parent.kill()
    waited = []

    def waiting() -> None:
        waited.append(True)
        os.close(release)

    # Its history is another one by now, or this process would wait, too.
    put(histories / "05.json", history(5))
    with Export(file_items([histories]), settings(out, config=OBEDIENT), waiting=waiting) as call:
        done = list(call.run())
    assert waited == [True]
    assert len(done) == 12
    export(tmp_path / "alone", histories, config=OBEDIENT)
    assert content(out) == content(tmp_path / "alone")


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(
    histories: Path, tmp_path: Path, out: Path, jobs: int
) -> None:
    for number in range(12, 300):
        put(histories / f"{number:03d}.json", history(number))
    process = start(histories, out, jobs)
    done = kill_at(process, out, 20, signal.SIGINT)
    printed, complained = process.communicate(timeout=60)

    assert (process.returncode, printed) == (130, b"")
    told_done, rest = complained.decode().split(" of 300 done: ", 1)
    assert done - int(told_done) in {0, 1}  # it may come between a line and the counter
    assert rest == "the same command goes on from there.\n\nInterrupted.\n"
    assert work_folder(out).is_dir()
    with locked(out, lambda: pytest.fail("a worker is left")) as lock:
        assert lock is not None
    assert start(histories, out, jobs).communicate(timeout=120)[1] == b""
    export(tmp_path / "alone", histories)
    assert content(out) == content(tmp_path / "alone")

"""An export that is killed again and again ends with the folder of one that was left alone."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.export.folders import content, history, manifest, put
from tracing.export.layout import journal_file, work_folder

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HISTORIES = 300
DUPLICATES = 20
ITEMS = HISTORIES + DUPLICATES


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of one to four activities; some of them come twice, the second time cut off."""
    folder = tmp_path_factory.mktemp("histories")
    for number in range(HISTORIES):
        put(folder / f"part-{number % 7}" / f"{number:04d}.json", history(number, 1 + number % 4))
    for number in range(DUPLICATES):
        put(folder / "part-9" / f"again-{number:04d}.json", history(number * 3, 1 + number * 3 % 4, result='"late"'))
    return folder


def start(histories: Path, output: Path, jobs: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tracing.cli", "export", str(histories), "-o", str(output), "--jobs", str(jobs)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def lines(output: Path) -> int:
    """How many lines the journal has."""
    try:
        return journal_file(output).read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def kill_at(process: subprocess.Popen[bytes], output: Path, count: int, how: signal.Signals = signal.SIGKILL) -> int:
    """Send a signal to an export as soon as its journal has so many lines; how many it has then."""
    deadline = time.monotonic() + 120
    while lines(output) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        select.select([], [], [], 0.001)
    process.send_signal(how)
    process.wait(60)
    return lines(output)


@pytest.mark.parametrize(("jobs", "kills"), [(2, 10), (1, 3)])
def test_killed_again_and_again_an_export_ends_as_if_it_had_been_left_alone(
    histories: Path, tmp_path: Path, jobs: int, kills: int
) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    out, err = start(histories, undisturbed, jobs).communicate(timeout=240)
    assert err == b"", out

    done = 0
    for kill in range(kills):
        # From 7 % to 79 %, each time after some work of its own.
        count = max(done + 1, ITEMS * (7 + 8 * kill) // 100)
        with start(histories, disturbed, jobs) as process:
            done = kill_at(process, disturbed, count)
        assert process.returncode == -signal.SIGKILL
        assert 0.05 <= done / ITEMS <= 0.95
        assert work_folder(disturbed).is_dir()
    assert start(histories, disturbed, jobs).communicate(timeout=240)[1] == b""

    assert content(disturbed) == content(undisturbed)
    assert manifest(disturbed) == manifest(undisturbed)
    assert len(content(disturbed)) == HISTORIES
    assert [record.state for record in manifest(disturbed)].count("duplicate") == DUPLICATES
    assert not work_folder(disturbed).exists()

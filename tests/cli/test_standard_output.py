"""Where results are printed to: a terminal that lacks characters, a disk that is full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.export.folders import history, put

FULL = Path("/dev/full")


def export(folder: Path, stdout: int, **environ: str) -> subprocess.CompletedProcess[bytes]:
    put(folder / "run.json", history(1))
    return subprocess.run(
        [sys.executable, "-m", "tracing.cli", "export", str(folder / "run.json"), "-o", str(folder / "traces")],
        env={**os.environ, **environ},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_what_a_terminal_cannot_show_is_printed_as_its_code(tmp_path: Path) -> None:
    done = export(tmp_path, subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"spans \u2192 " in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_no_room_for_what_is_printed_is_told_in_a_sentence_and_the_files_are_there(tmp_path: Path) -> None:
    with FULL.open("wb") as full:
        done = export(tmp_path, full.fileno())
    assert (done.returncode, done.stderr) == (
        1,
        b"durable-trace: What is printed cannot be written (No space left on device): make room, and call again.\n",
    )
    assert (tmp_path / "traces" / "manifest.jsonl").exists()

"""Does a bulk export of ten times as many histories take more memory?"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.conversion import history

FEW, MANY = 1_000, 10_000
BYTES = 100_000
JOBS = 2
TARGET = 1.2

_RUN_ID = b"01a207bd-c10a-7ebc-9768-3610365db09e"
_PARENT, _WORKER = "tracing.cli.export", "tracing.export.worker"
"""What a process loads before it does anything."""


def write_histories(folder: Path, count: int, size: int = BYTES, *, large: bool = True) -> None:
    """Write runs of `size` bytes, each with IDs of its own, and one of 25 MB among them."""
    activities = 1
    while len(history(activities)) < size:
        activities += 1
    text = history(activities)
    folder.mkdir()
    for number in range(count):
        own = f"01a207bd-c10a-7ebc-9768-{number:012x}".encode()
        text_of_run = text.replace(_RUN_ID, own).replace(b'"bench"', f'"bench-{number}"'.encode())
        (folder / f"{number:06d}.json").write_bytes(text_of_run)
    if large:
        (folder / f"{count // 2:06d}-large.json").write_bytes(history())


def peak_of_export(histories: Path, output: Path, jobs: int = JOBS) -> int:
    """Export a folder; the most memory above import that its processes had, in bytes: the sum of their peaks."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tracing.cli", "export", str(histories), "-o", str(output), "--jobs", str(jobs)],
        stdout=subprocess.DEVNULL,
    )
    peaks = {process.pid: 0}
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        for each in _family(watched):
            peaks[each] = max(peaks.get(each, 0), _high_water(each))
        threading.Event().wait(0.02)
    if process.returncode:
        raise RuntimeError(f"the export ended with {process.returncode}")
    parent = peaks.pop(process.pid) - _imported(_PARENT)
    return parent + sum(peaks.values()) - len(peaks) * _imported(_WORKER)


def _family(parent: psutil.Process) -> list[int]:
    try:
        return [parent.pid, *(child.pid for child in parent.children())]
    except psutil.NoSuchProcess:
        return []


def _high_water(pid: int) -> int:
    """The kernel's own mark of the most memory that a process had: no sample can miss it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _imported(module: str) -> int:
    """Memory of a process that has only imported a module, in bytes."""
    program = f"import {module}; print('ready', flush=True); input()"
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    peak = _high_water(process.pid)
    process.kill()
    process.communicate()
    return peak


def measure() -> dict[int, int]:
    """Peak memory above import of an export of few histories and of many, in bytes, by how many there are."""
    results = {}
    for count in (FEW, MANY):
        with TemporaryDirectory() as folder:
            histories = Path(folder, "histories")
            write_histories(histories, count)
            results[count] = peak_of_export(histories, Path(folder, "traces"))
    return results

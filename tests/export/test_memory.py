"""Nothing of a history is kept once it is done. Whole processes are measured in benchmarks/memory.py."""

from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.export.folders import history, put, settings
from tracing.export import Export, file_items

pytestmark = pytest.mark.slow

FEW, MANY = 20, 200
BYTES = 20_000
A_RUN = 4_000
"""Bytes that a run may cost, a fifth of its history; what is kept of it, its names and places, is under 2,000."""


def peak(folder: Path, count: int) -> int:
    """The most memory that an export of so many histories takes, in bytes."""
    for number in range(count):
        put(folder / "in" / f"{number}.json", history(number, result=f'"{"x" * BYTES}"'))
    gc.collect()
    tracemalloc.start()
    try:
        with Export(file_items([str(folder / "in")]), settings(folder / "out")) as call:
            for _ in call.run():
                pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def peaks(folder: Path) -> tuple[int, int]:
    """What few histories take, and what many."""
    peak(folder / "first", 1)  # what is loaded at the first use
    return peak(folder / "few", FEW), peak(folder / "many", MANY)


def test_ten_times_as_many_histories_take_hardly_more_memory(tmp_path: Path) -> None:
    # In a process of its own: threads that other tests have left behind take memory, too.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        few, many = executor.submit(peaks, tmp_path).result()
    assert few > 2 * BYTES  # it is measured
    assert many - few < (MANY - FEW) * A_RUN

"""The spool's folder: private, bounded, and empty when all has arrived."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.live.delivery.spooling import Backend, Spooled, files
from tests.live.delivery.spooling_attempt import attempt_in
from tracing.config import TracingConfig
from tracing.live.delivery.drops import drops
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.spool.files import _SMALLEST
from tracing.live.delivery.spool.registry import spool_of
from tracing.live.delivery.spool.setup import add_spool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    drops.reset()


def added(folder: Path) -> bool:
    """Whether a provider gets a spool there."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Backend()))
    add_spool(provider, TracingConfig(spool=str(folder)))
    spool = spool_of(provider)
    provider.shutdown()
    return spool is not None


def test_folder_and_files_are_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spooled = Spooled(tmp_path / "deep" / "spool")
        spooled.span("chat gpt-4o")
    finally:
        os.umask(before)
    folder = tmp_path / "deep" / "spool"
    modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {".lock": 0o600, ".spool": 0o600})
    spooled.close()


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path, tracing_log: list[str]) -> None:
    tmp_path.chmod(0o777)
    assert not added(tmp_path)
    assert tracing_log == [
        (
            f"The spool folder {tmp_path} belongs to or can be written by others: spans are not kept on disk. Give a "
            "folder of this user's own, with mode 0700."
        )
    ]


def test_a_folder_of_another_user_is_not_used(
    tmp_path: Path, tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert not added(tmp_path)
    assert len(tracing_log) == 1


def test_nor_is_a_file(tmp_path: Path, tracing_log: list[str]) -> None:
    (tmp_path / "spool").write_text("")
    assert not added(tmp_path / "spool")
    assert tracing_log == [
        f"The spool folder {tmp_path / 'spool'} cannot be used (File exists): spans are not kept on disk."
    ]


def test_where_the_platform_has_no_locks_there_is_none(
    tmp_path: Path, tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracing.live.delivery.spool.folder.LOCKS", False)
    assert not added(tmp_path)
    assert tracing_log == ["DURABLE_TRACE_SPOOL needs file locks that this platform lacks: spans are not kept on disk."]


@pytest.mark.slow
def test_it_does_not_grow_where_spans_arrive(tmp_path: Path) -> None:
    spooled = Spooled(tmp_path, max_bytes=8 * _SMALLEST)
    for _ in range(40):
        spooled.span(*["chat gpt-4o"] * 100)
        spooled.flush()
    assert drops.unspooled == 0
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < _SMALLEST
    assert len(spooled.backend.names) == 4_000
    spooled.close()


def test_what_is_open_for_long_keeps_no_file_alive(tmp_path: Path) -> None:
    spooled = Spooled(tmp_path, max_bytes=8 * _SMALLEST)
    attempt = attempt_in(spooled.provider)
    for _ in range(20):
        spooled.span(*["chat gpt-4o"] * 100)
        spooled.flush()
        spooled.spool.tend(measure=True)
    assert len(files(tmp_path)) <= 3
    # It was moved, and is still known to be open.
    Emitter(spooled.provider).dismiss(attempt.place.run.trace_id, attempt.place.span_id)
    spooled.close()
    assert files(tmp_path) == []


def test_a_sign_of_life_is_the_time_of_the_lock_file(tmp_path: Path) -> None:
    spooled = Spooled(tmp_path)
    [lock] = tmp_path.glob("*.lock")
    os.utime(lock, (0, 0))
    spooled.spool.tend(measure=False)
    assert lock.stat().st_mtime > 1_700_000_000
    spooled.close()


def test_the_limit_is_the_folders(tmp_path: Path, tracing_log: list[str]) -> None:
    first = Spooled(tmp_path, max_bytes=_SMALLEST)
    first.span(*["chat gpt-4o"] * 200)
    assert drops.unspooled == 0
    second = Spooled(tmp_path, Backend(up=False), max_bytes=_SMALLEST)
    second.span(*["chat gpt-4o"] * 300)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= _SMALLEST
    assert drops.unspooled > 0
    assert len(tracing_log) == 1
    assert first.spool.waiting() == 200
    first.close()
    second.close()


def test_a_disk_that_is_full_is_said_once_and_harms_nobody(
    tmp_path: Path, tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled = Spooled(tmp_path)
    spooled.span("before")
    write = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if len(data) > 1:
            write(descriptor, data[:5], offset)
            raise OSError(28, "No space left on device")
        return write(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    spooled.span("during", "during")
    monkeypatch.undo()
    spooled.span("after")
    spooled.flush()
    spooled.close()
    assert spooled.backend.names == ["before", "during", "during", "after"]
    assert tracing_log == [
        (
            f"The spool {tmp_path} takes no more spans (No space left on device). They are exported all the same, if "
            "they can be; a worker that is killed loses them. DURABLE_TRACE_SPOOL_MAX_BYTES sets its size."
        )
    ]
    assert files(tmp_path) == []

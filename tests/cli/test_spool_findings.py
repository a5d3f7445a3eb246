"""What `durable-trace doctor` says of the spool folder; it changes nothing there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.live.delivery.spooling import Backend, Spooled
from tracing.cli.findings import Finding
from tracing.cli.spool_findings import spool_finding
from tracing.config import TracingConfig

OWN = "Give a folder of this user's own, on a local disk, with mode 0700."


def look(folder: Path, max_bytes: int = 256 << 20) -> Finding:
    return spool_finding(TracingConfig(spool=str(folder), spool_max_bytes=max_bytes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    return folder


def test_without_one_it_says_what_that_means() -> None:
    assert spool_finding(TracingConfig()) == Finding(
        "spool",
        "off",
        "DURABLE_TRACE_SPOOL is not set: spans that have not arrived are lost with their worker",
        "To keep them until they have, set it to a folder on a local disk.",
    )


def test_a_private_folder_in_which_nothing_waits(folder: Path) -> None:
    found = f"{folder}, private (mode 0700); no span waits; 0 bytes of 256.0 MiB used"
    assert look(folder) == Finding("spool", "ok", found)


def test_a_folder_that_the_first_worker_will_make(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "spool"
    assert look(folder) == Finding("spool", "ok", f"{folder} is not there yet: the first worker makes it")
    assert not folder.exists()


def test_spans_that_wait_are_counted_and_nothing_is_touched(folder: Path) -> None:
    spooled = Spooled(folder, Backend(up=False))
    spooled.span("chat gpt-4o", "RunActivity:ask")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    size = sum(map(len, before.values()))

    assert look(folder) == Finding(
        "spool",
        "ok",
        f"{folder}, private (mode 0700); 2 spans in 1 file wait to arrive; {size} bytes of 256.0 MiB used",
    )

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    spooled.backend.up = True
    spooled.flush()
    assert "; no span waits; " in look(folder).found
    spooled.close()


def test_damaged_files_are_to_be_looked_at(folder: Path) -> None:
    (folder / "1-0123456789abcdef.000001.damaged").write_bytes(b"1234")
    found = look(folder)
    assert found.found == f"{folder}, private (mode 0700); no span waits, 1 damaged file; 4 bytes of 256.0 MiB used"
    assert found.mend == "Look at the .damaged files and remove them: they take room."


def test_a_folder_that_is_nearly_full(folder: Path) -> None:
    (folder / "1-0123456789abcdef.000001.spool").write_bytes(bytes(95 << 10))
    found = look(folder, max_bytes=100 << 10)
    assert (found.state, found.found.rpartition("; ")[2]) == ("ok", "95.0 KiB of 100.0 KiB used")
    assert found.mend == (
        "It is nearly full: mend what keeps spans from arriving, or raise DURABLE_TRACE_SPOOL_MAX_BYTES."
    )


def test_a_folder_whose_names_others_may_read_is_used_and_better_closed(folder: Path) -> None:
    folder.chmod(0o755)
    assert look(folder) == Finding(
        "spool",
        "ok",
        f"{folder}, readable by others (mode 0755); no span waits; 0 bytes of 256.0 MiB used",
        f"Run `chmod 700 {folder}`.",
    )


def test_a_folder_that_others_may_write_is_not_used(folder: Path) -> None:
    folder.chmod(0o770)
    found = f"{folder}, mode 0770, can be written by others: workers do not use it"
    assert look(folder) == Finding("spool", "failed", found, f"Run `chmod 700 {folder}`.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    folder.chmod(0o500)
    assert look(folder).found == f"{folder}, mode 0500, cannot be written"


def test_a_folder_of_another_user_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    found = f"{folder} belongs to another user: workers of this one do not use it"
    assert look(folder) == Finding("spool", "failed", found, OWN)


def test_a_file_is_no_folder_and_holds_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert look(file) == Finding("spool", "failed", f"{file} is no folder", OWN)
    assert look(file / "spool") == Finding("spool", "failed", f"{file / 'spool'}: Not a directory", OWN)


def test_where_the_platform_has_no_locks_there_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.cli.spool_findings.LOCKS", False)
    found = "this platform lacks the file locks that it needs"
    assert look(folder) == Finding("spool", "failed", found, "Unset DURABLE_TRACE_SPOOL.")

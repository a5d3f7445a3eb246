"""Is the spool folder fit for use, and what waits in it?

Only looked at: nothing is made, locked or taken over, so that workers are not disturbed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracing.cli.findings import Finding
from tracing.config import TracingConfig
from tracing.live.delivery.spool.folder import LOCKS, used_bytes
from tracing.live.delivery.spool.records import Kind
from tracing.live.delivery.spool.segment import Segment

_NAME: Final = "spool"
_OWN: Final = "Give a folder of this user's own, on a local disk, with mode 0700."
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_NEARLY_FULL: Final = 0.9
_KIB: Final = 1024


def spool_finding(config: TracingConfig) -> Finding:
    """Look at the folder that the settings name."""
    if not config.spool:
        return Finding(
            _NAME,
            "off",
            "DURABLE_TRACE_SPOOL is not set: spans that have not arrived are lost with their worker",
            "To keep them until they have, set it to a folder on a local disk.",
        )
    folder = Path(config.spool).expanduser().absolute()
    if not LOCKS:
        return Finding(
            _NAME, "failed", "this platform lacks the file locks that it needs", "Unset DURABLE_TRACE_SPOOL."
        )
    try:
        status = folder.stat()
        return _unusable(folder, status) or _usable(folder, status, config.spool_max_bytes)
    except FileNotFoundError:
        return _missing(folder)
    except OSError as error:
        return Finding(_NAME, "failed", f"{folder}: {error.strerror}", _OWN)


def _unusable(folder: Path, status: os.stat_result) -> Finding | None:
    """Why workers do not use the folder, if they do not."""
    if not stat.S_ISDIR(status.st_mode):
        return Finding(_NAME, "failed", f"{folder} is no folder", _OWN)
    if status.st_uid != os.geteuid():
        return Finding(_NAME, "failed", f"{folder} belongs to another user: workers of this one do not use it", _OWN)
    why = ""
    if status.st_mode & _OTHERS_WRITE:
        why = "can be written by others: workers do not use it"
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        why = "cannot be written"
    found = f"{folder}, mode {_mode(status)}, {why}"
    return Finding(_NAME, "failed", found, f"Run `chmod 700 {folder}`.") if why else None


def _missing(folder: Path) -> Finding:
    parent = next(path for path in folder.parents if path.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return Finding(_NAME, "ok", f"{folder} is not there yet: the first worker makes it")
    return Finding(_NAME, "failed", f"{folder} cannot be made in {parent}", _OWN)


def _usable(folder: Path, status: os.stat_result, max_bytes: int) -> Finding:
    waiting, used = _waiting(folder), used_bytes(folder)
    private = "readable by others" if status.st_mode & _OTHERS else "private"
    found = f"{folder}, {private} (mode {_mode(status)}); {waiting}; {_size(used)} of {_size(max_bytes)} used"
    mend = []
    if status.st_mode & _OTHERS:
        mend.append(f"Run `chmod 700 {folder}`.")
    if waiting.damaged:
        mend.append("Look at the .damaged files and remove them: they take room.")
    if used > max_bytes * _NEARLY_FULL:
        mend.append("It is nearly full: mend what keeps spans from arriving, or raise DURABLE_TRACE_SPOOL_MAX_BYTES.")
    return Finding(_NAME, "ok", found, " ".join(mend))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What waits in a folder."""

    spans: int
    files: int
    damaged: int

    def __str__(self) -> str:
        waiting = f"{_counted(self.spans, 'span')} in {_counted(self.files, 'file')} wait to arrive"
        if not self.spans:
            waiting = "no span waits"
        return f"{waiting}, {_counted(self.damaged, 'damaged file')}" if self.damaged else waiting


def _waiting(folder: Path) -> _Waiting:
    spans = [count for path in sorted(folder.glob("*.spool")) for count in _ended(path)]
    return _Waiting(sum(spans), sum(count > 0 for count in spans), sum(1 for _ in folder.glob("*.damaged")))


def _ended(path: Path) -> Iterator[int]:
    """How many finished spans in a file have not arrived; nothing, where it is gone by now or is not ours."""
    try:
        segment, records = Segment.open(path)
    except OSError:
        return
    segment.close()
    yield sum(record.kind is Kind.ENDED and not record.done for record in records)


def _mode(status: os.stat_result) -> str:
    return f"{stat.S_IMODE(status.st_mode):04o}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _size(count: int) -> str:
    """A number of bytes for people, never rounded to a larger unit that hides it."""
    if count < _KIB:
        return _counted(count, "byte")
    if count < _KIB**2:
        return f"{count / _KIB:.1f} KiB"
    return f"{count / _KIB**2:.1f} MiB"

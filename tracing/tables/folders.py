"""How do new tables take the place of old ones, so that nobody ever finds both mixed?"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EAGAIN
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from tracing.tables.columns import TABLES
from tracing.tables.parquet import TablesError

_PREFIX: Final = ".tables-"
_SUFFIX: Final = ".part"
_PART: Final = re.compile(r"part-[0-9]+\.parquet")


@contextmanager
def replacing_tables(out: Path) -> Iterator[Path]:
    """A folder for new tables, which take the place of those in ``out`` when the block ends well.

    When it fails nothing is left of them, and the old tables stay. What a process left that was killed is removed.

    Args:
        out: Folder of the tables; made if it is missing.

    Raises:
        TablesError: When another process writes there, or a table's folder holds files that are no table's.
        OSError: When the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _locked(out):
        for table in TABLES:
            _check(out / table)
        for leftover in out.glob(f"{_PREFIX}*{_SUFFIX}"):
            shutil.rmtree(leftover)
        new = Path(mkdtemp(prefix=_PREFIX, suffix=_SUFFIX, dir=out))
        try:
            for table in TABLES:
                (new / table).mkdir()
            yield new
            _sync(new)
            _swap(new, out)
        finally:
            shutil.rmtree(new)


def _check(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise TablesError(f"{folder} is in the way: it is no folder. Move it, or name another folder for the tables.")
    for path in sorted(folder.iterdir()) if folder.exists() else ():
        if not _PART.fullmatch(path.name) or not path.is_file():
            raise TablesError(f"{path} is no file of a table: move it, or name another folder for the tables.")


def _swap(new: Path, out: Path) -> None:
    # All old tables go before a new one comes: a process that is killed here leaves tables missing, but never mixed.
    old, undone = new / "old", new / "undone"
    old.mkdir()
    undone.mkdir()
    try:
        for table in TABLES:
            _move(out / table, old / table)
        for table in TABLES:
            _move(new / table, out / table)
    except BaseException:
        for table in TABLES:
            if not (new / table).exists():
                _move(out / table, undone / table)
        for table in TABLES:
            _move(old / table, out / table)
        raise
    _sync_folder(out)


def _move(folder: Path, to: Path) -> None:
    if folder.exists():
        folder.rename(to)


def _sync(folder: Path) -> None:
    """See to it that all of the new tables is on the disk before they take the names of the old ones."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())
        elif path.is_dir():
            _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # Windows has no such call
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep other processes from writing tables into the folder; the lock ends with the process."""
    if os.name != "posix":
        yield
        return
    import fcntl  # noqa: PLC0415 - Windows has none

    descriptor = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in {EACCES, EAGAIN}:
                raise TablesError(f"{out}: another process is writing tables there. Wait for it to end.") from None
            # Some network file systems cannot lock folders.
        yield
    finally:
        os.close(descriptor)

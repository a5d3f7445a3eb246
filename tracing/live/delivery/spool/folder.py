"""Whose are the files in a spool folder, and which of their owners are dead?

Each process has a lock file, held locked for as long as it lives: the operating system releases the lock when the
process dies, however it dies. Whoever gets the lock owns the files that bear its name; so of several processes that
start at once, one takes a dead one's files over.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tracing.config import logger

try:
    import fcntl
except ImportError:  # a platform without these locks
    LOCKS = False
else:
    LOCKS = True

_OWNER: Final = re.compile(r"(\d+-[0-9a-f]{16})\.(?:lock|\d+\.spool)")
_MAX_NEW: Final = 16


class Lock:
    """A lock file that this process holds.

    Attributes:
        owner: Name that its owner's files bear.
    """

    def __init__(self, folder: Path, owner: str, descriptor: int) -> None:
        self.owner = owner
        self._path = folder / f"{owner}.lock"
        self._folder = folder
        self._descriptor = descriptor

    def segments(self) -> list[Path]:
        """The owner's other files, oldest first."""
        return sorted(
            path
            for path in self._folder.iterdir()
            if path.suffix == ".spool" and path.name.startswith(f"{self.owner}.") and _OWNER.fullmatch(path.name)
        )

    def touch(self) -> None:
        """Give a sign of life."""
        os.utime(self._descriptor)

    def signed(self) -> int:
        """The last sign of life, in ns since the epoch."""
        return os.fstat(self._descriptor).st_mtime_ns

    def close(self) -> None:
        """Release the lock; the file stays, for there are others of its owner."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Release the lock, and remove its file."""
        self._path.unlink(missing_ok=True)
        self.close()


def usable_folder(path: str) -> Path | None:
    """The folder, made if need be; None, with one warning, where it cannot be used safely."""
    folder = Path(path).expanduser().absolute()
    if not LOCKS:
        logger.warning("DURABLE_TRACE_SPOOL needs file locks that this platform lacks: spans are not kept on disk.")
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        logger.warning("The spool folder %s cannot be used (%s): spans are not kept on disk.", folder, error.strerror)
        return None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        logger.warning(
            "The spool folder %s belongs to or can be written by others: spans are not kept on disk. Give a folder of "
            "this user's own, with mode 0700.",
            folder,
        )
        return None
    return folder


def new_lock(folder: Path) -> Lock:
    """A lock of this process's own.

    Raises:
        OSError: The folder cannot be written.
    """
    for _ in range(_MAX_NEW):
        lock = _locked(folder, f"{os.getpid()}-{secrets.token_hex(8)}", os.O_CREAT | os.O_EXCL)
        if lock is not None:
            return lock
    raise OSError("its files are taken away as soon as they are made")


def dead_owners(folder: Path) -> Iterator[Lock]:
    """Locks of owners that are dead, each now held by this process."""
    locked: dict[str, bool] = {}
    for path in folder.iterdir():
        if found := _OWNER.fullmatch(path.name):
            locked[found[1]] = locked.get(found[1], False) or path.suffix == ".lock"
    for owner in sorted(locked):
        # A lock that is gone by now was removed by who has dealt with the files, and is not made again.
        lock = _locked(folder, owner, 0 if locked[owner] else os.O_CREAT)
        if lock is not None:
            yield lock


def used_bytes(folder: Path) -> int:
    """Size of all files in the folder."""
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                total += entry.stat(follow_symlinks=False).st_size
            except OSError:  # removed meanwhile
                continue
    return total


def _locked(folder: Path, owner: str, create: int) -> Lock | None:
    path = folder / f"{owner}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | create, 0o600)
    except OSError:
        if create & os.O_EXCL:
            raise
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine, there = os.fstat(descriptor), path.stat(follow_symlinks=False)
    except OSError:  # held by its owner, or removed by who took it over
        os.close(descriptor)
        return None
    if (mine.st_ino, mine.st_dev) != (there.st_ino, there.st_dev) or not stat.S_ISREG(mine.st_mode):
        os.close(descriptor)
        return None
    return Lock(folder, owner, descriptor)

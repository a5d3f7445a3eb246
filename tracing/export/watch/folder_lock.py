"""How is a checkpoint kept from being used by two watchers, and from being read by others?"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # a platform without these locks
    LOCKS = False
else:
    LOCKS = True

_NAME: Final = "lock"


class FolderError(ValueError):
    """A folder that cannot be used, in one sentence with what to do about it."""


class FolderLock:
    """A folder of this user's own, locked for as long as this process lives or until it is let go.

    Args:
        folder: Made if it is missing.

    Raises:
        FolderError: It cannot be used, or another process has it.
    """

    def __init__(self, folder: Path) -> None:
        if not LOCKS:
            raise FolderError("A checkpoint needs file locks that this platform lacks.")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = folder.stat()
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise FolderError(
                    f"The checkpoint folder {folder} belongs to others, or others may write there: give a folder of "
                    "this user's own, with mode 0700."
                )
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(folder / _NAME, flags, 0o600)
        except OSError as error:
            raise FolderError(
                f"The checkpoint folder {folder} cannot be used ({error.strerror}): give another one."
            ) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            if isinstance(error, BlockingIOError):
                raise FolderError(
                    f"Another watcher uses the checkpoint folder {folder}: stop it, or give this one a folder of its "
                    "own."
                ) from None
            raise FolderError(
                f"The checkpoint folder {folder} cannot be locked ({error.strerror}): give one on a local disk."
            ) from None

    def close(self) -> None:
        """Let the folder go."""
        os.close(self._descriptor)

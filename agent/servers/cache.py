"""Where are downloaded and built programs kept, and how do two processes get one without harm?"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agent.servers.progress import Progress

CACHE_VARIABLE: Final = "DURABLE_TRACE_CACHE_DIR"

_PACKAGE: Final = Path(__file__).parent
_CHECKOUT: Final = _PACKAGE.parents[1]
_POLL_SECONDS: Final = 0.2


def project_file(relative: str) -> Path:
    """A file or folder of the project: from the checkout, or from the copy that an installed package carries."""
    return (_CHECKOUT if _in_checkout() else _PACKAGE / "project_files") / relative


def _in_checkout() -> bool:
    return (_CHECKOUT / "pyproject.toml").exists()


class Cache:
    """A folder of programs. A name is there only when it is whole.

    Args:
        folder: The folder; made when something is put into it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Cache:
        """``DURABLE_TRACE_CACHE_DIR``, else ``.cache`` of the checkout, else a folder of the user's cache."""
        if chosen := environ.get(CACHE_VARIABLE):
            return cls(Path(chosen).absolute())
        if _in_checkout():
            return cls(_CHECKOUT / ".cache")
        base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return cls(Path(base) / "durable-trace")

    def program(self, name: str) -> Path | None:
        """A program in the cache, or ``None``."""
        path = self.folder / "bin" / name
        return path if os.access(path, os.X_OK) and path.is_file() else None

    def log(self, name: str) -> Path:
        """Where the output of getting ``name`` goes."""
        return self.folder / "logs" / f"{name}.log"

    def get(self, name: str, make: Callable[[Path], Path], progress: Progress) -> Path:
        """A program in the cache, made first where it is missing.

        Args:
            name: Its name in the cache.
            make: Makes it in the empty work folder that it is given, and returns its path there.
            progress: Told when another process is making it, which is then waited for.
        """
        with self.locked(name, progress):
            if found := self.program(name):
                return found
            # Nobody else works here while we hold the lock: what is there was left by a maker that was killed.
            work = self.folder / "work" / name
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                made = make(work)
                target = self.folder / "bin" / name
                target.parent.mkdir(exist_ok=True)
                made.replace(target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            return target

    @contextmanager
    def locked(self, name: str, progress: Progress) -> Iterator[None]:
        """Hold the lock of one name. The kernel gives it back when its holder ends, however that happens."""
        path = self.folder / "locks" / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            if not _try_lock(lock.fileno()):
                with progress.step(f"Another process is getting {name}; waiting for it") as tick:
                    while not _try_lock(lock.fileno()):
                        time.sleep(_POLL_SECONDS)
                        tick()
            yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

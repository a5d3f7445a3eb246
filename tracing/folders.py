"""Which files are below a folder?

Whoever is given a folder asks here, so that the same folder means the same files everywhere: all that are below it, in
the order of their paths. Names that begin with a dot are left out: of our own they are what is not finished yet (an
export's work, tables that are being written), and of others what nobody means (a trash can, ``.git``).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

HIDDEN: Final = "."
"""How names begin that are left out."""

Choose = Callable[[list[str]], Iterable[str]]
"""Which of the files of one folder are wanted, by their paths."""


@dataclass(frozen=True, slots=True)
class Barred:
    """Something below a folder, or the folder, that cannot be read.

    Attributes:
        path: Its path.
        reason: What is wrong with it, as a sentence without its subject: "cannot be listed (Permission denied)".
        mend: What to do about it.
        error: What the system said of a folder: nobody knows what is in it. None of anything else.
    """

    path: str
    reason: str
    mend: str
    error: OSError | None = None


class _Kind(Enum):
    """What stands in a folder; OTHER is a link to a file, a link that leads nowhere, a pipe."""

    FOLDER = auto()
    LINKED_FOLDER = auto()
    FILE = auto()
    OTHER = auto()


def files_below(folder: Path, choose: Choose) -> Iterator[str | Barred]:
    """The files of a folder and of the folders below, in the order of their paths, found one by one.

    Links to files are files. Links to folders are not followed: they may lead back.

    Args:
        folder: The folder, whatever its own name.
        choose: Given the paths of what is in one folder and no folder itself, gives those that are wanted.

    Returns:
        Paths, and why a folder cannot be listed, or something that is wanted cannot be opened.
    """
    waiting = [(str(folder), _Kind.FOLDER)]
    while waiting:
        path, kind = waiting.pop()
        if kind is not _Kind.FOLDER:
            # Only what is no plain file is asked: one that has gone since is told by whoever opens it.
            yield path if kind is _Kind.FILE else barred(path) or path
            continue
        try:
            with os.scandir(path) as entries:
                inside = {entry.path: _kind(entry) for entry in entries if not entry.name.startswith(HIDDEN)}
        except OSError as error:
            yield Barred(path, f"cannot be listed ({error.strerror})", "check its permissions", error)
            continue
        chosen = choose([path for path, kind in inside.items() if kind in {_Kind.FILE, _Kind.OTHER}])
        found = [*(path for path, kind in inside.items() if kind is _Kind.FOLDER), *chosen]
        waiting += [(path, inside[path]) for path in sorted(found, reverse=True)]


def barred(path: str) -> Barred | None:
    """Why a path is no file that can be opened; None where it is one."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return Barred(path, "is a link that leads nowhere", "mend it, or take it away")
        return Barred(path, f"cannot be read ({error.strerror})", "check its permissions")
    if stat.S_ISREG(mode):
        return None
    # Opening a pipe would wait for ever.
    return Barred(path, "is neither a file nor a folder", "save what it gives to a file, and give that")


def _kind(entry: os.DirEntry[str]) -> _Kind:
    if entry.is_dir(follow_symlinks=False):
        return _Kind.FOLDER
    if entry.is_file(follow_symlinks=False):
        return _Kind.FILE
    try:
        return _Kind.LINKED_FOLDER if entry.is_dir() else _Kind.OTHER
    except OSError:  # a link to itself, or into a folder that may not be read: told when the entry's turn comes
        return _Kind.OTHER

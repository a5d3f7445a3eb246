"""Which files does a path name, and how is one opened? Local files and folders here, buckets in ``buckets.py``."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tracing.history.documents import Unreadable
from tracing.history.sources.cloud_export import is_object

SUFFIXES: Final = (".json", ".json.gz", ".json.zst", ".bin")
"""Endings of the files that are read from a folder. A file that is named itself may have any."""

_NO_FILE: Final = "It is neither a file nor a folder: save what it gives to a file, and give that."
_NOWHERE: Final = "It is a link that leads nowhere: mend it, or take it away."
Choose = Callable[[list[str]], Iterable[str]]
"""Which of the files of one folder are wanted."""
_URL: Final = re.compile(r"([^/\\]*?)://")


@dataclass(frozen=True, slots=True)
class File:
    """A file that may hold histories.

    Attributes:
        name: How it is called in messages.
        path: Its whole path or URL, with slashes; "" for bytes that are in no file.
        open: Opens it for reading; raises OSError.
        stamp: Gives what changes when its content does; "" where that is not known.
    """

    name: str
    path: str
    open: Callable[[], io.BufferedReader]
    stamp: Callable[[], str] = str

    @property
    def folder(self) -> str:
        """Where it lies: pages of one history lie in one folder."""
        return self.path.rpartition("/")[0]


def scheme_of(source: str) -> str:
    """Scheme of a URL in lower case; "" for a local path."""
    found = _URL.match(source)
    return found[1].lower() if found else ""


def is_history(path: str) -> bool:
    """Whether a file of a folder is read as a history."""
    return path.lower().endswith(SUFFIXES) or is_object(path)


def no_history(folder: str) -> Unreadable:
    """A folder without any history."""
    return Unreadable(
        folder,
        f"No file in this folder ends in {', '.join(SUFFIXES)}, and none is of Temporal Cloud's export "
        "(YYYY/MM/DD/HH/MM/NAME): give one that does.",
    )


def local_path(url: str) -> Path:
    """Path of a ``file://`` URL."""
    return Path(url2pathname(urlsplit(url).path))


def local_files(path: Path) -> Iterator[File | Unreadable]:
    """A file, or the histories in a folder and the folders below, in the order of their paths, found one by one."""
    try:
        if path.is_dir():
            found = False
            for file in _in_folder(path):
                found = True
                yield file
            if not found:
                yield no_history(str(path))
        elif path.is_file():
            yield _file(str(path))
        elif path.exists():
            yield Unreadable(str(path), _NO_FILE)
        else:
            yield Unreadable(str(path), "It does not exist: check the path.")
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = error.strerror if isinstance(error, OSError) else error
        yield Unreadable(str(path), f"It cannot be read ({reason}): check its permissions.")


def _in_folder(folder: Path) -> Iterator[File | Unreadable]:
    for found in below(folder, lambda paths: [path for path in paths if is_history(_whole(path))]):
        yield found if isinstance(found, Unreadable) else _file(found)


def below(folder: Path, choose: Choose, *, but: str = "") -> Iterator[str | Unreadable]:
    """The files of a folder and of the folders below, in the order of their paths, found one by one.

    Args:
        folder: The folder.
        choose: Given the paths of what is in one folder and no folder itself, gives those that are wanted.
        but: Name of folders that are left out.

    Returns:
        Paths, and why a folder cannot be listed, or something that is wanted cannot be opened.
    """
    waiting = [(str(folder), True)]
    while waiting:
        path, is_folder = waiting.pop()
        if not is_folder:
            yield _problem(path) or path
            continue
        try:
            with os.scandir(path) as entries:
                inside = [(entry.path, entry.is_dir(follow_symlinks=False), _is_folder(entry)) for entry in entries]
        except OSError as error:
            yield Unreadable(path, f"It cannot be listed ({error.strerror}): check its permissions.")
            continue
        # A link to a folder is not followed: it may lead back.
        folders = [(path, True) for path, real, _ in inside if real and os.path.basename(path) != but]  # noqa: PTH119
        files = choose([path for path, _, target in inside if not target])
        waiting += sorted([*folders, *((path, False) for path in files)], reverse=True)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be read: told when the entry's turn comes
        return False


def _problem(path: str) -> Unreadable | None:
    """Why a path of a folder is no file; None where it is one."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return Unreadable(path, _NOWHERE)
        return Unreadable(path, f"It cannot be read ({error.strerror}): check its permissions.")
    # Opening a pipe would wait for ever.
    return None if stat.S_ISREG(mode) else Unreadable(path, _NO_FILE)


def _file(path: str) -> File:
    def stamp() -> str:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            return ""
        return f"{status.st_size} bytes, {status.st_mtime_ns} ns"

    return File(path, _whole(path), lambda: open(path, "rb"), stamp)  # noqa: PTH123


def _whole(path: str) -> str:
    return os.path.abspath(path).replace(os.sep, "/")  # noqa: PTH100 - links stay: their names say the namespace

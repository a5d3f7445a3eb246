"""Which files does a path name, and how is one opened? Local files and folders here, buckets in ``buckets.py``."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tracing.folders import Barred, barred, files_below
from tracing.history.documents import Unreadable
from tracing.history.sources.cloud_export import is_object

SUFFIXES: Final = (".json", ".json.gz", ".json.zst", ".bin")
"""Endings of the files that are read from a folder. A file that is named itself may have any."""

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
        elif path.exists():
            bar = barred(str(path))
            yield _file(str(path)) if bar is None else unreadable(bar)
        else:
            yield Unreadable(str(path), "It does not exist: check the path.")
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = error.strerror if isinstance(error, OSError) else error
        yield Unreadable(str(path), f"It cannot be read ({reason}): check its permissions.")


def _in_folder(folder: Path) -> Iterator[File | Unreadable]:
    for found in files_below(folder, lambda paths: [path for path in paths if is_history(_whole(path))]):
        yield unreadable(found) if isinstance(found, Barred) else _file(found)


def unreadable(found: Barred) -> Unreadable:
    """Why something below a folder cannot be read, as a source that is refused."""
    return Unreadable(found.path, f"It {found.reason}: {found.mend}.")


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

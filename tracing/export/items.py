"""What is exported: which files, which runs of a server, which workflows of a database?

An item is only a description, small enough to be sent to a worker process, which reads it there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tracing.history.documents import Unreadable
from tracing.history.server.fetched import Fetched
from tracing.history.sources.listing import files
from tracing.tracefile.compression import SUFFIX
from tracing.tracefile.names import HISTORY_SUFFIX, TRACE_SUFFIX

SERVER: Final = "temporal://"
"""How the sources of runs on a server begin."""
DATABASES: Final = ("sqlite:///", "postgresql://")
"""How the sources of workflows in a database begin."""


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file with the history of a run, or of several.

    Attributes:
        path: The file: a path, or the URL of an object in a bucket.
        found: Whether it was found in a folder, and not named itself.
    """

    path: str
    found: bool = field(default=False, compare=False)

    @property
    def source(self) -> str:
        """The path as text that is valid in any file."""
        return printable(self.path)


@dataclass(frozen=True, slots=True)
class RunItem:
    """A run on a server.

    Attributes:
        namespace: Its namespace.
        workflow_id: Its workflow ID.
        run_id: Its run ID; "" where the server did not say which is the latest of the workflow ID.
        fetched: The run, where it had to be fetched to be found.
    """

    namespace: str
    workflow_id: str
    run_id: str = ""
    fetched: Fetched | None = field(default=None, compare=False, repr=False)

    @property
    def source(self) -> str:
        """An address that tells it from all other runs."""
        return _address(self.namespace, self.workflow_id, self.run_id)


@dataclass(frozen=True, slots=True)
class WorkflowItem:
    """A workflow of DBOS.

    Attributes:
        database: Its database, as messages call it: no password is in it.
        workflow_id: Its workflow ID.
    """

    database: str
    workflow_id: str

    @property
    def source(self) -> str:
        """An address that tells it from all other runs."""
        return f"{self.database}#{quote(self.workflow_id, safe='')}"


Item = FileItem | RunItem | WorkflowItem

_SPELLINGS: Final = (os.path.abspath, os.path.realpath)
"""A folder as it was called, and where it really is."""


@lru_cache(maxsize=256)  # it is asked for several times while a run is at hand
def _address(*ids: str) -> str:
    return SERVER + "/".join(quote(part, safe="") for part in ids if part)


def printable(path: str) -> str:
    """A path as text; bytes of its name that are no text become their code."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def file_items(paths: Iterable[str], output: Path | None = None) -> Iterator[FileItem | Unreadable]:
    """The files that paths mean: themselves, and in folders and buckets, however deep, those that are histories.

    What exports have written into the output folder is a source only where it is named itself: found in a folder, it
    would take the place of the history that it was made from, and hide that one's defects.

    Args:
        paths: Files, folders and URLs.
        output: The output folder.

    Yields:
        Items in the order of the paths, those of a folder by name; or why there are none.
    """
    written_to = {function(output).replace(os.sep, "/") for function in _SPELLINGS} if output is not None else set()
    for path in paths:
        for file in files(path):
            if isinstance(file, Unreadable):
                yield Unreadable(printable(file.source), file.reason)
            elif file.folder not in written_to or file.name == path or not _is_beside_trace(file.name):
                yield FileItem(file.name)


def _is_beside_trace(path: str) -> bool:
    """Whether a file is the history of a run beside its trace, as exports write them: the trace first."""
    for suffix in SUFFIX.values():
        name = path.removesuffix(HISTORY_SUFFIX + suffix)
        if name != path:
            return any(Path(name + TRACE_SUFFIX + compressed).exists() for compressed in SUFFIX.values())
    return False

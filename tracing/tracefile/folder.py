"""Which spans are in trace files, of a folder that may be huge, and that others may be writing to?

The IDs are kept in a table on disk that no file name leads to: however many spans there are, memory holds a part of it.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Self

from tracing.backends.target import TargetError
from tracing.folders import Barred
from tracing.tracefile.defects import Defect
from tracing.tracefile.listing import defect_of, traces_below
from tracing.tracefile.read import read_ids

_CACHE_KIB: Final = 32 * 1024
"""Memory for the table, in KiB; what does not fit goes to a temporary file that the system removes with the process."""
_CHUNK: Final = 10_000
"""Spans that are put into the table at once."""
_BEFORE: Final = 1024
"""Bytes by which a file is known again."""
_LISTINGS: Final = 3
"""How often a folder is listed whose files are being renamed."""


@dataclass
class _Read:
    """How much of a file has been read: its state then, where the first line begins that has not been, what is before.

    A file whose content before that is another is another file: it has the number of one that is gone, or was emptied
    and written anew.
    """

    state: tuple[int, int]
    whole: int = 0
    before: bytes = b""


class FolderIndex:
    """What trace files hold of each trace: an earlier export's, or those that a Collector's file exporter writes.

    They are read when first asked, and what was added is read by :meth:`refresh`. It may be used from any thread.

    Attributes:
        defects: What could not be read.

    Args:
        paths: Trace files, and folders with all that are below them.
    """

    def __init__(self, *paths: Path) -> None:
        self.defects: list[Defect] = []
        self._paths = paths
        self._read: dict[tuple[int, int], _Read] = {}
        self._lock = threading.Lock()
        # No name: a temporary database, which goes when it is closed.
        self._table = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._table.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.execute("CREATE TABLE spans (trace BLOB, span BLOB, PRIMARY KEY (trace, span)) WITHOUT ROWID")
        self._fresh = False

    def span_ids(self, trace_id: int) -> set[int]:
        """IDs of the closed spans of a trace: an open one may be closed by now, so it is not there yet.

        Raises:
            TargetError: When a folder, or one below it, cannot be listed, or there is no room for the table.
        """
        with self._lock:
            if not self._fresh:
                self._refresh()
            try:
                rows = self._table.execute("SELECT span FROM spans WHERE trace = ?", (trace_id.to_bytes(16, "big"),))
                return {int.from_bytes(span, "big") for (span,) in rows}
            except sqlite3.Error as error:
                raise _no_table(error) from None

    def refresh(self) -> None:
        """Read what was added since the files were read.

        Raises:
            TargetError: As for ``span_ids``.
        """
        with self._lock:
            self._refresh()

    def close(self) -> None:
        """Let the table go; nothing can be asked afterwards."""
        self._table.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refresh(self) -> None:
        for path in self._paths:
            try:
                self._add_all(path)
            except OSError as error:
                raise TargetError(
                    f"{error.filename or path} cannot be read ({error.strerror}). Check its name and its permissions."
                ) from None
            except sqlite3.Error as error:
                raise _no_table(error) from None
        self._fresh = True

    def _add_all(self, path: Path) -> None:
        for left in reversed(range(_LISTINGS)):
            try:
                for found in list(traces_below(path)):  # an empty folder has nothing, which is no defect
                    self._add_found(found)
            except FileNotFoundError:  # renamed or removed since the folder was listed, or there is none
                if not left or not path.exists():
                    raise
            else:
                return

    def _add_found(self, found: Path | Barred) -> None:
        if isinstance(found, Path):
            self._add(found)
        elif found.error is not None:
            raise found.error  # a folder that may not be listed is not taken for an empty one
        elif (defect := defect_of(found)) not in self.defects:  # a watcher lists the folder again and again
            self.defects.append(defect)

    def _add(self, file: Path) -> None:
        status = file.stat()
        # By number, not by name: a file that a Collector rotates takes another name and stays what it is.
        number, state = (status.st_dev, status.st_ino), (status.st_size, status.st_mtime_ns)
        known = self._read.get(number)
        if known is not None and known.state == state:
            return
        # Compressed files are read anew, as are those that have become others.
        plain = file.suffix == ".jsonl"
        start = known.whole if known is not None and plain and _before(file, known.whole) == known.before else 0
        reading = read_ids(file, start)
        while chunk := list(islice(reading, _CHUNK)):
            with self._table:  # one transaction: without, each row is one
                self._table.execute("BEGIN")
                self._table.executemany("INSERT OR IGNORE INTO spans VALUES (?, ?)", chunk)
        self.defects += reading.defects
        self._read[number] = _Read(state, reading.whole, _before(file, reading.whole) if plain else b"")


def _before(file: Path, place: int) -> bytes:
    """The last bytes of a file before a place: IDs and times of its last spans there. Who reads it says why not."""
    if not place:
        return b""
    with suppress(OSError), file.open("rb") as stream:
        stream.seek(max(0, place - _BEFORE))
        return stream.read(min(place, _BEFORE))
    return b""


def _no_table(error: sqlite3.Error) -> TargetError:
    return TargetError(
        f"Span IDs of trace files cannot be kept in a temporary file ({error}). Make room for it, or set "
        "SQLITE_TMPDIR to a folder that has some."
    )

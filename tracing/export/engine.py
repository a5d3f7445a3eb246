"""How do many histories become trace files: with bounded memory, on all cores, and resumed wherever it was interrupted?

This process lists items, hands them out and keeps the journal; workers read, convert, write and send, one history at a
time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Self

from tracing.export.commit import Commits
from tracing.export.items import Item
from tracing.export.job import Job
from tracing.export.journal import Journal, RecordFile, source_key
from tracing.export.layout import MANIFEST, journal_file, staging_folder, work_folder
from tracing.export.lock import locked
from tracing.export.manifest import write_manifest
from tracing.export.reading import Reader
from tracing.export.records import Record, decode_line
from tracing.export.schedule import Schedule
from tracing.export.server import ServerConnection
from tracing.export.settings import ExportSettings
from tracing.export.workers import InThisProcess, Processes, Workers
from tracing.history.documents import Unreadable


class Export:
    """One call: all that is done between its first item and the manifest. It is a context: its results are read in it.

    Attributes:
        done: How many items are done.
        kept: How many of them an earlier call had done.
        unread: What could not be read of the trace files that say what the target has; its spans were sent again.
    """

    def __init__(
        self,
        items: Iterable[Item | Unreadable],
        settings: ExportSettings,
        *,
        jobs: int = 1,
        server: ServerConnection | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare an export; nothing is touched yet.

        Args:
            items: What to export, and what cannot be.
            settings: What is done with it.
            jobs: How many worker processes; 1 for none, all is done in this one.
            server: A connection that items of a server are read through, where that is done in this process.
            waiting: Called when another export into the same folder has to be waited for.
        """
        self.done = 0
        self.kept = 0
        self.unread: tuple[str, ...] = ()
        self._items = items
        self._settings = settings
        self._jobs = jobs
        self._server = server
        self._waiting = waiting
        self._called: set[bytes] = set()
        self._manifest: BinaryIO | None = None

    def run(self) -> Iterator[tuple[Record, ...]]:
        """Export everything.

        Yields:
            The records of each item that is done, as it is done. What is sent is noted later: see ``records``.

        Raises:
            OSError: The output folder cannot be written.
            WorkersError: Worker processes cannot be started.
        """
        folder = self._settings.folder
        items = iter(self._items)
        first = next(items, None)  # before anything is touched: the server may not understand the query
        if first is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder, self._waiting) as lock:
            _tidy(folder)
            staging_folder(folder).mkdir(parents=True)
            with (
                closing(Journal(journal_file(folder))) as journal,
                closing(RecordFile(folder / MANIFEST)) as finished,
            ):
                commits = Commits(folder, journal, finished)
                try:
                    with closing(self._workers(lock)) as workers:
                        schedule = Schedule(self._settings, workers, commits, self._called)
                        for records in schedule.run(chain([first], items)):
                            self.done += 1
                            self.kept = schedule.kept
                            yield records
                        self.unread = tuple(schedule.unread)
                finally:
                    shutil.rmtree(staging_folder(folder), ignore_errors=True)
                commits.sync()
                self._manifest = write_manifest(folder, journal, finished, commits, self._is_called)
            _remove_work(folder)

    def records(self) -> Iterator[Record]:
        """The records of this call, in the order of their sources, once all is done; again, each time it is called."""
        if self._manifest is None:
            return
        self._manifest.seek(0)
        for line in self._manifest:
            record = decode_line(line)
            if record is not None and self._is_called(record.source):
                yield record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._manifest is not None:
            self._manifest.close()

    def _is_called(self, source: str) -> bool:
        return source_key(source) in self._called

    def _workers(self, lock: int | None) -> Workers:
        if self._jobs == 1:
            return InThisProcess(Job(self._settings, Reader(self._settings, self._server)))
        return Processes(self._settings.shared(self._jobs), self._jobs, () if lock is None else (lock,))


def _remove_work(folder: Path) -> None:
    shutil.rmtree(work_folder(folder))


def _tidy(folder: Path) -> None:
    """Take away what a process that was killed has left, but for its journal."""
    journal = journal_file(folder)
    work = work_folder(folder)
    if work.is_symlink():  # no export makes one: it may lead out of the folder
        work.unlink()
    if not work.is_dir():
        return
    for left in work.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left != journal or left.is_symlink():
            left.unlink()

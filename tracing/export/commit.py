"""When is an item done? When its files have their names, and its records are in the journal: in this order.

A process that is killed between the two leaves files without a record: the item is done again, with the same bytes.
Files are on the disk for certain once all is done; whoever resumes after a power cut trusts none without its hash.
Where two sources give the same run, the first in the order of the sources wins, whichever was done first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from tracing.export.items import DATABASES, SERVER
from tracing.export.journal import Journal, RecordFile, source_key
from tracing.export.records import Record, Sent, Timings, given_way
from tracing.export.staging import Staged
from tracing.tracefile.atomic import sync_folder
from tracing.tracefile.compression import SUFFIX
from tracing.tracefile.names import HISTORY_SUFFIX, TRACE_SUFFIX

_Place = tuple[int, int]
"""Ordinal of an item, and part."""

_FEW: Final = 64

_SUFFIXES: Final = tuple(suffix for suffix in SUFFIX.values() if suffix)


class _Owner(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """Whose history the files of a run are from, and which other histories have given way to it.

    There is one for each run until all are done: it is kept small.
    """

    ordinal: int
    part: int
    source: str
    namespace: str
    others: tuple[tuple[str, int], ...] = ()

    @property
    def place(self) -> _Place:
        return self.ordinal, self.part


class Commits:
    """Takes staged files into the output folder, and their records into the journal."""

    def __init__(self, folder: Path, journal: Journal, finished: RecordFile) -> None:
        """Nothing is done yet.

        Args:
            folder: Output folder.
            journal: What is done so far, by this call and by one that was interrupted.
            finished: The manifest of the calls before.
        """
        self._folder = folder
        self._journal = journal
        self._finished = finished
        self._owners: dict[bytes, _Owner] = {}
        self._unsynced: list[str] = []

    def owns(self, name: str) -> bool:
        """Whether a file, however compressed, is one of this call's runs."""
        return _key(name) in self._owners

    def previous(self, source: str) -> tuple[Record, ...]:
        """What is known of a source so far."""
        return self._journal.get(source) or self._finished.get(source)

    def is_resumed(self, source: str) -> bool:
        """Whether what is known of a source is of a call that was interrupted, or of this one."""
        return source in self._journal

    def commit(self, ordinal: int, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """Make an item done whose files are staged.

        Args:
            ordinal: Its place in the order of the sources.
            records: Its records.

        Returns:
            Its records, as they are in the journal.

        Raises:
            OSError: The output folder, or the journal in it, cannot be written.
        """
        staged = Staged(self._folder, ordinal)
        before = self.previous(records[0].source)
        done = tuple(self._taken(record, (ordinal, record.part), staged) for record in records)
        outdated, done = _replaced(before, done)
        self._journal.append(done)
        self._wait_for(done)
        for name in outdated:
            (self._folder / name).unlink(missing_ok=True)
        if any(record.state != "exported" for record in done):
            staged.discard()
        return done

    def keep(self, ordinal: int, records: tuple[Record, ...]) -> bool:
        """Make an item done whose files an earlier call has written, and which were seen to be whole.

        Returns:
            False where a later source of the same run was faster, and its file stands there by now: make it again.
        """
        owned = {_key(record.files[0].name): record for record in records}
        if owned.keys() & self._owners.keys():
            return False
        self._wait_for(records)
        for key, record in owned.items():
            self._owners[key] = _Owner(ordinal, record.part, record.source, sys.intern(record.namespace))
        if records != self._journal.get(records[0].source):
            self._journal.append(records)
        return True

    def note_sent(self, source: str, part: int, sent: Sent, seconds: float) -> None:
        """Note what became of a trace that was to be sent."""
        record = self._journal.get(source)[part - 1]
        timings = msgspec.structs.replace(record.timings or Timings(), send=seconds)
        self._note(msgspec.structs.replace(record, sent=sent, timings=timings))

    def sync(self) -> None:
        """Put all files of this call on the disk: a few one by one, many with whatever else waits for it."""
        if len(self._unsynced) > _FEW:
            os.sync()
        else:
            for name in self._unsynced:
                _sync_file(self._folder / name)
        sync_folder(self._folder)

    def _note(self, record: Record) -> None:
        self._journal.append([record])

    def _taken(self, record: Record, place: _Place, staged: Staged) -> Record:
        if record.state != "exported":
            return record
        key = _key(record.files[0].name)
        owner = self._owners.get(key)
        others: tuple[tuple[str, int], ...]
        if owner is not None and owner.place < place:
            others = (*owner.others, (record.source, record.part))
            self._owners[key] = msgspec.structs.replace(owner, others=others)
            return given_way(record, owner.source, owner.namespace)
        for file in record.files:
            staged.take(file.name)
        others = ()
        if owner is not None:
            others = ((owner.source, owner.part), *owner.others)
            for source, part in others:
                self._note(given_way(self._journal.get(source)[part - 1], record.source, record.namespace))
        self._owners[key] = _Owner(*place, record.source, sys.intern(record.namespace), others)
        return record

    def _wait_for(self, records: Iterable[Record]) -> None:
        if len(self._unsynced) <= _FEW:
            self._unsynced += (file.name for record in records for file in record.files)


def _replaced(before: tuple[Record, ...], done: tuple[Record, ...]) -> tuple[list[str], tuple[Record, ...]]:
    """What new files stand for, so that a run has one trace in the folder.

    Args:
        before: What an earlier call made of a source.
        done: What this one has made of it.

    Returns:
        Names of files that are outdated: the same in another compression, and those of a run on a server that was still
        open, or of a database. And the new records; they also name what is not outdated, such as a history that was not
        asked for now.
    """
    if not before:
        return [], done
    outdated: list[str] = []
    records = []
    for record in done:
        files = record.files
        now = {file.name for file in files}
        plain = {_plain(name) for name in now}
        kinds = {_kind(name) for name in now}
        for other in before:
            if not files or (other.workflow_id, other.run_id) != (record.workflow_id, record.run_id):
                continue
            # A workflow of DBOS may go on, though it was over.
            was_open = other.source.startswith(DATABASES) or (other.open and other.source.startswith(SERVER))
            for file in other.files:
                if file.name in now or file.name != Path(file.name).name:
                    continue
                if _plain(file.name) in plain or (was_open and _kind(file.name) in kinds):
                    outdated.append(file.name)
                else:
                    files += (file,)
        records.append(msgspec.structs.replace(record, files=files))
    return outdated, tuple(records)


def _kind(name: str) -> str:
    return HISTORY_SUFFIX if _plain(name).endswith(HISTORY_SUFFIX) else TRACE_SUFFIX


def _key(name: str) -> bytes:
    """A file's name however compressed, short enough to remember a million of them."""
    return source_key(_plain(name))


def _plain(name: str) -> str:
    """A file's name without what its compression adds."""
    return next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)


def _sync_file(path: Path) -> None:
    # A later source of the same run may have another name, and a user may take away what is there.
    with suppress(FileNotFoundError), path.open("rb") as file:
        os.fsync(file.fileno())

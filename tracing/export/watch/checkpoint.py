"""What has a watcher done, and what has a backend not acknowledged yet, however often both were killed?

The order of writes carries the guarantee. A run's batches are written first, then one record of the journal says that
the run is handled and that the batches up to a number count: files beyond that number are leavings of a kill, never
sent, and removed. Only then are they sent, and a file is removed when its batch was acknowledged. So a batch that was
sent has a file until it is acknowledged, and is sent again from it with the same bytes.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, Self

from tracing.export.watch.batch_files import KeptBatch, batch_numbers, batch_path, read_batch, write_batch
from tracing.export.watch.closed_runs import ClosedRun
from tracing.export.watch.folder_lock import FolderError, FolderLock
from tracing.export.watch.journal import DamagedError, Done, Head, Journal, Reached, Record, Split
from tracing.export.watch.state import VERSION, CheckpointError, Scope, damaged, state_of
from tracing.tracefile.atomic import sync_folder
from tracing.tracefile.batches import Batch, halves

_JOURNAL: Final = "journal"
_COMPACT_AFTER: Final = 4_000
"""Records that may be in the journal beside those that it needs, before it is written anew without them."""


class Checkpoint:
    """A folder that holds a watcher's state; one process has it at a time.

    Attributes:
        since: Close time, in µs since the epoch, up to which every run is handled that visibility showed.
        begin: Close time, in µs, before which runs are none of ours.
        pending_bytes: Size of all batches that are not acknowledged.
    """

    def __init__(self, folder: Path, lock: FolderLock, journal: Journal, head: Head, done: dict[str, int]) -> None:
        self.since = head.since
        self.begin = head.begin
        self._folder = folder
        self._lock = lock
        self._journal = journal
        self._head = head
        self._done = done
        self._next = head.next
        self._records = 1 + len(done)
        self._sizes = {number: batch_path(folder, number).stat().st_size for number in batch_numbers(folder)}
        self._waiting = deque(self._sizes)

    @classmethod
    def open(cls, folder: Path, scope: Scope, *, begin: int) -> Self:
        """Take a folder, and what a watcher before has left in it.

        Args:
            folder: Made if it is missing.
            scope: What is watched, and for whom.
            begin: Close time of the first runs, in µs since the epoch, where the folder is new.

        Raises:
            CheckpointError: It cannot be used, is another's, or is damaged.
        """
        try:
            lock = FolderLock(folder)
        except FolderError as error:
            raise CheckpointError(str(error)) from None
        try:
            return cls._opened(folder, lock, scope, begin)
        except OSError as error:
            lock.close()
            raise CheckpointError(
                f"The checkpoint folder {folder} cannot be used ({error.strerror}): give another one."
            ) from None
        except CheckpointError:
            lock.close()
            raise

    @classmethod
    def _opened(cls, folder: Path, lock: FolderLock, scope: Scope, begin: int) -> Self:
        path = folder / _JOURNAL
        for left in folder.glob(".*.part"):  # a kill while a file was written
            left.unlink()
        if not path.exists():
            head = Head(VERSION, asdict(scope), begin, begin, 1)
            _keep_only(folder, range(1))
            return cls(folder, lock, Journal.create(path, [head]), head, {})
        try:
            journal, records = Journal.open(path)
        except DamagedError as error:
            raise damaged(path, str(error)) from None
        try:
            head, done, split = state_of(path, records, scope)
            _keep_only(folder, range(head.next), split)
        except BaseException:
            journal.close()
            raise
        return cls(folder, lock, journal, head, done)

    def is_done(self, run_id: str) -> bool:
        """Whether a run was handled; of those that closed long before `since`, nothing is remembered."""
        return run_id in self._done

    def keep(self, run: ClosedRun, batches: Sequence[Batch]) -> None:
        """A run is handled; its batches are to be sent.

        Raises:
            OSError: They cannot be written; then the run is not handled.
        """
        sizes = {
            number: write_batch(batch_path(self._folder, number), KeptBatch(run.workflow_id, run.run_id, batch))
            for number, batch in enumerate(batches, self._next)
        }
        self._add(Done(run.run_id, run.closed, self._next + len(sizes)))
        self._done[run.run_id] = run.closed
        self._count(sizes)

    @property
    def pending(self) -> int:
        """How many batches are not acknowledged."""
        return len(self._waiting)

    @property
    def pending_bytes(self) -> int:
        """Size of their files."""
        return sum(self._sizes.values())

    def oldest(self) -> tuple[int, KeptBatch] | None:
        """The batch that was kept first of those that are not acknowledged, with its number.

        Raises:
            CheckpointError: Its file cannot be read. It is put aside: the next call gives the next one.
        """
        if not self._waiting:
            return None
        number = self._waiting[0]
        path = batch_path(self._folder, number)
        try:
            return number, read_batch(path)
        except (DamagedError, OSError) as error:
            aside = path.with_suffix(".damaged")
            with contextlib.suppress(FileNotFoundError):
                path.rename(aside)
            self._forget(number)
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise CheckpointError(
                f"{path} cannot be read ({reason}); it was put aside as {aside.name}. Some run's spans are in it: "
                "export the runs of its time with --repair."
            ) from None

    def acknowledged(self, number: int) -> None:
        """A backend has taken a batch, or has refused it for good: it is not sent again."""
        batch_path(self._folder, number).unlink(missing_ok=True)
        sync_folder(self._folder)
        self._forget(number)

    def split(self, number: int, kept: KeptBatch) -> None:
        """Two halves stand for a batch that is too large from now on.

        Raises:
            OSError: They cannot be written; then the batch stays as it is.
        """
        sizes = {
            new: write_batch(batch_path(self._folder, new), KeptBatch(kept.workflow_id, kept.run_id, half))
            for new, half in enumerate(halves(kept.batch), self._next)
        }
        self._add(Split(number, self._next + len(sizes)))
        self._count(sizes)
        self.acknowledged(number)

    def reach(self, since: int, *, remember: int) -> None:
        """Every run that closed before is handled.

        Args:
            since: Close time, in µs since the epoch.
            remember: Close time, in µs, since which handled runs are remembered.
        """
        if since > self.since:
            self._add(Reached(since))
            self.since = since
        self._done = {run_id: closed for run_id, closed in self._done.items() if closed >= remember}
        if self._records > len(self._done) + _COMPACT_AFTER:
            self._compact()

    def close(self) -> None:
        """Let the folder go, for another watcher."""
        self._journal.close()
        self._lock.close()

    def _compact(self) -> None:
        head = Head(VERSION, self._head.scope, self.begin, self.since, self._next)
        done = [Done(run_id, closed, self._next) for run_id, closed in self._done.items()]
        journal = Journal.create(self._folder / _JOURNAL, [head, *done])
        self._journal.close()
        self._journal = journal
        self._records = 1 + len(done)

    def _add(self, record: Record) -> None:
        self._journal.add(record)
        self._records += 1

    def _count(self, sizes: dict[int, int]) -> None:
        self._next += len(sizes)
        self._sizes |= sizes
        self._waiting.extend(sizes)

    def _forget(self, number: int) -> None:
        self._sizes.pop(number, None)
        self._waiting.remove(number)


def _keep_only(folder: Path, counted: range, split: Collection[int] = ()) -> None:
    """Remove files of batches that do not count: a kill came before their record, or others stand for them."""
    for number in batch_numbers(folder):
        if number not in counted or number in split:
            batch_path(folder, number).unlink()

"""Which spans has the spool kept, and which of them have arrived?

A span is kept when its record is in a file, and until each of its holders has delivered it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan

from tracing.config import logger
from tracing.live.delivery.drops import drops
from tracing.live.delivery.forks import each_in_forked_child
from tracing.live.delivery.spool.decoding import decode_span
from tracing.live.delivery.spool.encoding import encode_span, key_of
from tracing.live.delivery.spool.files import Files, FullError, Place
from tracing.live.delivery.spool.holders import Holders
from tracing.live.delivery.spool.records import Kind

BATCH_BYTES: Final = 4 << 20
"""Most bytes that are sent again at once."""


class Spool:
    """Finished spans on disk, until they have arrived; used from any thread.

    Args:
        folder: The folder; it is safe to use (see :func:`tracing.live.delivery.spool.folder.usable_folder`).
        max_bytes: Most bytes that all files in the folder may have.

    Raises:
        OSError: The folder cannot be written.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.closed = False
        self.on_activity: Callable[[], None] = lambda: None
        self._send: list[Callable[[], None]] = []
        self._warned = False
        self._begin(Files(folder, max_bytes), Holders())
        _spools.add(self)

    def _begin(self, files: Files | None, holders: Holders) -> None:
        self.changed = threading.Condition()
        self._files = files
        self._holders = holders
        self._started: dict[bytes, Place] = {}

    def add_exporter(self, send: Callable[[], None]) -> int:
        """A holder for one more exporter.

        Args:
            send: Called when spans wait to be sent again; returns at once.
        """
        with self.changed:
            self._send.append(send)
            return self._holders.add_exporter()

    def started(self, span: ReadableSpan) -> None:
        """Note that a span has begun, with what is known of it; nothing is sent of it while this process lives."""
        key, data = key_of(span), encode_span(span)
        with self.changed:
            place = self._append(Kind.STARTED, key, data)
            if place is not None:
                self._started[key] = place
        self.on_activity()

    def ended(self, key: bytes) -> None:
        """A span has ended, or nobody will learn that it did: its start no longer matters."""
        with self.changed:
            self._end(key)

    def keep(self, span: ReadableSpan, holder: int) -> bool:
        """Write a finished span, where it has not been, and let a holder hold it.

        Returns:
            Whether it is in a file; False where the spool is full or cannot be written.
        """
        key = key_of(span)
        with self.changed:
            if self._holders.hold(key, holder):
                return True
        data = encode_span(span)
        with self.changed:
            if not self._holders.hold(key, holder):
                place = self._append(Kind.ENDED, key, data)
                if place is not None:
                    self._holders.keep(key, place, holder)
            self._end(key)
            kept = key in self._holders
        self.on_activity()
        return kept

    def adopt(self, key: bytes, place: Place) -> None:
        """Take a finished span over from a dead owner: it waits for every exporter."""
        with self.changed:
            self._done(place if key in self._holders else self._holders.keep_for_all(key, place))
        self._waits()

    def lost(self, span: ReadableSpan) -> bool:
        """Write a span that ended with its worker; False where there is no room."""
        key, data = key_of(span), encode_span(span)
        with self.changed:
            if key not in self._holders:
                place = self._append(Kind.ENDED, key, data)
                if place is None:
                    return False
                self._done(self._holders.keep_for_all(key, place))
        self._waits()
        return True

    def delivered(self, keys: Iterable[bytes], holder: int) -> None:
        """A holder has no more to do with these spans."""
        with self.changed:
            for key in keys:
                self._done(self._holders.delivered(key, holder))

    def failed(self, keys: Iterable[bytes], holder: int) -> int:
        """A holder could not deliver these spans; they wait, behind those that wait already.

        Returns:
            How many of them are not kept: they are lost.
        """
        lost = 0
        with self.changed:
            for key in keys:
                if key in self._holders:
                    self._done(self._holders.failed(key, holder))
                else:
                    lost += 1
        self._waits()
        return lost

    def waiting(self) -> int:
        """How many spans are kept."""
        return len(self._holders)

    def size(self) -> int:
        """How many bytes all files in the folder have, those of other processes as they were when last looked at."""
        with self.changed:
            return self._files.used() if self._files is not None else 0

    def waiting_for(self, holder: int) -> int:
        """How many spans an exporter has failed to deliver so far."""
        return self._holders.waiting_for(holder)

    def next_batch(self, holder: int, limit: int) -> list[ReadableSpan]:
        """The spans that have waited longest to be sent again by an exporter."""
        with self.changed:
            keys = self._holders.oldest(holder, limit)
        batch: list[ReadableSpan] = []
        size = 0
        for key in keys:
            with self.changed:
                place = self._holders.place(key)
                data = self._read(place) if place is not None else None
            if place is None:
                continue
            try:
                batch.append(decode_span(data or b""))
            except ValueError:
                logger.warning("A span in %s cannot be read: it is skipped.", place.segment.path)
                drops.add("unreadable")
                with self.changed:
                    self._done(self._holders.forget(key))
            size += len(data or b"")
            if size > BATCH_BYTES:
                break
        return batch

    def take(self, use: Callable[[Files], None]) -> bool:
        """Work on the files themselves; nobody else does meanwhile. False where they are given up already."""
        with self.changed:
            if self._files is None or self.closed:
                return False
            use(self._files)
            return True

    def tend(self, *, measure: bool) -> None:
        """What is to be done about once a second: a sign of life, and space to be taken back.

        Args:
            measure: Whether to look how much the files of other processes take.
        """
        with self.changed:
            if self.closed or self._files is None:
                return
            self._files.touch()
            if measure:
                self._files.measure()
            self._rewrite(self._files)

    def close(self) -> None:
        """Give the files up: the next start sends what has not arrived."""
        with self.changed:
            if self.closed:
                return
            self.closed = True
            self.changed.notify_all()
            if self._files is not None:
                self._files.close()
                self._files = None

    def _append(self, kind: Kind, key: bytes, data: bytes) -> Place | None:
        if self.closed:
            return None
        try:
            if self._files is None:  # a forked child
                self._files = Files(self.folder, self.max_bytes)
            return self._files.append(kind, key, data)
        except (FullError, OSError) as error:
            if kind is Kind.ENDED:
                drops.add_unspooled()
            if not self._warned:
                self._warned = True
                reason = f"holds {self.max_bytes} bytes" if isinstance(error, FullError) else error.strerror or error
                logger.warning(
                    "The spool %s takes no more spans (%s). They are exported all the same, if they can be; a worker "
                    "that is killed loses them. DURABLE_TRACE_SPOOL_MAX_BYTES sets its size.",
                    self.folder,
                    reason,
                )
            return None

    def _waits(self) -> None:
        with self.changed:
            self.changed.notify_all()
        for send in self._send:
            send()

    def _end(self, key: bytes) -> None:
        self._done(self._started.pop(key, None))

    def _done(self, place: Place | None) -> None:
        if place is not None and self._files is not None and not self.closed:
            self._files.done(place)

    def _read(self, place: Place) -> bytes | None:
        return place.segment.read(place.record) if self._files is not None and not self.closed else None

    def _rewrite(self, files: Files) -> None:
        segment = files.sparse()
        for record in segment.records() if segment is not None else ():
            of_start = record.kind is Kind.STARTED
            place = self._started.get(record.key) if of_start else self._holders.place(record.key)
            if place is None or place.segment is not segment or place.record.offset != record.offset:
                continue
            data = segment.read(record)
            if data is None:
                continue
            try:
                moved = files.append(record.kind, record.key, data, moved=True)
            except (FullError, OSError):
                return
            if of_start:
                self._started[record.key] = moved
            else:
                self._holders.move(record.key, moved)
            files.done(place)

    def after_fork(self) -> None:
        """In a forked child: the files, and what is in them, are the parent's."""
        files = self._files
        self._begin(None, Holders(self._holders.exporters))
        if files is not None:
            files.abandon()


_spools: Final = each_in_forked_child(Spool.after_fork)

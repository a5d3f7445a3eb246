"""What becomes of the spool files of processes that are dead?

A starting process takes them over: finished spans that have not arrived are sent, and spans that were open become spans
that ended with their worker. The files stay where they are until all of that has arrived; should this process die, too,
the next one goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tracing.config import logger
from tracing.live.delivery.spool.files import Place
from tracing.live.delivery.spool.folder import Lock, dead_owners
from tracing.live.delivery.spool.lost import begun_by_worker, lost_attempts, lost_span
from tracing.live.delivery.spool.records import Kind
from tracing.live.delivery.spool.segment import Segment
from tracing.live.delivery.spool.store import Spool


def take_over(spool: Spool) -> None:
    """Take over the files of all dead owners in the spool's folder."""
    for lock in dead_owners(spool.folder):
        if spool.closed:
            _give_back(lock)
            return
        _take(spool, lock)


def _take(spool: Spool, lock: Lock) -> None:
    paths = lock.segments()
    # Before anything is written to them: that would be a sign of life.
    last_sign = max([lock.signed(), *(path.stat().st_mtime_ns for path in paths)])
    left = _left_in(paths)
    # File times are coarse: a span may have begun after the last of them.
    notes = {key: place.segment.read(place.record) or b"" for key, place in left.started.items()}
    last_sign = max([last_sign, *map(_begun, notes.values())])
    for key, place in left.started.items():
        # Killed between the two writes that a span's end makes: it ended.
        if key in left.all_ended or _lost(spool, place, notes[key], last_sign):
            place.segment.mark_done(place.record)
    if not spool.take(lambda files: files.take(lock, left.segments)):
        for segment in left.segments:
            segment.close()
        _give_back(lock)
        return
    for key, place in left.ended.items():
        spool.adopt(key, place)


@dataclass(slots=True)
class _Left:
    """What a dead owner left.

    Attributes:
        segments: Its files.
        started: Starts of spans that are not dealt with, by span.
        ended: Finished spans that have not arrived.
        all_ended: All spans that had ended.
    """

    segments: list[Segment] = field(default_factory=list)
    started: dict[bytes, Place] = field(default_factory=dict)
    ended: dict[bytes, Place] = field(default_factory=dict)
    all_ended: set[bytes] = field(default_factory=set)


def _left_in(paths: Iterable[Path]) -> _Left:
    left = _Left()
    for path in paths:
        segment = _opened(path)
        if segment is None:
            continue
        left.segments.append(segment)
        for record in segment.records():
            if record.kind is Kind.ENDED:
                left.all_ended.add(record.key)
            if record.done:
                continue
            places = left.started if record.kind is Kind.STARTED else left.ended
            before = places.get(record.key)
            if before is not None:  # moved to another file, and then killed
                before.segment.mark_done(before.record)
            places[record.key] = Place(segment, record)
    return left


def _give_back(lock: Lock) -> None:
    """Leave the files of a dead owner to whoever starts next: the spool was closed meanwhile."""
    if lock.segments():
        lock.close()
    else:  # another process has dealt with them
        lock.remove()


def _opened(path: Path) -> Segment | None:
    try:
        segment, _ = Segment.open(path)
    except OSError as error:
        logger.warning("The spool file %s cannot be read (%s): it is skipped.", path, error.strerror or error)
        return None
    if segment.damage:
        logger.warning("The spool file %s is skipped in part: %s. It is put aside.", path, segment.damage)
    return segment


def _begun(note: bytes) -> int:
    try:
        return begun_by_worker(note)
    except ValueError:
        return 0


def _lost(spool: Spool, place: Place, note: bytes, last_sign: int) -> bool:
    """Whether the note of a span's start is dealt with."""
    try:
        span = lost_span(note, last_sign)
    except ValueError:
        logger.warning("The start of a span in %s cannot be read: it is skipped.", place.segment.path)
        return True
    kept = spool.lost(span)
    if kept:
        lost_attempts.add(span)
    return kept

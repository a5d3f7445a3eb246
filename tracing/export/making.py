"""How does an item become files: read, converted, written?

Files are staged, and whoever gave the task takes them: so nobody finds half of an item, and of two sources of one run
always the same one wins.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec

from tracing.export.found import FoundRun
from tracing.export.items import FileItem, Item
from tracing.export.reading import Reader
from tracing.export.records import Record, Timings, WrittenFile, capped, given_way, refusal
from tracing.export.settings import ExportSettings
from tracing.export.staging import Staged
from tracing.export.tasks import Made, Make
from tracing.history.documents import Unreadable
from tracing.spans.model import Span
from tracing.tracefile.compression import CompressionError
from tracing.tracefile.encode import LineWriter
from tracing.tracefile.names import HISTORY_SUFFIX, TRACE_SUFFIX, run_name
from tracing.tracefile.write import history_pieces

_BLOCK: Final = 1 << 20
_MAX_FAULT: Final = 300


class Maker:
    """Makes files of items, one after the other."""

    def __init__(self, settings: ExportSettings, reader: Reader) -> None:
        self._settings = settings
        self._fingerprint = settings.fingerprint()
        self._reader = reader
        self._writer = LineWriter()

    def make(self, task: Make) -> Made:
        """Export an item into staged files, unless its files are there, whole, and made with these settings."""
        if task.previous and self._done(task):
            return Made(())
        staged = Staged(self._settings.folder, task.ordinal)
        try:
            stamp = self._reader.stamp(task.item)
            records = list(self._records(task.item, staged, stamp))
        except Exception as error:  # noqa: BLE001 - one history must not end the export of ten thousand
            staged.discard()
            records = [refusal(task.item, _fault(error))]
        if not records:
            records = [refusal(task.item, "It holds no history.")]
        numbered = (
            msgspec.structs.replace(record, part=part, parts=len(records)) for part, record in enumerate(records, 1)
        )
        return Made(tuple(numbered))

    def _done(self, task: Make) -> bool:
        stamp = self._reader.stamp(task.item)
        return bool(stamp) and all(
            record.state == "exported"
            and record.stamp == stamp
            and record.settings == self._fingerprint
            and all(_is_there(self._settings.folder, file) for file in record.files)
            for record in task.previous
        )

    def _records(self, item: Item, staged: Staged, stamp: str) -> Iterator[Record]:
        seen: dict[str, str] = {}
        begun = perf_counter()
        for found in self._reader.read(item):
            read_in = perf_counter() - begun
            if isinstance(found, Unreadable):
                yield refusal(item, found.reason)
            else:
                record = self._written(item, found, staged, seen)
                timings = record.timings and msgspec.structs.replace(record.timings, read=round(read_in, 6))
                # What was put together of several files changes with each of them.
                changeable = not _is_of(found.source, item.path) if isinstance(item, FileItem) else record.open
                changeable = changeable or found.may_change or found.is_part
                yield msgspec.structs.replace(record, timings=timings, stamp="" if changeable else stamp)
            begun = perf_counter()

    def _written(self, item: Item, run: FoundRun, staged: Staged, seen: dict[str, str]) -> Record:
        """Convert and write one run.

        Args:
            item: Where it comes from.
            run: The run.
            staged: Where to.
            seen: Namespaces of the runs of this item so far, by the names of their files.
        """
        begun = perf_counter()
        spans = run.spans(self._settings.config)
        converted = perf_counter()
        is_open = run.is_open(spans)
        name = run_name(run.workflow_id, run.run_id)
        if is_open:
            # A run still open has another trace tomorrow: its last event, or step, tells the two apart.
            name = f"{name}-{run.state}"
        record = Record(
            source=item.source,
            state="exported",
            namespace=run.namespace,
            workflow_id=run.workflow_id,
            run_id=run.run_id,
            defects=capped(run.defects),
            undecoded=run.unread_values(spans),
        )
        if name in seen:
            return given_way(record, item.source, seen[name])
        seen[name] = run.namespace
        try:
            files = self._files(run, staged, name, spans)
        except (OSError, CompressionError) as error:
            return msgspec.structs.replace(record, state="refused", refused=str(error))
        written = perf_counter()
        return msgspec.structs.replace(
            record,
            files=files,
            spans=len(spans),
            open=is_open,
            settings=self._fingerprint,
            timings=Timings(convert=round(converted - begun, 6), write=round(written - converted, 6)),
        )

    def _files(self, run: FoundRun, staged: Staged, name: str, spans: list[Span]) -> tuple[WrittenFile, ...]:
        compression = self._settings.compression
        files = [staged.write(f"{name}{TRACE_SUFFIX}", self._writer.lines(spans), compression=compression)]
        if self._settings.with_history and run.history is not None:
            pieces = history_pieces(name, run.history)
            files.append(staged.write(f"{name}{HISTORY_SUFFIX}", pieces, compression=compression, private=True))
        return tuple(files)


def _is_of(source: str, path: str) -> bool:
    """Whether a history was read from this file alone."""
    return source == path or source.startswith(f"{path}[")


def _fault(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    what = f"{type(error).__name__}: {error}"[:_MAX_FAULT]
    return f"It cannot be converted ({what}{where}): that is a fault of durable-trace; report it."


def _is_there(folder: Path, file: WrittenFile) -> bool:
    path = folder / Path(file.name).name
    try:
        return path.stat().st_size == file.size and _sha256(path) == file.sha256
    except OSError:
        return False


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()

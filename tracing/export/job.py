"""What happens to one task: an item is made into files, or what was written is sent."""

from __future__ import annotations

from time import perf_counter

from tracing.backends.client import shown
from tracing.backends.target import Target
from tracing.export.making import Maker
from tracing.export.reading import Reader
from tracing.export.records import Sent
from tracing.export.settings import ExportSettings
from tracing.export.tasks import Delivered, Make, Result, Send, Task
from tracing.tracefile.folder import FolderIndex
from tracing.tracefile.read import read_traces
from tracing.tracefile.repair import repair
from tracing.tracefile.reroot import parents_to_come
from tracing.tracefile.send import send


class Job:
    """Does tasks, one after the other, in this process."""

    def __init__(self, settings: ExportSettings, reader: Reader | None = None) -> None:
        self._settings = settings
        self._reader = reader or Reader(settings)
        self._maker = Maker(settings, self._reader)
        self._target: Target | None = None
        self._have: FolderIndex | None = None
        self._told = 0

    @property
    def ahead(self) -> int:
        """How many tasks may be at hand."""
        return self._reader.ahead

    def prepare(self, task: Task) -> None:
        """Begin with what takes time without work, while other tasks are done."""
        if isinstance(task, Make) and not task.previous:
            self._reader.prepare(task.item)

    def do(self, task: Task) -> Result:
        """Do a task. What goes wrong is in its result, never raised."""
        return self._send(task) if isinstance(task, Send) else self._maker.make(task)

    def close(self) -> None:
        """Let go of what the reader holds, and of what was read of trace files."""
        self._reader.close()
        if self._have is not None:
            self._have.close()

    def _send(self, task: Send) -> Delivered:
        """Send a trace file, or what the target lacks of it."""
        settings = self._settings
        begun = perf_counter()
        if self._target is None:
            self._target = settings.target()
            assert self._target is not None  # who gives the task knows where to
        reading = read_traces([settings.folder / task.name])
        spans = list(reading)
        if settings.have and self._have is None:
            self._have = FolderIndex(*settings.have)
        coming = parents_to_come(spans)
        if settings.repair:
            result = repair(spans, self._target, have=self._have, coming=coming)
        else:
            result = send(spans, self._target, coming=coming)
        sent = Sent(
            target=shown(self._target.endpoint),
            repair=settings.repair,
            sent=result.sent,
            known=result.known,
            sampled_out=result.sampled_out,
            lost=result.rejected + result.unsent,
            problems=(*(str(defect) for defect in reading.defects), *result.problems),
        )
        return Delivered(sent, round(perf_counter() - begun, 6), self._unread())

    def _unread(self) -> tuple[str, ...]:
        """What could not be read of the trace files that are asked, and was not told yet."""
        if self._have is None:
            return ()
        new = tuple(str(defect) for defect in self._have.defects[self._told :])
        self._told += len(new)
        return new

"""Which task is next, and what follows from its result?"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

from tracing.backends.client import shown
from tracing.export.commit import Commits
from tracing.export.items import Item
from tracing.export.journal import source_key
from tracing.export.records import Record, refusal, without_details
from tracing.export.sending import Sends
from tracing.export.settings import ExportSettings
from tracing.export.tasks import Delivered, Made, Make, Send, Task
from tracing.export.workers import Lost, Workers
from tracing.history.documents import Unreadable

_TRIES: Final = 2
"""How many workers may die over one task."""

_Records = tuple[Record, ...]


class Schedule:
    """Hands out tasks, and takes their results.

    Attributes:
        kept: How many items an earlier call had done.
        unread: What could not be read of the trace files that say what the target has, in the order it was told.
    """

    def __init__(self, settings: ExportSettings, workers: Workers, commits: Commits, called: set[bytes]) -> None:
        """Nothing is begun yet.

        Args:
            settings: What is done with each history.
            workers: Who does it.
            commits: Where it ends.
            called: Gets the keys of the sources of this call.
        """
        self.kept = 0
        self.unread: dict[str, None] = {}
        self._workers = workers
        self._commits = commits
        self._called = called
        target = settings.target()
        self._sends = Sends(commits, shown(target.endpoint), repair=settings.repair) if target is not None else None
        self._again: deque[Task] = deque()
        self._deaths: Counter[tuple[str, int]] = Counter()

    def run(self, items: Iterator[Item | Unreadable]) -> Iterator[_Records]:
        """Do all items.

        Yields:
            The records of each.
        """
        numbered = enumerate(self._once(items))
        while True:
            while self._workers.has_room and (task := self._follow_up() or next(numbered, None)) is not None:
                if not isinstance(task, tuple):
                    self._workers.submit(task)
                    continue
                ordinal, item = task
                if isinstance(item, Unreadable):
                    refused = Record(source=item.source, state="refused", refused=item.reason)
                    yield self._committed(ordinal, item, (refused,))
                else:
                    previous = tuple(without_details(record) for record in self._commits.previous(item.source))
                    self._workers.submit(Make(ordinal, item, previous))
            if self._workers.idle:
                return
            for task, result in self._workers.answers():
                yield from self._follow(task, result)

    def _once(self, items: Iterator[Item | Unreadable]) -> Iterator[Item | Unreadable]:
        """Each source once: a server may list a run twice, a path may be in a folder that is given as well."""
        for item in items:
            key = source_key(item.source)
            if key not in self._called:
                self._called.add(key)
                yield item

    def _follow_up(self) -> Task | None:
        if self._again:
            return self._again.popleft()
        return self._sends.next() if self._sends is not None else None

    def _follow(self, task: Task, result: Made | Delivered | Lost) -> Iterator[_Records]:
        if isinstance(result, Lost):
            yield from self._lost(task, result.reason)
        elif isinstance(result, Delivered):
            assert isinstance(task, Send)
            self._commits.note_sent(task.source, task.part, result.sent, result.seconds)
            self.unread.update(dict.fromkeys(result.unread))
        else:
            assert isinstance(task, Make)
            if result.records:
                yield self._committed(task.ordinal, task.item, result.records)
            elif kept := self._kept(task):
                self.kept += 1
                yield kept
            else:
                self._again.append(Make(task.ordinal, task.item))

    def _committed(self, ordinal: int, item: Item | Unreadable, records: _Records) -> _Records:
        records = self._commits.commit(ordinal, records)
        if self._sends is not None:
            self._sends.add(ordinal, item.source)
        return records

    def _kept(self, task: Make) -> _Records:
        source = task.item.source
        records = self._commits.previous(source)
        if self._sends is not None and not self._commits.is_resumed(source):
            records = tuple(self._sends.of_earlier_call(record) for record in records)
        if not self._commits.keep(task.ordinal, records):
            return ()
        if self._sends is not None:
            self._sends.add(task.ordinal, source)
        return records

    def _lost(self, task: Task, reason: str) -> Iterator[_Records]:
        place = (task.source, task.part) if isinstance(task, Send) else (task.item.source, 0)
        self._deaths[place] += 1
        if self._deaths[place] < _TRIES:
            self._again.append(task)
            return
        told = f"The process that worked on it was ended {_TRIES} times ({reason})"
        if isinstance(task, Send):
            assert self._sends is not None
            problem = f"{told}: its spans may not have arrived. Send {task.name} alone."
            self._commits.note_sent(task.source, task.part, self._sends.failed(problem), 0.0)
        else:
            refused = refusal(task.item, f"{told}: export it alone, with more memory, by --jobs 1.")
            yield self._committed(task.ordinal, task.item, (refused,))

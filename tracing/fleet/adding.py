"""How are the runs of many inputs added up, each once, on all cores?

Each run is read, accounted, added and forgotten. Those that several inputs hold are taken out again at the end, put
together, and added once.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from tracing.cost import account
from tracing.export.items import RunItem
from tracing.fleet.holders import Holders
from tracing.fleet.inputs import Input
from tracing.fleet.one_run import OneRun
from tracing.fleet.reading import Readers
from tracing.fleet.sums import Question, Sums
from tracing.parallel import in_processes
from tracing.tables.grouping import Group, merged

_PART: Final = 50
"""Inputs that a worker process gets at once."""

Progress = Callable[[int], None]
"""Takes how many inputs are done."""


@dataclass(slots=True)
class _Part:
    """The sums over some inputs, and the keys of the runs that each holds, one after the other."""

    sums: Sums
    keys: list[bytes]


def sums(
    found: Iterable[Input], question: Question, readers: Readers, *, jobs: int = 1, progress: Progress = lambda _: None
) -> Sums:
    """Sum up all runs of some inputs.

    Args:
        found: The inputs, taken while they are read.
        question: What is summed up.
        readers: Reads inputs in this process: those of a server, and all where there is one process.
        jobs: Processes that share the work. A script that names more than one must be safe to import, as for every use
            of `multiprocessing`: ``if __name__ == "__main__":``.
        progress: Told from time to time.

    Returns:
        The sums; each run counts once, as late in its life as any input tells it.
    """
    call = _Call(question, readers, progress)
    rest = call.first_ones(iter(found))
    if jobs > 1:
        call.in_processes(rest, jobs)
    else:
        call.here(rest)
    return call.result()


class _Call:
    """One call of ``sums``."""

    def __init__(self, question: Question, readers: Readers, progress: Progress) -> None:
        self._question = question
        self._readers = readers
        self._progress = progress
        self._sums = Sums()
        self._holders = Holders()
        self._one_run = OneRun()

    def first_ones(self, found: Iterator[Input]) -> Iterator[Input]:
        """Read inputs in this process, as long as there is but one run in them; the rest."""
        while self._one_run.alone and (item := next(found, None)) is not None:
            self.here([item])
        return found

    def here(self, found: Iterable[Input]) -> None:
        """Read inputs in this process."""
        waiting: deque[Input] = deque()
        for item in found:
            self._readers.prepare(item)
            waiting.append(item)
            if len(waiting) >= self._readers.ahead(item):
                self._take(waiting.popleft())
        for item in waiting:
            self._take(item)

    def in_processes(self, found: Iterator[Input], jobs: int) -> None:
        """Read files in worker processes, runs of a server in this one."""
        for files, part in in_processes(partial(_sum_part, self._question), self._files(found), jobs):
            self._sums.merge(part.sums)
            for item, keys in zip(files, part.keys, strict=True):
                self._note(item, keys)

    def _files(self, found: Iterator[Input]) -> Iterator[Sequence[Input]]:
        while part := list(islice(found, _PART)):
            self.here([item for item in part if isinstance(item, RunItem)])
            yield [item for item in part if not isinstance(item, RunItem)]

    def result(self) -> Sums:
        """The sums, when all inputs have been read."""
        self._join_shared()
        if self._sums.total.runs <= 1:
            self._sums.few = self._one_run.accounts()
        self._sums.rows = {values: tally for values, tally in self._sums.rows.items() if tally.runs}
        return self._sums

    def _take(self, item: Input) -> None:
        keys = bytearray()
        for group in _runs(self._readers, item, self._sums.failures):
            run = account(group.spans)
            self._sums.add(run, self._question)
            keys += group.key
            self._one_run.hold(group, replay=bool(run.replay_id))
        self._note(item, bytes(keys))

    def _note(self, item: Input, keys: bytes) -> None:
        self._progress(self._holders.note(item, keys))

    def _join_shared(self) -> None:
        """Put together the runs that several inputs hold."""
        for inputs, keys in self._holders.shared():
            copies: defaultdict[bytes, list[Group]] = defaultdict(list)
            for item in inputs:
                for group in _runs(self._readers, item, []):  # what cannot be read was named before
                    if group.key in keys:
                        copies[group.key].append(group)
            for of_run in copies.values():
                for copy in of_run:
                    self._sums.remove(account(copy.spans), self._question)
                self._sums.add(account(merged(of_run)), self._question)


def _runs(readers: Readers, item: Input, failures: list[str]) -> Iterator[Group]:
    return (group for group in readers.groups(item, failures) if group.run_id)


def _sum_part(question: Question, files: Sequence[Input]) -> _Part:
    """The sums over some files, in a worker process."""
    part = _Part(Sums(), [])
    decoder = question.decoding.open() if question.decoding else None
    with Readers(question.config, decoder=decoder, namespace=question.namespace) as readers:
        for item in files:
            keys = bytearray()
            for group in _runs(readers, item, part.sums.failures):
                part.sums.add(account(group.spans), question)
                keys += group.key
            part.keys.append(bytes(keys))
    return part

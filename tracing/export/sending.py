"""When is a trace sent? Once it is certain that no earlier source gives the same run: so each run is sent once."""

from __future__ import annotations

from collections import deque

import msgspec

from tracing.export.commit import Commits
from tracing.export.records import Record, Sent
from tracing.export.tasks import Send


class Sends:
    """Which traces are still to be sent."""

    def __init__(self, commits: Commits, target: str, *, repair: bool) -> None:
        self._commits = commits
        self._target = target
        self._repair = repair
        self._done: dict[int, str] = {}
        self._first = 0
        self._ready: deque[Send] = deque()

    def next(self) -> Send | None:
        """A trace that can be sent now, if there is one."""
        return self._ready.popleft() if self._ready else None

    def add(self, ordinal: int, source: str) -> None:
        """An item is done. What was written for it is ready when all items before it are done as well."""
        self._done[ordinal] = source
        while (before := self._done.pop(self._first, None)) is not None:
            self._first += 1
            self._ready += (
                Send(record.source, record.part, record.files[0].name)
                for record in self._commits.previous(before)
                if record.files and not self._is_sent(record)
            )

    def of_earlier_call(self, record: Record) -> Record:
        """A record of a call that was finished: what it sent is there now. A repair asks the target again."""
        sent = record.sent
        if sent is None or self._repair or not self._is_sent(record):
            return msgspec.structs.replace(record, sent=None)
        return msgspec.structs.replace(record, sent=msgspec.structs.replace(sent, sent=0, known=sent.sent + sent.known))

    def failed(self, problem: str) -> Sent:
        """What became of a trace that could not be sent."""
        return Sent(target=self._target, repair=self._repair, problems=(problem,))

    def _is_sent(self, record: Record) -> bool:
        sent = record.sent
        return (
            sent is not None
            and sent.target == self._target
            and (sent.repair or not self._repair)
            and not sent.lost
            and not sent.problems
        )

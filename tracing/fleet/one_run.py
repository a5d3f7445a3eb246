"""Is there but one run in what was read, and what are its copies and replays? Then its steps can be shown."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from tracing.cost import RunAccount, account
from tracing.tables.grouping import Group, merged

_MAX_HELD: Final = 64
"""Copies and replays of one run that are held."""


class OneRun:
    """Holds the spans of a run, as long as no other one comes."""

    def __init__(self) -> None:
        self._held: list[Group] | None = []
        self._runs: set[bytes] = set()

    @property
    def alone(self) -> bool:
        """Whether no other run has come."""
        return self._held is not None

    def hold(self, group: Group, *, replay: bool) -> None:
        """Take spans of a run, or of a replay of one."""
        if self._held is None:
            return
        self._held.append(group)
        self._runs |= set() if replay else {group.key}
        if len(self._held) > _MAX_HELD or len(self._runs) > 1:
            self._held = None

    def accounts(self) -> list[RunAccount]:
        """The run and its replays, each once, in the order in which they began; none where there were other runs."""
        copies: defaultdict[bytes, list[Group]] = defaultdict(list)
        for group in self._held or ():
            copies[group.key].append(group)
        return sorted((account(merged(each)) for each in copies.values()), key=lambda run: (run.start, run.replay_id))

"""Where does code part from a history: what does the history say is next, and what did the code ask for?

That it does is Core's verdict; its message seldom names both sides. So what was asked for is laid beside what is
recorded, in order. Markers of local activities are apart: one is recorded when its activity has ended.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from temporalio.api.history.v1 import HistoryEvent

from tracing.replay.code_lines import SourceLine
from tracing.replay.commands import Command, event_name, recorded_command

_EVENT: Final = re.compile(r"HistoryEvent\(id: (\d+)|\bevent[_ ]id:? (\d+)", re.IGNORECASE)
_LOCAL: Final = re.compile(r"LocalActivity\(|recorded marker|local activity", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Issued:
    """A command of replayed code.

    Attributes:
        command: What it asks for.
        activation: Number of the activation that it answers, from 1.
        source: Where it was issued, where that is known.
        step: Position of its step among all; None where it is none.
        open: Whether that step has got no result.
    """

    command: Command
    activation: int
    source: SourceLine | None
    step: int | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where code and history part, or where the code raised.

    Attributes:
        event_id: Event at which they part; None where neither the SDK names one nor the comparison finds one.
        event_type: Type of that event, or "".
        expected: What the history says was asked for; None where the event records no command.
        actual: What the code asked for instead; None where it asked for nothing, or raised.
        error: What the code raised where the run did not: class and message; else "".
        source: Line of the workflow's code that asked for it, raised, or waits.
        step: Position of what was asked for among the steps of the replay; None where it is no step.
    """

    event_id: int | None = None
    event_type: str = ""
    expected: Command | None = None
    actual: Command | None = None
    error: str = ""
    source: SourceLine | None = None
    step: int | None = None

    @property
    def expected_words(self) -> str:
        """What the history says is next: ``activity 'sum_up' (ID 2)``, or the type of the event; "" where unknown."""
        return str(self.expected) if self.expected is not None else self.event_type

    @property
    def actual_words(self) -> str:
        """What the code did instead."""
        return self.error or (str(self.actual) if self.actual is not None else "nothing")

    @property
    def report(self) -> tuple[tuple[str, str], ...]:
        """What to show of it: a heading and words each."""
        expected = (("expected", self.expected_words),) if self.expected_words else ()
        line = (("line", str(self.source)),) if self.source is not None else ()
        return (*expected, ("actual", self.actual_words), *line)


def divergence(
    events: Sequence[HistoryEvent], issued: Sequence[Issued], message: str, waiting: SourceLine | None
) -> Divergence:
    """Find where code and history part.

    Args:
        events: The history.
        issued: What the code asked for, in that order; without what was taken back before it was sent.
        message: Core's words.
        waiting: Where the code waits or ended.
    """
    found = _EVENT.search(message)
    anchor = int(found[1] or found[2]) if found else None
    recorded = _recorded(events, local=False)
    asked = [each for each in issued if each.command.kind != "local_activity"]
    if anchor is not None:
        expected = next((each for each in (*recorded, *_recorded(events, local=True)) if each.event_id == anchor), None)
        position = recorded.index(expected) if expected in recorded else _parting(recorded, asked)
    elif _LOCAL.search(message):
        return _local(events, issued, waiting)
    else:
        position = _parting(recorded, asked)
        expected = recorded[position] if position < len(recorded) else None
    actual = asked[position] if position < len(asked) else _pending_local(issued)
    return _divergence(events, anchor, expected, actual, waiting)


def next_expected(events: Sequence[HistoryEvent], issued: Sequence[Issued]) -> Command | None:
    """What a history records after all that the code asked for, as far as both agree; None where nothing follows."""
    recorded = _recorded(events, local=False)
    asked = [each for each in issued if each.command.kind != "local_activity"]
    position = _parting(recorded, asked)
    return recorded[position] if position < len(recorded) else None


def _recorded(events: Sequence[HistoryEvent], *, local: bool) -> list[Command]:
    found = (recorded_command(event) for event in events)
    return [each for each in found if each is not None and (each.kind == "local_activity") == local]


def _parting(recorded: Sequence[Command], asked: Sequence[Issued]) -> int:
    """The first position at which the two differ, or one of them ends."""
    for position, (expected, actual) in enumerate(zip(recorded, asked, strict=False)):
        if not actual.command.fits(expected):
            return position
    return min(len(recorded), len(asked))


def _pending_local(issued: Sequence[Issued]) -> Issued | None:
    """A local activity that was asked for and has no marker: Core would run it now."""
    return next((each for each in issued if each.command.kind == "local_activity" and each.open), None)


def _local(events: Sequence[HistoryEvent], issued: Sequence[Issued], waiting: SourceLine | None) -> Divergence:
    local = [each for each in issued if each.command.kind == "local_activity"]
    markers = _recorded(events, local=True)
    expected = next((marker for marker in markers if not any(each.command.fits(marker) for each in local)), None)
    actual = next((each for each in local if expected is not None and each.command.id == expected.id), None)
    if actual is None:
        last = issued[-1].activation if issued else 0
        actual = next((each for each in issued if each.activation == last), None)
    return _divergence(events, None, expected, actual, waiting)


def _divergence(
    events: Sequence[HistoryEvent],
    anchor: int | None,
    expected: Command | None,
    actual: Issued | None,
    waiting: SourceLine | None,
) -> Divergence:
    event_id = anchor if anchor is not None else (expected.event_id if expected is not None else None)
    event = next((each for each in events if each.event_id == event_id), None)
    return Divergence(
        event_id=event_id,
        event_type=event_name(event) if event is not None else "",
        expected=expected,
        actual=actual.command if actual is not None else None,
        source=(actual.source if actual is not None else None) or waiting,
        step=actual.step if actual is not None else None,
    )

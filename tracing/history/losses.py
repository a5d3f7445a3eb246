"""What has a history lost, as its trace names it?"""

from __future__ import annotations

from typing import Final

from tracing import conventions as c
from tracing.history.source import History
from tracing.history.unread import MAX_NAMES
from tracing.runs import Attributes

MAX_DEFECTS: Final = 32
"""Defects that a trace names; the others are counted."""
MAX_LENGTH: Final = 400
"""Longest sentence, in characters: it may quote what a stranger wrote."""


def losses(history: History) -> Attributes:
    """Attributes of the run's span that name what is lost, damaged or not known."""
    told: Attributes = {}
    if history.defects:
        told[c.DEFECTS] = named_defects(history)
    unknown = {name for event in history.events if event.unknown for name in event.unknown}
    if unknown:
        told[c.UNKNOWN_FIELDS] = tuple(sorted(unknown)[:MAX_NAMES])
    return told


def named_defects(history: History) -> tuple[str, ...]:
    """The defects of a history, a sentence each; of very many the first, and how many more there are."""
    named = [_shortened(defect) for defect in history.defects[:MAX_DEFECTS]]
    more = len(history.defects) - len(named)
    return (*named, f"{more} more defects.") if more else tuple(named)


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= MAX_LENGTH else f"{sentence[:MAX_LENGTH]}…"

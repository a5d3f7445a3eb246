"""What is there to be done in an export, and what comes of it? Tasks and results travel between processes."""

from __future__ import annotations

from dataclasses import dataclass

from tracing.export.items import Item
from tracing.export.records import Record, Sent


@dataclass(frozen=True, slots=True)
class Make:
    """Export an item, unless it was.

    Attributes:
        ordinal: Its place in the order of the sources.
        item: The item.
        previous: What an earlier call made of it.
    """

    ordinal: int
    item: Item
    previous: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an item.

    Attributes:
        records: A record for each history; none where all that an earlier call made is still there.
    """

    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a trace that was written.

    Attributes:
        source: Source of its history.
        part: Which history of that it is.
        name: Its file in the output folder.
    """

    source: str
    part: int
    name: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a trace to be sent.

    Attributes:
        sent: What the target took.
        seconds: How long it took.
        unread: What could not be read of the trace files that say what the target has, each told once.
    """

    sent: Sent
    seconds: float
    unread: tuple[str, ...] = ()


Task = Make | Send
Result = Made | Delivered

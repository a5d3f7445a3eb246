"""What is an event of a history, whether it came as JSON or as protobuf?

Each event is decoded on its own: one that is damaged keeps its ID, time and type, its defect is named, and the others
are as if it were whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import msgspec

from tracing.history.attributes import ATTRIBUTES
from tracing.history.attributes.messages import Attributes
from tracing.payloads import PayloadMessage

MAX_DEFECT: Final = 200
"""Longest description of a defect, in characters: it may quote what a stranger wrote."""
MAX_INT: Final = 1 << 63
"""No event ID and no time, in ns since the epoch, is so large."""
NO_TIME: Final = -1
"""Time of an event that has none."""


class Event(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """One event.

    Attributes:
        id: Event ID, from 1.
        time: Its time, in ns since the epoch; of the event before where it has none.
        type: Event type in PascalCase, as in ``ActivityTaskScheduled``.
        attributes: What it says; None where its type is not read, or where it is damaged.
        defect: What is wrong with it, or "".
        summary: The summary that the workflow's code gave with it (``user_metadata``).
        unread: What its attributes say, as JSON, where its type is not read.
        unknown: Names of its fields that the installed API does not know.
    """

    id: int
    time: int
    type: str
    attributes: Attributes | None = None
    defect: str = ""
    summary: PayloadMessage | None = None
    unread: str = ""
    unknown: tuple[str, ...] = ()


def attributes_field(type_name: str) -> str:
    """The field in which an event of a type has its attributes."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type_name).lower() + "_event_attributes"


FIELDS: Final = {name: attributes_field(name) for name in ATTRIBUTES}
"""The field in which an event has its attributes, for each event type that is read."""
TOLD_BY_TYPE: Final = frozenset({"WorkflowTaskScheduled", "WorkflowTaskStarted"})
"""Types that are not read and say nothing but what is known of them."""


def in_order(events: Iterable[Event]) -> tuple[list[Event], list[str]]:
    """Events by ID, each once, each with a time; and a sentence on every defect.

    The order of IDs is the order of what happened: times go backwards in real histories. An event without a time gets
    that of the event before (or, at the beginning, after) it.
    """
    found = sorted(events, key=attrgetter("id"))
    if [event.id for event in found] == [*range(1, len(found) + 1)] and not any(event.defect for event in found):
        return found, []  # as nearly all are
    ordered: list[Event] = []
    defects = []
    previous = 0
    for event in found:
        if event.id <= 0:
            defects.append(f"An event ({event.type}) has no ID and is left out.")
            continue
        if event.id == previous:
            defects.append(f"Event {event.id} ({event.type}) is there twice: the first is kept.")
            continue
        if event.id > previous + 1:
            missing = (
                f"Event {previous + 1} is" if event.id == previous + 2 else f"Events {previous + 1}-{event.id - 1} are"
            )
            defects.append(f"{missing} missing.")
        if event.defect:
            defects.append(f"Event {event.id} ({event.type}) is damaged: {event.defect}.")
        ordered.append(event)
        previous = event.id
    return (_with_times(ordered) if defects else ordered), defects  # without a time, an event is damaged


def _with_times(events: list[Event]) -> list[Event]:
    time = next((event.time for event in events if event.time != NO_TIME), NO_TIME)
    if time == NO_TIME:
        return []
    timed = []
    for event in events:
        timed.append(event if event.time != NO_TIME else msgspec.structs.replace(event, time=time))
        time = timed[-1].time
    return timed


def one_line(text: str) -> str:
    """What is wrong, in one line that is not too long."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= MAX_DEFECT else f"{line[:MAX_DEFECT]}…"

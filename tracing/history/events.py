"""What is an event of a history, whether it came as JSON or as protobuf?

Each event is decoded on its own: one that is damaged keeps its ID, time and type, its defect is named, and the others
are as if it were whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from tracing.history.attributes import ATTRIBUTES
from tracing.history.attributes.messages import Attributes
from tracing.history.enums import Enum, event_type_name
from tracing.history.protobuf import reader
from tracing.history.times import NS_PER_S, timestamp_ns
from tracing.history.values import JsonValues

MAX_DEFECT: Final = 200
"""Longest description of a defect, in characters: it may quote what a stranger wrote."""

_MAX_INT: Final = 1 << 63
_NO_TIME: Final = -1
_READABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):  # in no cycle
    """One event.

    Attributes:
        id: Event ID, from 1.
        time: Its time, in ns since the epoch; of the event before where it has none.
        type: Event type in PascalCase, as in ``ActivityTaskScheduled``.
        attributes: What it says; None where its type is not read, or where it is damaged.
        defect: What is wrong with it, or "".
    """

    id: int
    time: int
    type: str
    attributes: Attributes | None = None
    defect: str = ""


def _field(type_name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type_name).lower() + "_event_attributes"


_FIELDS: Final = {name: _field(name) for name in ATTRIBUTES}


class _WireEvent(msgspec.Struct, frozen=True, rename="camel"):
    event_id: int
    event_type: Enum = 0
    event_time: str = ""


# One field for each event type that is read, so that one pass over the JSON decodes an event whole.
_TypedEvent: Final[Any] = msgspec.defstruct(
    "_TypedEvent",
    [(_FIELDS[name], class_ | None, None) for name, class_ in ATTRIBUTES.items()],
    bases=(_WireEvent,),
    frozen=True,
    rename="camel",
)


class JsonEvents:
    """Decodes JSON events.

    Attributes:
        lost: A sentence on each item that is no event at all.
    """

    def __init__(self) -> None:
        self.lost: list[str] = []
        self._values = JsonValues()
        self._decoder = msgspec.json.Decoder(_TypedEvent, strict=False, dec_hook=self._values)

    @property
    def plain_payloads(self) -> bool:
        """Whether plain values stand in the place of payloads."""
        return self._values.plain

    def read(self, items: Sequence[msgspec.Raw]) -> list[Event]:
        """Decode the items of a JSON list of events; what is no event is named in ``lost``."""
        events = []
        for position, item in enumerate(items, 1):
            try:
                wire = self._decoder.decode(item)
                event = _event(wire)
            except _READABLE as error:
                event = self._mend(item, error)
            if event is None:
                self.lost.append(f"Item {position} of the list of events has no event ID and is left out.")
            else:
                events.append(event)
        return events

    def _mend(self, item: msgspec.Raw, error: Exception) -> Event | None:
        """Read an event that breaks the rules: with nulls for absent fields, or as far as it goes."""
        try:
            tree = msgspec.json.decode(bytes(item).decode("utf-8", "replace"))
            if not isinstance(tree, dict):
                return None
            try:
                wire = msgspec.convert(_without_nulls(tree), _TypedEvent, strict=False, dec_hook=self._values)
                return _event(wire)
            except _READABLE as remaining:
                error = remaining
            known = {key: tree.get(key) for key in ("eventId", "eventType", "eventTime")}
            if not isinstance(known["eventType"], int | str):
                del known["eventType"]
            if not isinstance(known["eventTime"], str):
                del known["eventTime"]
            return _event(msgspec.convert(known, _WireEvent, strict=False), defect=_one_line(str(error)))
        except _READABLE:
            return None


def _event(wire: Any, defect: str = "") -> Event | None:
    if not 0 < wire.event_id < _MAX_INT:
        return None
    type_name = event_type_name(wire.event_type)
    field = _FIELDS.get(type_name)
    attributes = getattr(wire, field, None) if field is not None else None
    if field is not None and attributes is None and not defect:
        defect = "it has no attributes"
    try:
        time = timestamp_ns(wire.event_time)
    except ValueError as error:
        time = _NO_TIME
        defect = defect or _one_line(f"it has no time ({error})")
    return Event(id=wire.event_id, time=time, type=type_name, attributes=attributes, defect=defect)


def events_from_proto(messages: Iterable[Any]) -> list[Event]:
    """Read ``temporal.api.history.v1.HistoryEvent`` messages."""
    return [_event_from_proto(message) for message in messages]


_BY_ONEOF: Final = {field: (name, ATTRIBUTES[name]) for name, field in _FIELDS.items()}


def _event_from_proto(message: Any) -> Event:
    field = message.WhichOneof("attributes")
    known = _BY_ONEOF.get(field)
    defect = ""
    attributes: Attributes | None = None
    if known is not None:
        type_name, class_ = known
        attributes = reader(class_)(getattr(message, field))
    else:
        type_name = event_type_name(message.event_type)
        if type_name in _FIELDS:
            defect = "it has no attributes"
    if message.HasField("event_time"):
        time = message.event_time.seconds * NS_PER_S + message.event_time.nanos
        if not 0 <= time < _MAX_INT:
            time, defect = _NO_TIME, "it has no time (it is not between 1970 and 2262)"
    else:
        time, defect = _NO_TIME, defect or "it has no time"
    return Event(id=message.event_id, time=time, type=type_name, attributes=attributes, defect=defect)


def in_order(events: Iterable[Event]) -> tuple[list[Event], list[str]]:
    """Events by ID, each once, each with a time; and a sentence on every defect.

    The order of IDs is the order of what happened: times go backwards in real histories. An event without a time gets
    that of the event before (or, at the beginning, after) it.
    """
    ordered: list[Event] = []
    defects = []
    for event in sorted(events, key=lambda event: event.id):
        previous = ordered[-1].id if ordered else 0
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
    return _with_times(ordered), defects


def _with_times(events: list[Event]) -> list[Event]:
    time = next((event.time for event in events if event.time != _NO_TIME), _NO_TIME)
    if time == _NO_TIME:
        return []
    timed = []
    for event in events:
        timed.append(event if event.time != _NO_TIME else msgspec.structs.replace(event, time=time))
        time = timed[-1].time
    return timed


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        # inside payloads a null is a value of the user's
        kept = ((key, item) for key, item in value.items() if item is not None)
        return {key: item if key == "payloads" else _without_nulls(item) for key, item in kept}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _one_line(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= MAX_DEFECT else f"{line[:MAX_DEFECT]}…"

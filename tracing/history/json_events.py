"""How are the events of a history read from JSON?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tracing.history.attributes import ATTRIBUTES
from tracing.history.enums import Enum, event_type_name
from tracing.history.events import FIELDS, MAX_INT, NO_TIME, TOLD_BY_TYPE, Event, one_line
from tracing.history.times import timestamp_ns
from tracing.history.unread import attributes_in_json, strict_event, unknown_in_json
from tracing.history.values import JsonValues, StoredPayload

_READABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _UserMetadata(msgspec.Struct, frozen=True):
    summary: StoredPayload | None = None


class _WireEvent(msgspec.Struct, frozen=True, rename="camel"):
    event_id: int
    event_type: Enum = 0
    event_time: str = ""
    user_metadata: _UserMetadata | None = None


# One field for each event type that is read, so that one pass over the JSON decodes an event whole.
_TypedEvent: Final[Any] = msgspec.defstruct(
    "_TypedEvent",
    [(FIELDS[name], class_ | None, None) for name, class_ in ATTRIBUTES.items()],
    bases=(_WireEvent,),
    frozen=True,
    rename="camel",
)
_StrictEvent: Final[Any] = strict_event(_WireEvent, {FIELDS[name]: class_ for name, class_ in ATTRIBUTES.items()})
_MAX_STRICT: Final = 1_000
"""After so many events with unknown fields, no others are looked for: each costs a second reading."""


class JsonEvents:
    """Decodes JSON events.

    Attributes:
        lost: A sentence on each item that is no event at all.
    """

    def __init__(self) -> None:
        self.lost: list[str] = []
        self._values = JsonValues()
        self._decoder = msgspec.json.Decoder(_TypedEvent, strict=False, dec_hook=self._values)
        self._strict = msgspec.json.Decoder(_StrictEvent, strict=False, dec_hook=self._values)
        self._refused = 0

    @property
    def plain_payloads(self) -> bool:
        """Whether plain values stand in the place of payloads."""
        return self._values.plain

    def read(self, items: Sequence[msgspec.Raw]) -> list[Event]:
        """Decode the items of a JSON list of events; what is no event is named in ``lost``."""
        events = []
        for position, item in enumerate(items, 1):
            try:
                event = _event(self._strict.decode(item) if self._refused < _MAX_STRICT else self._decoder.decode(item))
            except _READABLE:
                event = self._read_again(item)
            if event is not None and event.attributes is None:
                event = _with_unread(event, item)
            if event is None:
                self.lost.append(f"Item {position} of the list of events has no event ID and is left out.")
            else:
                events.append(event)
        return events

    def _read_again(self, item: msgspec.Raw) -> Event | None:
        """Read an event with fields that are not known, or that is damaged."""
        self._refused += 1
        try:
            event = _event(self._decoder.decode(item))
        except _READABLE as error:
            event = self._mend(item, error)
        unknown = unknown_in_json(item)
        return msgspec.structs.replace(event, unknown=unknown) if event is not None and unknown else event

    def _mend(self, item: msgspec.Raw, error: Exception) -> Event | None:
        """Read an event that breaks the rules: with nulls for absent fields, or as far as it goes."""
        try:
            tree = msgspec.json.decode(bytes(item).decode("utf-8", "replace"))
            wire = msgspec.convert(_without_nulls(tree), _TypedEvent, strict=False, dec_hook=self._values)
            return _event(wire)
        except _READABLE as remaining:
            error = remaining if isinstance(remaining, msgspec.ValidationError) else error
        return _skeleton(item, error)


def _skeleton(item: msgspec.Raw, error: Exception) -> Event | None:
    """An event that is damaged: its ID, type and time, as far as these can be read."""
    try:
        said = msgspec.json.decode(item, type=dict[str, msgspec.Raw])
        known = {key: msgspec.json.decode(said[key]) for key in ("eventId", "eventType", "eventTime") if key in said}
        kept = {
            key: value
            for key, value in known.items()
            if isinstance(value, str) or (type(value) is int and key != "eventTime")  # True is an int, but no ID
        }
        defect = "it is nested too deeply" if isinstance(error, RecursionError) else one_line(str(error))
        return _event(msgspec.convert(kept, _WireEvent, strict=False), defect=defect)
    except _READABLE:
        return None


def _event(wire: Any, defect: str = "") -> Event | None:
    if not 0 < wire.event_id < MAX_INT:
        return None
    type_name = event_type_name(wire.event_type)
    field = FIELDS.get(type_name)
    attributes = getattr(wire, field, None) if field is not None else None
    if field is not None and attributes is None and not defect:
        defect = "it has no attributes"
    try:
        time = timestamp_ns(wire.event_time)
    except ValueError as error:
        time = NO_TIME
        defect = defect or one_line(f"it has no time ({error})")
    metadata = wire.user_metadata
    summary = metadata.summary.payload if metadata is not None and metadata.summary is not None else None
    return Event(id=wire.event_id, time=time, type=type_name, attributes=attributes, defect=defect, summary=summary)


def _with_unread(event: Event, item: msgspec.Raw) -> Event:
    if event.type in FIELDS or event.type in TOLD_BY_TYPE:
        return event
    try:
        return msgspec.structs.replace(event, unread=attributes_in_json(item))
    except _READABLE:
        return event


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        # inside payloads a null is a value of the user's
        kept = ((key, item) for key, item in value.items() if item is not None)
        return {key: item if key == "payloads" else _without_nulls(item) for key, item in kept}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value

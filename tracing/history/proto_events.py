"""How are the events of a history read from protobuf?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from google.protobuf.unknown_fields import UnknownFieldSet

from tracing.history.attributes import ATTRIBUTES
from tracing.history.attributes.messages import Attributes
from tracing.history.enums import event_type_name
from tracing.history.events import FIELDS, MAX_INT, NO_TIME, TOLD_BY_TYPE, Event, attributes_field
from tracing.history.protobuf import reader
from tracing.history.times import NS_PER_S
from tracing.history.unread import attributes_in_proto, unknown_in_proto


def events_from_proto(messages: Iterable[Any]) -> list[Event]:
    """Read ``temporal.api.history.v1.HistoryEvent`` messages."""
    events = []
    for message in messages:
        field = message.WhichOneof("attributes")
        known = _BY_ONEOF.get(field)
        stamp = message.event_time
        time = stamp.seconds * NS_PER_S + stamp.nanos
        if known is not None and 0 < time < MAX_INT and not message.HasField("user_metadata"):  # as of nearly all
            type_name, read = known
            says = getattr(message, field)
            if not UnknownFieldSet(says) and not UnknownFieldSet(message):
                if read is not None:
                    events.append(Event(message.event_id, time, type_name, read(says)))
                    continue
                if event_type_name(message.event_type) == type_name:
                    events.append(Event(message.event_id, time, type_name))
                    continue
        events.append(_event_from_proto(message))
    return events


_BY_ONEOF: Final[Mapping[str | None, tuple[str, Callable[[Any], Attributes] | None]]] = {
    **{field: (name, reader(ATTRIBUTES[name])) for name, field in FIELDS.items()},
    **{attributes_field(name): (name, None) for name in TOLD_BY_TYPE},
}
"""Type of the event whose attributes are in a field, and what reads them; None where nobody does."""


def _event_from_proto(message: Any) -> Event:
    field = message.WhichOneof("attributes")
    known, read = _BY_ONEOF.get(field, ("", None))
    type_name = known if read is not None else event_type_name(message.event_type)
    defect = unread = ""
    unknown: tuple[str, ...] = ()
    attributes: Attributes | None = None
    if read is not None:
        attributes = read(getattr(message, field))
    elif type_name in FIELDS:
        defect = "it has no attributes"
    elif type_name not in TOLD_BY_TYPE:
        unread = attributes_in_proto(message)
    if known == type_name:
        unknown = unknown_in_proto(message, field, getattr(message, field))
    stamp = message.event_time
    time = stamp.seconds * NS_PER_S + stamp.nanos
    if not 0 <= time < MAX_INT:
        time, defect = NO_TIME, "it has no time (it is not between 1970 and 2262)"
    elif time == 0 and not message.HasField("event_time"):
        time, defect = NO_TIME, defect or "it has no time"
    summary = None
    if message.HasField("user_metadata") and message.user_metadata.HasField("summary"):
        summary = message.user_metadata.summary
    return Event(
        id=message.event_id,
        time=time,
        type=type_name,
        attributes=attributes,
        defect=defect,
        summary=summary,
        unread=unread,
        unknown=unknown,
    )

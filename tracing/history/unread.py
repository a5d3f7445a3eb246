"""What does an event say that nobody here reads: types, and fields, that are newer than this version?

Nothing of it is lost: an event of such a type is told by its attributes as JSON, and such a field by its name. Bytes
are shown as text, for a redactor would not see through Base64.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from google.protobuf.json_format import Error as JsonFormatError
from google.protobuf.json_format import MessageToDict
from google.protobuf.unknown_fields import UnknownFieldSet
from temporalio.api.history.v1 import HistoryEvent

MAX_NAMES: Final = 64
"""Names of unknown fields that a trace shows."""
MAX_NAME: Final = 120
"""Longest name of an unknown field, in characters."""

_PASSED_OVER: Final = (msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)  # costs next to nothing to decode
_EVENT: Final[Any] = HistoryEvent.DESCRIPTOR
_API: Final = {
    field.json_name: {known.json_name for known in field.message_type.fields}
    for field in _EVENT.fields
    if field.containing_oneof is not None
}
"""Fields that the installed API knows of each kind of attributes, as JSON spells them."""
_BESIDE: Final = {field.json_name for field in _EVENT.fields if field.containing_oneof is None}
"""Fields of an event that are no attributes."""
_OF_WEB_UI: Final = frozenset({"attributes", "category", "classification", "id", "name", "timestamp"})
"""What the Web UI adds to the events that it writes: the same once more."""
_NULL: Final = msgspec.Raw(b"null")  # says nothing, whatever its name
_SUFFIX: Final = "EventAttributes"


def strict_event(base: type[msgspec.Struct], read: Mapping[str, type[msgspec.Struct]]) -> Any:
    """A type to decode JSON events with that refuses fields which the installed API does not know.

    Args:
        base: The event's own fields that are read.
        read: The attributes that are read, by the name of their field.
    """
    fields: list[tuple[str, Any, Any]] = []
    for field in _EVENT.fields:
        if field.containing_oneof is not None:
            class_ = read.get(field.name)
            known = class_.__struct_fields__ if class_ is not None else ()
            unread = {f"unread_{it.name}": it.json_name for it in field.message_type.fields if it.name not in known}
            strict = msgspec.defstruct(
                class_.__name__ if class_ is not None else field.name,
                [(name, *_PASSED_OVER) for name in unread],
                bases=(class_,) if class_ is not None else (),
                frozen=True,
                rename=unread,
                forbid_unknown_fields=True,
                gc=False,
            )
            fields.append((field.name, strict | None, None))
        elif field.name not in base.__struct_fields__:
            fields.append((field.name, *_PASSED_OVER))
    return msgspec.defstruct(
        "_StrictEvent", fields, bases=(base,), frozen=True, rename="camel", forbid_unknown_fields=True
    )


def unknown_in_json(item: msgspec.Raw) -> tuple[str, ...]:
    """Names of an event's fields that the installed API does not know: ``newField``, ``TimerFired.newField``."""
    try:
        return _names(_unknown_keys(msgspec.json.decode(item, type=dict[str, msgspec.Raw])))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


def _unknown_keys(event: Mapping[str, msgspec.Raw]) -> Iterator[str]:
    for key, value in event.items():
        known = _API.get(key)
        if known is not None:
            if bytes(memoryview(value)[:1]) == b"{":
                says = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
                type_ = _type_of(key)
                yield from (f"{type_}.{name}" for name in says if name not in known and says[name] != _NULL)
        elif key not in _BESIDE and key not in _OF_WEB_UI and value != _NULL:
            yield key


def attributes_in_json(item: msgspec.Raw) -> str:
    """What the attributes of an event say, as JSON; "" where it has none."""
    event = msgspec.json.decode(item)
    # Some tools write the defaults of fields out, as protobuf does not: both forms are told alike.
    says = {
        key: _without_defaults(value) if key in _API else value
        for key, value in event.items()
        if key not in _BESIDE | _OF_WEB_UI
    }
    return _json(_readable(next(iter(says.values())) if len(says) == 1 else says))


def unknown_in_proto(message: Any, field: str, attributes: Any) -> tuple[str, ...]:
    """Fields of an event that the installed API does not know, by their numbers: ``17``, ``TimerFired.17``.

    Args:
        message: The event.
        field: Name of the field with its attributes.
        attributes: What that holds.
    """
    beside, inside = UnknownFieldSet(message), UnknownFieldSet(attributes)
    type_ = _type_of(_EVENT.fields_by_name[field].json_name)
    return _names([*_numbers(beside), *(f"{type_}.{number}" for number in _numbers(inside))])


def attributes_in_proto(message: Any) -> str:
    """What the attributes of an event say, as JSON; where the installed API does not know them, by number."""
    field = message.WhichOneof("attributes")
    if field is None:
        unknown = UnknownFieldSet(message)
        return _json(_by_number(unknown)) if len(unknown) else ""
    try:
        return _json(_readable(MessageToDict(getattr(message, field))))
    except (JsonFormatError, ValueError, RecursionError):  # such as a time in the year 300000
        return _json({"bytes": _plain(getattr(message, field).SerializeToString())})


def _numbers(fields: Any) -> list[str]:
    return [str(fields[position].field_number) for position in range(len(fields))]


def _by_number(fields: Any) -> dict[str, Any]:
    return {str(it.field_number): _plain(it.data) for it in (fields[position] for position in range(len(fields)))}


def _plain(data: Any) -> Any:
    if isinstance(data, bytes):
        return data.decode("utf-8", "replace")
    return data if isinstance(data, int) else _by_number(data)  # a group


def _readable(value: Any) -> Any:
    """JSON of messages with the data of payloads as text."""
    if isinstance(value, dict):
        data = value.get("data")
        if isinstance(data, str) and isinstance(value.get("metadata"), dict):
            try:
                return b64decode(data, validate=True).decode("utf-8", "replace")
            except (Base64Error, ValueError):
                return data
        return {key: _readable(item) for key, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list) else value


def _without_defaults(value: Any) -> Any:
    """JSON of a message without the fields that have protobuf's defaults; payloads as they are."""
    if not isinstance(value, dict) or "metadata" in value:
        return value
    fields = ((key, _without_defaults(item)) for key, item in value.items())
    return {key: item for key, item in fields if item not in (None, "", "0", 0, False, [], {})}


def _json(value: Any) -> str:
    return msgspec.json.encode(value, order="sorted").decode() if value not in ({}, None) else ""


def _type_of(field: str) -> str:
    return f"{field[:1].upper()}{field[1:].removesuffix(_SUFFIX)}"


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(name[:MAX_NAME] for name, _ in zip(dict.fromkeys(found), range(MAX_NAMES), strict=False))

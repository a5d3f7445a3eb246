"""How does a protobuf message become the same type that JSON decodes to?

What reads a type is written once, from its fields, as it would be written by hand: histories have thousands of events,
and a plan that is looked up field by field takes twice as long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from tracing.history.times import NS_PER_S
from tracing.history.values import Duration, PayloadMap, Payloads, PayloadsMap, StoredPayload

S = TypeVar("S", bound=msgspec.Struct)


@cache
def reader(type_: type[S]) -> Callable[[Any], S]:
    """A function that reads a protobuf message as ``type_``; the type's fields name the message's."""
    hints = get_type_hints(type_)
    names: dict[str, Any] = {"type_": type_, "absent_duration": Duration(0)}
    values = ", ".join(_value(name, _kind(hints[name]), type_, names) for name in type_.__struct_fields__)
    # Only names of our own types' fields are in it, nothing that a message says.
    exec(f"def read(message):\n has = message.HasField\n return type_({values})", names)  # noqa: S102
    read: Callable[[Any], S] = names["read"]
    return read


def _value(field: str, kind: Any, owner: type[msgspec.Struct], names: dict[str, Any]) -> str:
    """What reads a field, as Python; the functions that it calls are added to ``names``."""
    read = f"read_{field}"
    if kind in _MAPS:
        names[read] = _MAPS[kind]
        return f"{read}(message.{field})"
    if kind is Payloads:
        # As they stand in the message, a sequence like any: most are never looked at, and each gets an object when it
        # is. An absent message is asked for first: reading it would make an empty one.
        return f"message.{field}.payloads if has({field!r}) else None"
    if kind in _CONVERSIONS:
        names[read] = _CONVERSIONS[kind]
        absent = "absent_duration" if kind is Duration else "None"
        return f"{read}(message.{field}) if has({field!r}) else {absent}"
    if _is_message(kind):
        inner = kind.__struct_fields__
        if len(inner) == 1 and get_type_hints(kind)[inner[0]] in _SCALARS:  # read at once: a call takes longer
            names[kind.__name__] = kind
            return f"{kind.__name__}(message.{field}.{inner[0]}) if has({field!r}) else None"
        names[read] = reader(kind) if kind is not owner else _another(owner)
        return f"{read}(message.{field}) if has({field!r}) else None"
    return f"message.{field}"


def _another(owner: type[msgspec.Struct]) -> Callable[[Any], Any]:
    """Reads a message inside of one of its own type, as a failure holds its cause: that has no reader yet."""

    def read_another(message: Any) -> Any:
        return reader(owner)(message)

    return read_another


_SCALARS: Final = (str, int, bool)
"""Types that are alike in a message."""
_MAPS: Final[dict[Any, Callable[[Any], Any]]] = {
    PayloadMap: PayloadMap,
    PayloadsMap: lambda value: PayloadsMap((key, item.payloads) for key, item in value.items()),
}
"""How a map is read as one of these types."""
_CONVERSIONS: Final[dict[Any, Callable[[Any], Any]]] = {
    StoredPayload: StoredPayload,
    Duration: lambda value: Duration(value.seconds * NS_PER_S + value.nanos),
}
"""How a message is read as one of these types."""


def _kind(hint: Any) -> Any:
    """Type of a field, without None."""
    if isinstance(hint, UnionType) or get_origin(hint) is not None:
        return next(kind for kind in get_args(hint) if kind is not NoneType)
    return hint


def _is_message(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)

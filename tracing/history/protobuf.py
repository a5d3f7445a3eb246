"""How does a protobuf message become the same type that JSON decodes to?

The plan for a type is made once, from its fields: one C call reads all of them, only sub-messages need Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from tracing.history.times import NS_PER_S
from tracing.history.values import Duration, PayloadMap, Payloads, PayloadsMap, StoredPayload

S = TypeVar("S", bound=msgspec.Struct)


@cache
def reader(type_: type[S]) -> Callable[[Any], S]:
    """A function that reads a protobuf message as ``type_``; the type's fields name the message's."""
    names = type_.__struct_fields__
    if not names:
        return lambda _message: type_()
    hints = get_type_hints(type_)
    kinds = {name: _kind(hints[name]) for name in names}
    plain = [name for name, kind in kinds.items() if kind not in _CONVERSIONS and not _is_message(kind)]
    maps = [(name, _CONVERSIONS[kind]) for name, kind in kinds.items() if kind in _MAPS]
    messages = [
        (name, _conversion(kind, type_)) for name, kind in kinds.items() if name not in plain and kind not in _MAPS
    ]
    absent = {name: Duration(0) if kinds[name] is Duration else None for name, _ in messages}
    read_plain = _values(plain)
    if plain == list(names):
        if len(plain) == 1:
            [name] = plain
            return lambda message: type_(getattr(message, name))
        return lambda message: type_(*read_plain(message))
    read_first = [*plain, *(name for name, _ in maps), *(name for name, _ in messages)]
    in_order = itemgetter(*(read_first.index(name) for name in names)) if len(names) > 1 else tuple

    def read(message: Any) -> S:
        values = [*read_plain(message)]
        for name, convert in maps:
            values.append(convert(getattr(message, name)))
        has = message.HasField  # an absent one is asked for first: reading it would make an empty message
        for name, convert in messages:
            values.append(convert(getattr(message, name)) if has(name) else absent[name])
        return type_(*in_order(values))

    return read


def _values(names: Sequence[str]) -> Callable[[Any], Sequence[Any]]:
    """A function that reads fields whose values are taken as they are."""
    if not names:
        return lambda _message: ()
    if len(names) == 1:
        [name] = names
        return lambda message: (getattr(message, name),)
    return attrgetter(*names)


def _payloads(message: Any) -> Any:
    # As they stand in the message, a sequence like any: most are never looked at, and each gets an object when it is.
    return message.payloads


_Conversion = Callable[[Any], Any]

_MAPS: Final[dict[Any, _Conversion]] = {
    PayloadMap: PayloadMap,
    PayloadsMap: lambda value: PayloadsMap((key, item.payloads) for key, item in value.items()),
}
_CONVERSIONS: Final[dict[Any, _Conversion]] = _MAPS | {
    Payloads: _payloads,
    StoredPayload: StoredPayload,
    Duration: lambda value: Duration(value.seconds * NS_PER_S + value.nanos),
}
"""How what a field holds is read as one of these types."""


def _kind(hint: Any) -> Any:
    """Type of a field, without None."""
    if isinstance(hint, UnionType) or get_origin(hint) is not None:
        return next(kind for kind in get_args(hint) if kind is not NoneType)
    return hint


def _is_message(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _conversion(kind: Any, owner: type[msgspec.Struct]) -> _Conversion:
    if kind in _CONVERSIONS:
        return _CONVERSIONS[kind]
    if kind is not owner:
        return reader(kind)

    def read_another(value: Any) -> Any:
        return reader(owner)(value)  # as a failure holds its cause: there is no reader yet

    return read_another

"""How does a protobuf message become the same type that JSON decodes to?

The plan for a type is made once, from its fields: one C call reads all of them, only sub-messages need Python.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from tracing.history.times import NS_PER_S
from tracing.history.values import Duration, PayloadMap, Payloads, StoredPayload

S = TypeVar("S", bound=msgspec.Struct)


@cache
def reader(type_: type[S]) -> Callable[[Any], S]:
    """A function that reads a protobuf message as ``type_``; the type's fields name the message's."""
    names = type_.__struct_fields__
    if not names:
        return lambda _message: type_()
    read_fields = attrgetter(*names) if len(names) > 1 else lambda message: (getattr(message, names[0]),)
    hints = get_type_hints(type_)
    submessages = [
        (position, name, convert) for position, name in enumerate(names) if (convert := _conversion(hints[name]))
    ]

    def read(message: Any) -> S:
        values = list(read_fields(message))
        for position, name, convert in submessages:
            values[position] = convert(message, name, values[position])
        return type_(*values)

    return read


_Conversion = Callable[[Any, str, Any], Any]


def _conversion(hint: Any) -> _Conversion | None:
    """How a field of this type is read; None where its value is taken as it is."""
    optional = isinstance(hint, UnionType) or get_origin(hint) is not None
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if optional else [hint]
    kind = kinds[0]
    if kind is PayloadMap:
        return lambda _message, _name, value: PayloadMap(value)
    if kind is Payloads:
        return lambda message, name, value: Payloads(value.payloads) if message.HasField(name) else None
    if kind is StoredPayload:
        return lambda message, name, value: StoredPayload(value) if message.HasField(name) else None
    if kind is Duration:
        return lambda _message, _name, value: Duration(value.seconds * NS_PER_S + value.nanos)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):

        def convert(message: Any, name: str, value: Any) -> Any:
            return reader(kind)(value) if message.HasField(name) else None

        return convert
    return None

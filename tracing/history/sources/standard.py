"""Is a JSON event as current servers write it, so that the SDK reads it as it stands?

One pass of a fast parser over types that are made from the API's own messages. What passes is right in every field: all
names are known, enums and times are spelled in full, payloads are base64. What does not pass may still be right, and is
looked at field by field (``raw_events.py``, ``accepted.py``).
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from temporalio.api.history.v1 import HistoryEvent

_MAX_NESTED: Final = 4
"""Causes within causes that are looked at here."""

_DAY: Final = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
_TIME: Final = rf"^(19[789]|20[0-9])[0-9]-{_DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,9}})?Z\Z"

_Int32 = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}\Z")]
_Int64 = (
    Annotated[int, msgspec.Meta(ge=-(1 << 62), le=1 << 62)] | Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,18}\Z")]
)
_UInt64 = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)] | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}\Z")]

_SCALARS: Final[dict[int, Any]] = {
    FieldDescriptor.TYPE_INT32: _Int32,
    FieldDescriptor.TYPE_UINT32: _Int32,
    FieldDescriptor.TYPE_INT64: _Int64,
    FieldDescriptor.TYPE_UINT64: _UInt64,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BYTES: bytes,
    FieldDescriptor.TYPE_DOUBLE: float,
    FieldDescriptor.TYPE_FLOAT: Annotated[float, msgspec.Meta(ge=-3e38, le=3e38)],
}
_WELL_KNOWN: Final[dict[str, Any]] = {
    "google.protobuf.Timestamp": Annotated[str, msgspec.Meta(pattern=_TIME)],
    "google.protobuf.Duration": Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,9})?s\Z")],
}


def is_standard(event: bytes | msgspec.Raw) -> bool:
    """Whether nothing about an event has to change for the SDK to read it."""
    try:
        _decoder().decode(event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_Types().of(HistoryEvent.DESCRIPTOR))


class _Types:
    """Makes a type for each message. One that contains itself is made for a few levels."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, tuple[tuple[str, int], ...]], Any] = {}
        self._inside: Counter[str] = Counter()

    def of(self, message: Descriptor) -> Any:
        if message.full_name in _WELL_KNOWN:
            return _WELL_KNOWN[message.full_name]
        if message.full_name.startswith("google.protobuf.") or self._inside[message.full_name] >= _MAX_NESTED:
            return None
        nested = tuple(sorted((name, count) for name, count in self._inside.items() if count and _is_recursive(name)))
        key = (message.full_name, nested)
        if key not in self._made:
            self._inside[message.full_name] += 1
            types = [(field.name, self._field(field)) for field in message.fields]
            fields = [(name, None if kind is None else kind | None, None) for name, kind in types]
            self._inside[message.full_name] -= 1
            self._made[key] = msgspec.defstruct(
                message.name,
                fields,
                rename={field.name: field.json_name for field in message.fields},
                namespace=_checks(message),
                forbid_unknown_fields=True,
                gc=False,
            )
        return self._made[key]

    def _field(self, field: FieldDescriptor) -> Any:
        message = field.message_type
        if message is not None and message.GetOptions().map_entry:
            if message.fields_by_name["key"].type != FieldDescriptor.TYPE_STRING:
                return None
            value = self._single(message.fields_by_name["value"])
            return None if value is None else dict[str, value]  # type: ignore[valid-type] # made here
        single = self._single(field)
        return single if single is None or not field.is_repeated else list[single]  # type: ignore[valid-type]

    def _single(self, field: FieldDescriptor) -> Any:
        if field.enum_type is not None:
            return Literal[tuple(value.name for value in field.enum_type.values)]
        if field.message_type is not None:
            return self.of(field.message_type)
        return _SCALARS.get(field.type)


def _checks(message: Descriptor) -> dict[str, Any]:
    """What a type checks once it is read: of a oneof, one field at most is there."""
    groups = [[field.name for field in group.fields] for group in message.oneofs if len(group.fields) > 1]
    if not groups:
        return {}

    def check(self: Any) -> None:
        for group in groups:
            if sum(getattr(self, name) is not None for name in group) > 1:
                raise ValueError("two fields of one oneof")

    return {"__post_init__": check}


@cache
def _is_recursive(name: str) -> bool:
    pool = HistoryEvent.DESCRIPTOR.file.pool
    start: Descriptor = pool.FindMessageTypeByName(name)
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for field in waiting.pop().fields:
            inner = field.message_type
            if inner is None:
                continue
            if inner.full_name == name:
                return True
            if inner.full_name not in seen:
                seen.add(inner.full_name)
                waiting.append(inner)
    return False

"""What a step was given and has returned, as recognisers read it: as JSON, and no more of it than they read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, Final

import msgspec

from tracing.payloads import Payload

_UNREADABLE: Final = Payload(b"", {"encoding": b"unknown"})
"""Says nothing to recognisers."""


def json_payload(value: Any, *, longest: int | None = None) -> Payload:
    """A value as JSON; what is none, or is longer than it may be, says nothing.

    Args:
        value: The value.
        longest: Of how many bytes its JSON may be; None for any number.
    """
    if longest is not None and is_longer(value, longest):
        return _UNREADABLE
    try:
        data = msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return _UNREADABLE
    return Payload(data, {"encoding": b"json/plain"})


def is_longer(value: Any, longest: int) -> bool:
    """Whether the JSON of a value is longer than so many bytes for certain, without making it.

    It counts what each part takes at least: a character one byte, though an escaped one takes six. So what it lets
    through is at most a few times as long.
    """
    left = longest
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, (str, bytes, bytearray)):
            left -= len(current) + 2  # in quotes; of bytes, Base64 takes more
        elif isinstance(current, (dict, list, tuple, set, frozenset)):
            parts = [*current, *current.values()] if isinstance(current, dict) and 2 * len(current) <= left else current
            left -= len(parts) + 1  # brackets, commas, colons
            if len(parts) > left:  # a large one is not looked through
                return True
            waiting.extend(parts)
        elif (inside := _fields(current)) is not None:
            waiting.extend(inside)
        else:
            left -= 1
        if left < 0:
            return True
    return False


def _fields(value: Any) -> Iterable[Any] | None:
    """The values of an object's fields that are written; None of what is no such object."""
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
    elif is_dataclass(value) and not isinstance(value, type):
        names = tuple(field.name for field in fields(value) if not field.name.startswith("_"))
    else:
        return None
    return [getattr(value, name, None) for name in names]

"""How is JSON read that a stranger wrote? Each value only where it has the type it should have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

MAX_DEPTH: Final = 12
MAX_NODES: Final = 20_000


def decoded(data: bytes | str) -> Any:
    """Decoded JSON; None where it is none, or nests too deeply."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def object_of(value: Any, *names: str) -> dict[str, Any]:
    """The first field of these names that is an object; an empty one where none is."""
    return next((found for found in _found(value, names) if isinstance(found, dict)), {})


def list_of(value: Any, *names: str) -> list[Any]:
    """The first field of these names that is a list; an empty one where none is."""
    return next((found for found in _found(value, names) if isinstance(found, list)), [])


def text_of(value: Any, *names: str) -> str:
    """The first field of these names that is a text; "" where none is."""
    return next((found for found in _found(value, names) if isinstance(found, str) and found), "")


def count_of(value: Any, *names: str) -> int | None:
    """The first field of these names that is a count; None where none is."""
    return next(
        (found for found in _found(value, names) if isinstance(found, int) and not isinstance(found, bool)), None
    )


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a value, outer ones first, in their order; of very large or deep values only the first."""
    waiting = [(value, 0)]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        current, depth = waiting.pop()
        if isinstance(current, dict):
            yield current
            inside = list(current.values())
        elif isinstance(current, list):
            inside = current
        else:
            continue
        if depth < MAX_DEPTH:
            waiting.extend((item, depth + 1) for item in reversed(inside) if isinstance(item, (dict, list)))


def _found(value: Any, names: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value[name] for name in names if name in value)

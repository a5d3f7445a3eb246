"""How is a field read from what model clients give: objects, or their JSON as dicts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def field_of(value: Any, *names: str) -> Any:
    """The first field of these names that is there and not None; None where none is."""
    for name in names:
        found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if found is not None:
            return found
    return None


def list_of(value: Any) -> list[Any]:
    """The items of a sequence; none where it is none, or a text."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else []

"""How is a field read from what model clients give: objects, or their JSON as dicts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_HTTP_ERRORS: Final = range(400, 600)


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


def count_of(value: Any, *names: str) -> int | None:
    """The first field of these names, where it is a count."""
    found = field_of(value, *names)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def http_status(error: BaseException) -> int | None:
    """The HTTP status that an error of a client names, in any of the usual ways; None where it names none."""
    for value in (error, getattr(error, "response", None)):
        status = count_of(value, "status_code", "status", "code")
        if status in _HTTP_ERRORS:
            return status
    return None

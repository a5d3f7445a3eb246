"""How is a text that is too long made shorter, so that one sees it, and so that JSON stays what its readers expect?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tracing.redaction.rules import LONGEST_MARK, MARK_START

_SHORTEST: Final = 64
"""Strings in JSON are not cut below this, in characters as written."""
_LONGEST_ESCAPE: Final = len(r"\u0000")
_MESSAGES: Final = "messages"
"""Where a chat request has its messages."""


def cut(text: str, limit: int) -> str:
    """The beginning of a text and a mark with its true length; what is not too long stays as it is."""
    if len(text) <= limit:
        return text
    mark = _mark(len(text), "characters")
    return (_beginning(text, limit - len(mark)) + mark)[:limit]


def cut_json(text: str, limit: int) -> str:
    """JSON whose long strings are cut, each with a mark, so that the whole fits; what is not too long stays as it is.

    Backends drop a whole list of messages for one that they cannot read, so JSON is never cut through. Where cutting
    the strings does not suffice, messages from the middle of the list go, and one that says so comes in their place.
    Text that is no JSON, or JSON of which that is not enough, is cut as text; a list of messages is then empty.
    """
    if len(text) <= limit:
        return text
    try:
        value = msgspec.json.decode(text)
        shorter = _with_short_strings(value, limit)
        if shorter is None and _messages_in(value):
            shorter = _with_fewer_messages(value, limit)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return cut(text, limit)
    if shorter is not None:
        return shorter
    return "[]"[:limit] if isinstance(value, list) and _messages_in(value) else cut(text, limit)


def _with_short_strings(value: Any, limit: int) -> str | None:
    """The value with its strings as long as they can be for all to fit; None where they cannot be short enough."""
    sizes = sorted(_size(string) for string in _strings(value))
    room = limit - (len(_encoded(value)) - sum(sizes))
    longest = _share(sizes, room)
    if longest < _SHORTEST:
        return None
    shorter = _encoded(_shortened(value, longest))
    return shorter if len(shorter) <= limit else None


def _share(sizes: list[int], room: int) -> int:
    """The longest that a string may be, for strings of these sizes, smallest first, to have room together."""
    for index, size in enumerate(sizes):
        share = room // (len(sizes) - index)
        if size > share:
            return share
        room -= size
    return max(room, _SHORTEST) if room >= 0 else 0  # there is room for all


def _with_fewer_messages(value: Any, limit: int) -> str | None:
    """The value with messages left out after the first, as few as need be; None where that is not enough."""
    messages = _messages_in(value)
    # The first one (instructions) and the last ones (what is asked now) tell the most.
    fewest, most = 1, len(messages) - 1
    found = None
    while fewest <= most:
        dropped = (fewest + most) // 2
        kept = [messages[0], _message(messages[-1], dropped), *messages[1 + dropped :]]
        shorter = _with_short_strings(kept if isinstance(value, list) else {**value, _MESSAGES: kept}, limit)
        if shorter is None:
            fewest = dropped + 1
        else:
            found, most = shorter, dropped - 1
    return found


def _messages_in(value: Any) -> list[dict[str, Any]]:
    """The messages of a list of them (``role`` and ``parts``), or of a chat request."""
    found = value.get(_MESSAGES) if isinstance(value, dict) else value
    if isinstance(found, list) and all(isinstance(each, dict) and {"role"} < each.keys() for each in found):
        return found
    return []


def _message(like: dict[str, Any], dropped: int) -> dict[str, Any]:
    """A message in the place of those that were left out, of the same shape as another."""
    mark = _mark(dropped, "messages")
    if "parts" not in like:
        return {"role": "system", "content": mark}
    finished = {"finish_reason": "length"} if "finish_reason" in like else {}
    return {"role": "system", "parts": [{"type": "text", "content": mark}], **finished}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)


def _shortened(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return _string(value, longest)
    if isinstance(value, list):
        return [_shortened(item, longest) for item in value]
    if isinstance(value, dict):
        return {key: _shortened(item, longest) for key, item in value.items()}
    return value


def _string(text: str, longest: int) -> str:
    """A string cut so that it is not longer than this as written, with escapes."""
    if _size(text) <= longest:
        return text
    mark = _mark(len(text), "characters")
    beginning = _beginning(text, longest - len(mark))
    while beginning and (excess := _size(beginning) + len(mark) - longest) > 0:
        beginning = _beginning(beginning, len(beginning) - max(1, excess // _LONGEST_ESCAPE))
    return beginning + mark


def _beginning(text: str, length: int) -> str:
    """The first characters of a text; a redaction mark at their end is not cut through."""
    beginning = text[: max(0, length)]
    start = beginning.rfind(MARK_START[0], max(0, len(beginning) - LONGEST_MARK))
    if start >= 0 and text.startswith(MARK_START, start) and "]" not in beginning[start:]:
        return beginning[:start]
    return beginning


def _size(text: str) -> int:
    """Characters of a string as JSON, without its quotes."""
    return len(_encoded(text)) - 2


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _mark(length: int, what: str) -> str:
    return f"… [cut: {length} {what}]"

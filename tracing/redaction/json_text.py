"""How is JSON redacted so that it stays JSON? String by string; all else stays as it was written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

TOKEN: Final = re.compile(
    r'(?P<string>"(?:[^"\\]++|\\.)*+")(?P<colon>[ \t\r\n]*+:)?|(?P<number>-?[0-9][0-9.eE+-]*+)|(?P<bracket>[\[\]{}])'
)
_MAY_BE_JSON: Final = re.compile(r'[ \t\r\n]*+["\[{0-9-]')
_MAX_DEPTH: Final = 4
"""JSON inside a string of JSON, as tool calls have their arguments, is looked into down to this depth."""


def redacted_json(text: str, redact: Callable[[str], str], mark_of: Callable[[str], str], depth: int = 0) -> str | None:
    """JSON text with its strings and numbers redacted.

    Args:
        text: The text.
        redact: Redacts a text that is no JSON.
        mark_of: The mark for the value of a field, by the field's name; "" where the name says nothing.
        depth: How many strings of JSON this is inside of.

    Returns:
        The text, which is JSON again; None where it was none.
    """
    if depth > _MAX_DEPTH or not _MAY_BE_JSON.match(text) or not _is_json(text):
        return None
    return TOKEN.sub(_Walk(redact, mark_of, depth).token, text)


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


class _Walk:
    """Goes through valid JSON, token by token."""

    def __init__(self, redact: Callable[[str], str], mark_of: Callable[[str], str], depth: int) -> None:
        self._redact = redact
        self._mark_of = mark_of
        self._depth = depth
        self._mark = ""
        self._marks: list[str] = []

    def token(self, match: re.Match[str]) -> str:
        """What becomes of a token."""
        whole = match[0]
        if match["bracket"]:
            self._bracket(whole)
            return whole
        if match["colon"]:
            name = str(msgspec.json.decode(match["string"]))
            self._mark = self._mark_of(name)
            redacted = self._redact(name)
            return whole if redacted == name else _literal(redacted) + match["colon"]
        if self._mark:
            empty = match["string"] == '""'
            return whole if empty else _literal(self._mark)
        if match["string"] is None:
            redacted = self._redact(whole)
            return whole if redacted == whole else _literal(redacted)
        value = str(msgspec.json.decode(whole))
        redacted = self._string(value)
        return whole if redacted == value else _literal(redacted)

    def _string(self, value: str) -> str:
        # A number in a string is redacted as text: the string is its quotes already.
        inside = redacted_json(value, self._redact, self._mark_of, self._depth + 1) if value[:1] in '{["' else None
        return self._redact(value) if inside is None else inside

    def _bracket(self, bracket: str) -> None:
        if bracket in "[{":
            self._marks.append(self._mark)
            # The values of a list are its field's; an object's fields have names of their own.
            self._mark = self._mark if bracket == "[" else ""
        else:
            # After an object in a list of a secret field the list goes on.
            self._mark = self._marks.pop()


def _literal(text: str) -> str:
    return msgspec.json.encode(text).decode()

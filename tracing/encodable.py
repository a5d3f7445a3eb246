"""What of a text can be written down, for a Python string may hold what UTF-8 cannot say?"""

from __future__ import annotations

from typing import Any


def encodable(text: str) -> str:
    """A text without lone surrogates: each stands as U+FFFD; two that make a pair become their character.

    They come of half an emoji in a streamed answer, or of a file's name in another encoding. One of them in a span's
    name would lose the whole batch that is exported with it.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def encodable_value(value: Any) -> Any:
    """Lists, dicts and texts as JSON has them, with each text encodable; other values stay as they are."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, (list, tuple)):
        return [encodable_value(item) for item in value]
    if isinstance(value, dict):
        return {encodable_value(key): encodable_value(item) for key, item in value.items()}
    return value

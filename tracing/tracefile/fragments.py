"""How is an attribute written once that stands on every span of a run?

Workflow ID, run ID, session and the like recur on each span. What is written of them is remembered, and spans are put
together from such pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from tracing.runs import AttributeValue

LONGEST: Final = 256
"""Longest text that is remembered, in characters: content does not recur."""
MOST: Final = 128
"""Most keys, and values of one key, that are remembered: then all are forgotten, and what still recurs comes back."""

Write = Callable[[Any], bytes]


class Texts(dict[str, bytes]):
    """What is written of texts of one kind: names of spans, or values of one attribute.

    Args:
        write: Writes a text.
    """

    def __init__(self, write: Write) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, text: str) -> bytes:
        """What is written of a text that is not known."""
        written = self._write(text)
        if len(text) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[text] = written
        return written


class Fragments:
    """Attributes as they are written.

    Args:
        writer: Gives, for a key, what writes its attribute with a value. So a key is encoded once, too.
    """

    def __init__(self, writer: Callable[[str], Write]) -> None:
        self._texts = _Keys(writer)
        self._others = _Others(self._write)

    def __len__(self) -> int:
        """How many attributes are remembered."""
        return sum(map(len, self._texts.values())) + len(self._others)

    def joined(self, separator: bytes, attributes: Mapping[str, AttributeValue]) -> bytes:
        """Attributes as they are written, in their order."""
        texts, others = self._texts, self._others
        try:
            return separator.join(
                [
                    texts[key][value] if value.__class__ is str else others[key, value, value.__class__]
                    for key, value in attributes.items()
                ]
            )
        except TypeError:  # a list, which a user's hook may give in the place of a tuple, is no key
            return separator.join([self._write(key, value) for key, value in attributes.items()])

    def each(self, key: str, values: Sequence[AttributeValue]) -> Iterable[bytes]:
        """What is written of one attribute with each of these values, in turn."""
        if set(map(type, values)) == {str}:
            return map(self._texts[key].__getitem__, cast("Sequence[str]", values))
        return [self.joined(b"", {key: value}) for value in values]

    def _write(self, key: str, value: AttributeValue) -> bytes:
        return self._texts[key].write(value)


class _Values(Texts):
    """What is written of one attribute with a text for its value."""

    def write(self, value: AttributeValue) -> bytes:
        """What is written of it with any value."""
        return self._write(value)


class _Keys(dict[str, _Values]):
    """Attributes by their keys."""

    def __init__(self, writer: Callable[[str], Write]) -> None:
        super().__init__()
        self._writer = writer

    def __missing__(self, key: str) -> _Values:
        values = _Values(self._writer(key))
        if len(key) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[key] = values
        return values


class _Others(dict[tuple[str, AttributeValue, type], bytes]):
    """Attributes that are no texts, by key and value.

    And by the value's class: True, 1 and 1.0 are the same key of a dictionary, but not the same attribute.
    """

    def __init__(self, write: Callable[[str, AttributeValue], bytes]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, attribute: tuple[str, AttributeValue, type]) -> bytes:
        key, value, kind = attribute
        written = self._write(key, value)
        if (kind is int or kind is bool) and len(written) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[attribute] = written
        return written

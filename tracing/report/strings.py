"""How does a text that many spans share come to stand in the page once?"""

from __future__ import annotations

from collections.abc import Iterable


class Strings:
    """Texts, each once, numbered in the order of their first use.

    Attribute keys, most values, names and notes come again on span after span: the page's data names them by number.
    Search looks at each text once, too, however many spans have it.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, text: str) -> int:
        """The number of a text."""
        return self._numbers.setdefault(text, len(self._numbers))

    def numbers(self, texts: Iterable[str]) -> list[int]:
        """The numbers of several."""
        return [self.number(text) for text in texts]

    def since(self, count: int) -> list[str]:
        """The texts from a number on."""
        return list(self._numbers)[count:]

"""Which fields hold secrets by their names: ``password=…``, ``"api_key": "…"``, ``Authorization: …``?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from tracing.redaction.rules import MARK_START, mark

_MAX_NAME: Final = 128
_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")

# A field's name ends in one of these, whatever stands before (`DB_PASSWORD`, `openaiApiKey`) and between its words.
_PASSWORDS: Final = ("password", "passwd", "passphrase", "pwd")
_SECRETS: Final = ("secret", "secret key", "access key", "private key", "account key", "encryption key", "signing key")
_KEYS: Final = ("api key", "apikeys", "subscription key", "access key id")
_TOKENS: Final = (
    *("access token", "refresh token", "auth token", "id token", "session token", "security token", "bearer token"),
    *("api token", "csrf token", "authorization", "x amz signature", "x goog signature", "session id cookie"),
)
_COOKIES: Final = ("cookie",)

_SEPARATOR: Final = r"""(?:(?:\\{0,4}["'])?\s{0,4}+[:=]{1,2}+>?\s{0,4}+b?|["']\s{0,4}+,\s{0,4}+b?(?=["']))"""
_QUOTED: Final = (
    r"""(?P<q>["'])(?!\[redacted: )(?P<quoted>(?:(?!(?P=q))[^\\\n]|\\.)++)"""
    r"""|\\{1,4}["'](?!\[redacted: )(?P<escaped>(?:(?!\\{1,4}["'])[^\n])++)"""
)
_WORD: Final = r"""(?!\[redacted: )(?P<bare>(?:(?i:bearer|basic|digest|token|apikey)\s{1,4})?[^\s"'<>&;,\\]++)"""
_LINE: Final = r"""(?!\[redacted: )(?P<bare>[^\n"'\\]++)"""


@dataclass(frozen=True)
class _Names:
    """Names of one kind, and what their values are called in the mark."""

    what: str
    words: tuple[str, ...]
    value: str = _WORD

    @property
    def needles(self) -> tuple[str, ...]:
        """Of each name the last word, which stands in every text that the pattern matches."""
        return tuple({words.rpartition(" ")[2] for words in self.words})

    @property
    def endings(self) -> tuple[str, ...]:
        """The names without what is between their words."""
        return tuple(words.replace(" ", "") for words in self.words)

    def pattern(self) -> re.Pattern[str]:
        """Finds such fields in text, with their values."""
        names = "|".join(words.replace(" ", "[ _-]?") for words in self.words)
        return re.compile(rf"(?:(?i:{names}))(?![A-Za-z0-9_]){_SEPARATOR}(?:{_QUOTED}|{self.value})")


class Fields:
    """Fields of some kinds.

    Args:
        kinds: The kinds; the first whose name fits decides.
    """

    def __init__(self, *kinds: _Names) -> None:
        self._kinds = [(mark(names.what), names.endings, names.needles, names.pattern()) for names in kinds]
        self._needles = tuple({needle for names in kinds for needle in names.needles})

    @property
    def patterns(self) -> list[re.Pattern[str]]:
        """What finds them in text."""
        return [pattern for _, _, _, pattern in self._kinds]

    def may_match(self, text: str) -> bool:
        """Whether it is worth a look: one of the names may be in the text."""
        lower = text.lower()
        return any(needle in lower for needle in self._needles)

    def apply(self, text: str) -> str:
        """Put marks in the place of the values of such fields in a text that is no JSON."""
        lower = text.lower()
        for what, _, needles, pattern in self._kinds:
            if any(needle in lower for needle in needles):
                text = pattern.sub(partial(_replaced, what), text)
        return text

    def mark_of(self, name: str) -> str:
        """The mark for the value of a field, by its name; "" where the name says nothing."""
        return _mark_of(self, name) if 0 < len(name) <= _MAX_NAME else ""

    def _find(self, name: str) -> str:
        letters = _NO_LETTER.sub("", name.lower())
        return next((what for what, endings, _, _ in self._kinds if letters.endswith(endings)), "")


@lru_cache(maxsize=2_048)
def _mark_of(fields: Fields, name: str) -> str:
    return fields._find(name)  # noqa: SLF001 - the same module, cached by name


def _replaced(what: str, match: re.Match[str]) -> str:
    group = next(name for name in ("quoted", "escaped", "bare") if match[name] is not None)
    value = match[group]
    if MARK_START in value and value.startswith(MARK_START):
        return match[0]
    return match[0][: match.start(group) - match.start()] + what


KEY_FIELDS: Final = Fields(_Names("password", _PASSWORDS), _Names("api key", _KEYS), _Names("secret", _SECRETS))
TOKEN_FIELDS: Final = Fields(_Names("token", _TOKENS), _Names("cookie", _COOKIES, _LINE))

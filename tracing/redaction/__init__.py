"""How is content made fit to leave the process? Ready-made redactors for `TracingConfig.redact`.

from tracing.redaction import redactors

TracingConfig(capture_content=True, redact=redactors("keys", "tokens", "email"))

``DURABLE_TRACE_REDACT=keys,tokens,email,cards`` does the same. Every redactor works in linear time, leaves JSON JSON,
and changes nothing when it sees its own result again: both readers redact, and must show the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tracing.redaction.fields import KEY_FIELDS, TOKEN_FIELDS, Fields
from tracing.redaction.json_text import redacted_json
from tracing.redaction.rules import CARD_RULES, EMAIL_RULES, KEY_RULES, TOKEN_RULES, Rule

__all__ = ["NAMES", "Redactors", "redactors"]

Redactor = Callable[[str, str], str]

_RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "keys": KEY_RULES,
    "tokens": TOKEN_RULES,
    "email": EMAIL_RULES,
    "cards": CARD_RULES,
}
_FIELDS: Final[dict[str, Fields]] = {"keys": KEY_FIELDS, "tokens": TOKEN_FIELDS}

NAMES: Final = tuple(_RULES)
"""Names of the ready-made redactors: API keys, passwords and private keys; bearer tokens and cookies; e-mail addresses;
card numbers."""

_MAX_ROUNDS: Final = 8
"""What was taken away may bring two neighbours together that now look like a secret: so until nothing changes."""


_ESCAPES: Final = ("\\u", "\\/")
"""How JSON may write a character that needs no escape."""


@dataclass(frozen=True)
class Redactors:
    """Some ready-made redactors, and the user's own after them. It can be pickled, and equals one of the same parts.

    Attributes:
        names: Names of the ready-made ones.
        own: The user's: called with key and text.
    """

    names: tuple[str, ...]
    own: tuple[Redactor, ...] = ()

    def __call__(self, key: str, text: str) -> str:
        """Redact the text of an attribute."""
        for _ in range(_MAX_ROUNDS):
            redacted = self._once(key, text)
            if redacted == text:
                break
            text = redacted
        for redact in self.own:
            text = redact(key, text)
        return text

    def _once(self, key: str, text: str) -> str:
        mark = self._field_mark(key.rpartition(".")[2])
        if mark:
            return mark if text else text
        # Escapes may hide what is looked for: such texts are looked at by all.
        looked_at = any(escape in text for escape in _ESCAPES)
        may_match = [part for part in self._parts() if looked_at or part.may_match(text)]
        if not may_match:
            return text

        def plain(part_of_it: str) -> str:
            for part in may_match:
                part_of_it = part.apply(part_of_it)
            return part_of_it

        redacted = redacted_json(text, plain, self._field_mark)
        return plain(text) if redacted is None else redacted

    def _parts(self) -> Iterator[Rule | Fields]:
        for name in NAMES:
            if name in self.names:
                yield from _RULES[name]
                if name in _FIELDS:
                    yield _FIELDS[name]

    def _field_mark(self, name: str) -> str:
        """What stands in the place of a field's value, by the field's name; "" where the name says nothing."""
        for group, fields in _FIELDS.items():
            if group in self.names and (mark := fields.mark_of(name)):
                return mark
        return ""


def redactors(*parts: str | Redactor) -> Redactors:
    """Redactors put together: ready-made ones by their names, and functions of the user's, which come after them.

    Args:
        *parts: "keys", "tokens", "email", "cards", or "all" for these four; or functions that take key and text.

    Raises:
        ValueError: A name is none of these.
    """
    names: list[str] = []
    own: list[Redactor] = []
    for part in parts:
        if not isinstance(part, str):
            own.append(part)
        else:
            names += _named(part)
    return Redactors(tuple(name for name in NAMES if name in names), tuple(own))


def _named(name: str) -> Iterable[str]:
    if name == "all":
        return NAMES
    if name not in _RULES:
        raise ValueError(f"There is no redactor {name!r}; there are {', '.join(NAMES)}, and all.")
    return (name,)

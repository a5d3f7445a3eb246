"""How are names, numbers and money written so that a reader can trust what stands there?

Names and messages come from traces that anybody may have written. A character that would not show, or that turns the
direction of what follows, is written as its code.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tracing.cost import Amount, rounded
from tracing.spans.model import NS_PER_S, NS_PER_US

NS_PER_MS: Final = 1_000_000
_SECONDS_PER_MINUTE: Final = 60
_TWO_DIGITS: Final = 10

_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
"""Control characters, direction marks, characters without a glyph, halves of surrogate pairs."""


def visible(value: object) -> str:
    """Text in which every character shows; one that would not is written as ⟨U+202E⟩."""
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", str(value).replace("\r\n", "\n"))


def duration(nanoseconds: int | None) -> str:
    """A duration, in the unit that reads best; "open" where it has no end."""
    if nanoseconds is None:
        return "open"
    if nanoseconds < NS_PER_MS:
        return f"{nanoseconds / NS_PER_US:.0f} µs"
    if nanoseconds < NS_PER_S:
        milliseconds = nanoseconds / NS_PER_MS
        return f"{milliseconds:.0f} ms" if milliseconds >= _TWO_DIGITS else f"{milliseconds:.1f} ms"
    if nanoseconds < _SECONDS_PER_MINUTE * NS_PER_S:
        return f"{nanoseconds / NS_PER_S:.2f} s"
    return _long(nanoseconds)


def _long(nanoseconds: int) -> str:
    minutes, seconds = divmod(round(nanoseconds / NS_PER_S), _SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def instant(nanoseconds: int) -> str:
    """A time, in UTC, to the ms; its number where no calendar has it."""
    try:
        moment = datetime.fromtimestamp(nanoseconds // NS_PER_S, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return f"{nanoseconds} ns"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds % NS_PER_S // NS_PER_MS:03d} UTC"


def money(amount: Amount) -> str:
    """USD to a millionth; "unknown" where nothing of it is known, "≥" where a part is not."""
    if amount.usd is None:
        return "unknown"
    return f"{'≥ ' if amount.at_least else ''}{_dollars(amount.usd)}"


def exact(amount: Amount) -> str:
    """All digits of an amount, and how much of it is unknown."""
    known = f"{amount.known.normalize():f} USD" if amount.known.is_finite() else "no number"
    return f"{known} known, {counted(amount.unknown_parts, 'part')} unknown" if amount.at_least else known


def change(usd: Decimal | None) -> str:
    """USD that something cost more (+) or less (-) than another thing; "unknown" where that is unknown."""
    if usd is None:
        return "unknown"
    return f"{'+' if usd > 0 else '-' if usd < 0 else ''}{_dollars(abs(usd))}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 attempt, 2 attempts."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _dollars(usd: Decimal) -> str:
    if not usd:
        return "$0"
    if not usd.is_finite() or abs(usd) >= Decimal("1e15"):
        return f"${usd:.3E}"
    return f"${rounded(usd):,f}"

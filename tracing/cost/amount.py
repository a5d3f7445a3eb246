"""How are sums of money written of which a part may be unknown?

Sums are exact (`Decimal`), and what is unknown stays unknown: it is counted beside the sum, never added as 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from tracing.usage import Usage


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money of which a part may be unknown.

    Attributes:
        known: USD of the parts whose cost is known.
        known_parts: Number of these parts (model calls).
        unknown_parts: Number of parts whose cost is unknown: calls without a price, attempts without a record.
    """

    known: Decimal = Decimal(0)
    known_parts: int = 0
    unknown_parts: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.known + other.known,
            self.known_parts + other.known_parts,
            self.unknown_parts + other.unknown_parts,
        )

    def __neg__(self) -> Amount:
        return Amount(-self.known, -self.known_parts, -self.unknown_parts)

    def __sub__(self, other: Amount) -> Amount:
        return self + -other

    @property
    def usd(self) -> Decimal | None:
        """USD, at least; None where nothing of it is known."""
        return None if self.unknown_parts and not self.known_parts else self.known

    @property
    def at_least(self) -> bool:
        """Whether the true sum may be higher."""
        return self.unknown_parts > 0


_SHOWN: Final = Decimal("0.000001")
_LARGE: Final = Decimal("1e15")


def rounded(usd: Decimal) -> Decimal:
    """USD as all that is read by people shows them: to a millionth, halves up; amounts that no bill has stay exact."""
    return usd if not usd.is_finite() or abs(usd) >= _LARGE else usd.quantize(_SHOWN, ROUND_HALF_UP)


UNKNOWN = Amount(unknown_parts=1)
"""One part of unknown cost."""


def amount_of(usage: Usage) -> Amount:
    """What some model calls cost."""
    return Amount(usage.cost, usage.calls - usage.unknown_cost_calls, usage.unknown_cost_calls)


def sum_of(amounts: Iterable[Amount]) -> Amount:
    """The sum of several amounts."""
    rest = iter(amounts)
    result = next(rest, None)
    if result is None:
        return Amount()
    for amount in rest:
        result += amount
    return result

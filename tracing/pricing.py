"""What does a model call cost, at the price of its own time?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Final

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from tracing import conventions as c
from tracing.runs import AttributeValue
from tracing.spans.model import NS_PER_S

_PROVIDER_IDS: Final = {"x_ai": "x-ai"}
"""Providers whose name in the GenAI conventions the price list does not know."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one call: ``cost`` in USD, ``source`` with its version."""

    cost: Decimal
    source: str


@cache
def price_source() -> str:
    """Name and version of the price list."""
    return f"genai-prices {version('genai-prices')}"


def price_of_call(attributes: Mapping[str, AttributeValue], time_ns: int) -> Price | None:
    """Price of a model call from its span's attributes (GenAI conventions).

    Args:
        attributes: Attributes of the model call's span.
        time_ns: When the call began, in ns since the epoch: prices have dates.

    Returns:
        The price; None where model, provider, tokens or price are unknown. Unknown is not free.
    """
    model = attributes.get(c.RESPONSE_MODEL) or attributes.get(c.REQUEST_MODEL)
    provider = attributes.get(c.PROVIDER)
    tokens = attributes.get(c.USAGE_INPUT)
    if not isinstance(model, str) or not isinstance(provider, str) or not isinstance(tokens, int):
        return None
    try:
        usage = PricedUsage(
            input_tokens=tokens,
            output_tokens=_int(attributes.get(c.USAGE_OUTPUT)),
            cache_read_tokens=_int(attributes.get(c.USAGE_CACHE_READ)),
            cache_write_tokens=_int(attributes.get(c.USAGE_CACHE_WRITE)),
        )
        moment = datetime.fromtimestamp(time_ns // NS_PER_S, tz=UTC)
        price = calc_price(
            usage, model, provider_id=_PROVIDER_IDS.get(provider, provider), genai_request_timestamp=moment
        )
    except (LookupError, ValueError, OverflowError):
        # Nobody's price, or numbers that cannot be: negative, more cached than there were, a time beyond the calendar.
        return None
    return Price(price.total_price, price_source())


def _int(value: AttributeValue | None) -> int | None:
    return value if isinstance(value, int) else None

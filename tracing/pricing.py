"""What does a model call cost, at the price of its own time?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from tracing import conventions as c
from tracing.price_overrides import Tokens, read_overrides
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import NS_PER_S
from tracing.usage import ABSURD

_MODALITIES: Final = {
    c.USAGE_AUDIO_INPUT: "input_audio_tokens",
    c.USAGE_AUDIO_OUTPUT: "output_audio_tokens",
    c.USAGE_AUDIO_CACHE_READ: "cache_audio_read_tokens",
    c.USAGE_IMAGE_INPUT: "input_image_tokens",
    c.USAGE_IMAGE_OUTPUT: "output_image_tokens",
    c.USAGE_IMAGE_CACHE_READ: "cache_image_read_tokens",
}
"""Parts of input and output that some models have prices of their own for, by the price list's names."""
_PROVIDER_IDS: Final = {"x_ai": "x-ai"}
"""Providers whose name in the GenAI conventions the price list does not know."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one call.

    Attributes:
        cost: USD.
        source: Price list, with its version.
        input_cost: USD of the input.
        output_cost: USD of the output.
    """

    cost: Decimal
    source: str
    input_cost: Decimal
    output_cost: Decimal

    def attributes(self) -> Attributes:
        """The price as a model call's span carries it."""
        return {
            c.COST: float(self.cost),
            c.INPUT_COST: float(self.input_cost),
            c.OUTPUT_COST: float(self.output_cost),
            c.COST_SOURCE: self.source,
        }


@cache
def price_list() -> Any:
    """The price list. It takes a third of a second to load: readers of histories hardly need it, workers soon do.

    Its data are loaded with it. By itself it would load them for the first price: in the first model call of a worker,
    whose event loop would stand still for a tenth of a second.
    """
    prices = import_module("genai_prices")
    with suppress(LookupError):
        prices.calc_price(prices.Usage(input_tokens=1, output_tokens=1), "gpt-4o", provider_id="openai")
    return prices


@cache
def price_source() -> str:
    """Name and version of the price list."""
    return f"genai-prices {version('genai-prices')}"


def price_of_call(attributes: Mapping[str, AttributeValue], time_ns: int, overrides: str = "") -> Price | None:
    """Price of a model call from its span's attributes (GenAI conventions).

    Args:
        attributes: Attributes of the model call's span.
        time_ns: When the call began, in ns since the epoch: prices have dates.
        overrides: Path of the user's own prices (`TracingConfig.prices`), which go before the price list; "" is none.

    Returns:
        The price; None where model, provider, tokens or price are unknown. Unknown is not free.
    """
    models = tuple(m for key in (c.RESPONSE_MODEL, c.REQUEST_MODEL) if isinstance(m := attributes.get(key), str) and m)
    provider = attributes.get(c.PROVIDER)
    tokens = _tokens(attributes)
    if not models or not isinstance(provider, str) or tokens is None:
        return None
    try:
        moment = datetime.fromtimestamp(time_ns // NS_PER_S, tz=UTC)
        if overrides and (own := read_overrides(overrides).price(provider, models, moment, tokens)) is not None:
            return Price(own.input_cost + own.output_cost, own.source, own.input_cost, own.output_cost)
        price = price_list().calc_price(
            _priced_usage(attributes, tokens),
            models[0],
            provider_id=_PROVIDER_IDS.get(provider, provider),
            genai_request_timestamp=moment,
        )
    except (LookupError, ValueError, OverflowError):
        # Nobody's price, or numbers that cannot be: negative, more cached than there were, a time beyond the calendar.
        return None
    return Price(price.total_price, price_source(), price.input_price, price.output_price)


def _tokens(attributes: Mapping[str, AttributeValue]) -> Tokens | None:
    """The tokens of a call; None where they are unknown, or cannot be."""
    given = _int(attributes.get(c.USAGE_INPUT))
    if given is None:
        return None
    tokens = Tokens(
        given,
        _int(attributes.get(c.USAGE_OUTPUT)) or 0,
        _int(attributes.get(c.USAGE_CACHE_READ)) or 0,
        _int(attributes.get(c.USAGE_CACHE_WRITE)) or 0,
        # Some count it beside the output instead of in it: more than there was of that is not billed twice.
        min(_int(attributes.get(c.USAGE_REASONING)) or 0, _int(attributes.get(c.USAGE_OUTPUT)) or 0),
    )
    parts = (given, tokens.output, tokens.cached, tokens.written, tokens.reasoning)
    possible = min(parts) >= 0 and max(parts) < ABSURD and tokens.cached + tokens.written <= given
    return tokens if possible else None


def _priced_usage(attributes: Mapping[str, AttributeValue], tokens: Tokens) -> Any:
    parts = {name: count for key, name in _MODALITIES.items() if (count := _int(attributes.get(key)))}
    return price_list().Usage(
        input_tokens=tokens.input,
        output_tokens=_int(attributes.get(c.USAGE_OUTPUT)),
        cache_read_tokens=_int(attributes.get(c.USAGE_CACHE_READ)),
        cache_write_tokens=_int(attributes.get(c.USAGE_CACHE_WRITE)),
        **parts,
    )


def _int(value: AttributeValue | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

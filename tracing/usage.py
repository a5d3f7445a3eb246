"""What do some model calls add up to: tokens, cost, and how much of it is unknown?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tracing import conventions as c
from tracing.runs import Attributes, AttributeValue

ABSURD: Final = 1 << 48
"""Ledgers come from outside: no call has so many tokens, or costs so much."""

_TOKENS: Final = (c.USAGE_INPUT, c.USAGE_OUTPUT, c.USAGE_CACHE_READ, c.USAGE_CACHE_WRITE, c.USAGE_REASONING)


@dataclass(frozen=True, slots=True)
class Usage:
    """Sum over model calls.

    Attributes:
        calls: Number of calls.
        input_tokens: Input tokens, cached ones included (GenAI conventions).
        output_tokens: Output tokens, reasoning included.
        cached_tokens: Part of the input that was read from a cache.
        reasoning_tokens: Part of the output spent on reasoning.
        cost: USD of the calls whose price is known.
        unknown_cost_calls: Calls whose cost is unknown; their cost is not 0.
        client_retries: Requests that model clients sent again by themselves, inside these calls.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Decimal = Decimal(0)
    unknown_cost_calls: int = 0
    client_retries: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cost + other.cost,
            self.unknown_cost_calls + other.unknown_cost_calls,
            self.client_retries + other.client_retries,
        )

    def __neg__(self) -> Usage:
        return Usage(
            -self.calls,
            -self.input_tokens,
            -self.output_tokens,
            -self.cached_tokens,
            -self.reasoning_tokens,
            -self.cost,
            -self.unknown_cost_calls,
            -self.client_retries,
        )

    def __sub__(self, other: Usage) -> Usage:
        return self + -other

    def attributes(self) -> Attributes:
        """Our own keys for the sums; none where there was no call."""
        if not self.calls:
            return {}
        retries = {c.CLIENT_RETRIES: self.client_retries} if self.client_retries else {}
        return {
            c.LLM_CALLS: self.calls,
            c.INPUT_TOKENS: self.input_tokens,
            c.OUTPUT_TOKENS: self.output_tokens,
            c.CACHED_TOKENS: self.cached_tokens,
            c.REASONING_TOKENS: self.reasoning_tokens,
            c.UNKNOWN_COST_CALLS: self.unknown_cost_calls,
            c.TOTAL_COST: float(self.cost),
            **retries,
        }


NO_USAGE: Final = Usage()
"""No model call."""


def is_model_call(attributes: Mapping[str, AttributeValue]) -> bool:
    """Whether a span's attributes are those of a model call, by the GenAI conventions."""
    return attributes.get(c.OPERATION) in c.MODEL_OPERATIONS


def usage_of_call(attributes: Mapping[str, AttributeValue]) -> Usage:
    """Usage of one model call, read off its span's attributes; no call where it is none."""
    if not is_model_call(attributes):
        return NO_USAGE
    # What tokens that cannot be were multiplied by is no cost, whoever did it.
    cost = None if any(_cannot_be(attributes.get(key)) for key in _TOKENS) else _cost(attributes, c.COST)
    return Usage(
        calls=1,
        input_tokens=_count(attributes, c.USAGE_INPUT),
        output_tokens=_count(attributes, c.USAGE_OUTPUT),
        cached_tokens=_count(attributes, c.USAGE_CACHE_READ),
        reasoning_tokens=_count(attributes, c.USAGE_REASONING),
        cost=cost or Decimal(0),
        unknown_cost_calls=1 if cost is None else 0,
        client_retries=_count(attributes, c.HTTP_RESENDS),
    )


def usage_of_sums(sums: Mapping[str, int | float]) -> Usage:
    """A usage from its own attributes (`Usage.attributes`): so a ledger keeps that of calls it had no room for."""
    return Usage(
        calls=_count(sums, c.LLM_CALLS),
        input_tokens=_count(sums, c.INPUT_TOKENS),
        output_tokens=_count(sums, c.OUTPUT_TOKENS),
        cached_tokens=_count(sums, c.CACHED_TOKENS),
        reasoning_tokens=_count(sums, c.REASONING_TOKENS),
        cost=_cost(sums, c.TOTAL_COST) or Decimal(0),
        unknown_cost_calls=_count(sums, c.UNKNOWN_COST_CALLS),
        client_retries=_count(sums, c.CLIENT_RETRIES),
    )


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of several usages."""
    result = NO_USAGE
    for usage in usages:
        if usage is not NO_USAGE:
            result = usage if result is NO_USAGE else result + usage
    return result


def _cannot_be(tokens: AttributeValue | None) -> bool:
    return isinstance(tokens, (int, float)) and not 0 <= tokens < ABSURD


def _count(attributes: Mapping[str, Any], key: str) -> int:
    value = attributes.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < ABSURD else 0


def _cost(attributes: Mapping[str, Any], key: str) -> Decimal | None:
    value = attributes.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < ABSURD:
        return None
    # repr, not the binary value: 0.1 is the price that was meant, not 0.1000000000000000055
    return Decimal(repr(float(value)))

"""What do some model calls add up to: tokens, cost, and how much of it is unknown?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tracing import conventions as c
from tracing.runs import Attributes, AttributeValue

_ABSURD: Final = 1 << 48
"""Ledgers come from outside: no call has so many tokens, or costs so much."""


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
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Decimal = Decimal(0)
    unknown_cost_calls: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cost + other.cost,
            self.unknown_cost_calls + other.unknown_cost_calls,
        )

    def attributes(self) -> Attributes:
        """Our own keys for the sums; none where there was no call."""
        if not self.calls:
            return {}
        return {
            c.LLM_CALLS: self.calls,
            c.INPUT_TOKENS: self.input_tokens,
            c.OUTPUT_TOKENS: self.output_tokens,
            c.CACHED_TOKENS: self.cached_tokens,
            c.REASONING_TOKENS: self.reasoning_tokens,
            c.UNKNOWN_COST_CALLS: self.unknown_cost_calls,
            c.TOTAL_COST: float(self.cost),
        }


def is_model_call(attributes: Mapping[str, AttributeValue]) -> bool:
    """Whether a span's attributes are those of a model call, by the GenAI conventions."""
    return attributes.get(c.OPERATION) in c.MODEL_OPERATIONS


def usage_of_call(attributes: Mapping[str, AttributeValue]) -> Usage:
    """Usage of one model call, read off its span's attributes; no call where it is none."""
    if not is_model_call(attributes):
        return Usage()
    cost = _cost(attributes)
    return Usage(
        calls=1,
        input_tokens=_tokens(attributes, c.USAGE_INPUT),
        output_tokens=_tokens(attributes, c.USAGE_OUTPUT),
        cached_tokens=_tokens(attributes, c.USAGE_CACHE_READ),
        reasoning_tokens=_tokens(attributes, c.USAGE_REASONING),
        cost=cost or Decimal(0),
        unknown_cost_calls=1 if cost is None else 0,
    )


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of several usages."""
    result = Usage()
    for usage in usages:
        result += usage
    return result


def _tokens(attributes: Mapping[str, AttributeValue], key: str) -> int:
    value = attributes.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _ABSURD else 0


def _cost(attributes: Mapping[str, AttributeValue]) -> Decimal | None:
    value = attributes.get(c.COST)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < _ABSURD:
        return None
    # repr, not the binary value: 0.1 is the price that was meant, not 0.1000000000000000055
    return Decimal(repr(float(value)))

"""What did a run spend, as the model server counted it?"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tracing import conventions as c
from tracing.cost import price_of_call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.local.journal import RequestRecord, TokenUsage

PROVIDER: Final = "openai"


@dataclass(frozen=True)
class Spent:
    """Requests to a model, and what their answers cost.

    Attributes:
        requests: Requests that the model server received.
        answers: Those that it answered, which are billed.
        repeated: Answers to what it had answered before: paid for twice.
        input_tokens: Tokens of all questions that were answered.
        output_tokens: Tokens of all answers.
        usd: What the answers cost, in USD.
    """

    requests: int
    answers: int
    repeated: int
    input_tokens: int
    output_tokens: int
    usd: Decimal

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    @classmethod
    def of(cls, records: Iterable[RequestRecord]) -> Spent:
        """Add up what a model server has recorded."""
        records = list(records)
        answered = [(record.asked, record.usage) for record in records if record.usage is not None]
        steps = Counter(asked.step for asked, _ in answered)
        return cls(
            requests=len(records),
            answers=len(answered),
            repeated=len(answered) - len(steps),
            input_tokens=sum(usage.input_tokens for _, usage in answered),
            output_tokens=sum(usage.output_tokens for _, usage in answered),
            usd=sum((_price(asked.model, usage) for asked, usage in answered), Decimal(0)),
        )


def _price(model: str, usage: TokenUsage) -> Decimal:
    call: dict[str, str | int] = {
        c.PROVIDER: PROVIDER,
        c.REQUEST_MODEL: model,
        c.USAGE_INPUT: usage.input_tokens,
        c.USAGE_CACHE_READ: usage.cached_tokens,
        c.USAGE_OUTPUT: usage.output_tokens,
    }
    price = price_of_call(call, time.time_ns())
    if price is None:
        raise LookupError(f"The price list has no price for {model}: set RESEARCH_MODEL to a model that it knows.")
    return price.cost

"""What the model server counted, added up and priced."""

from __future__ import annotations

from decimal import Decimal

import pytest

from agent.failures.spent import Spent
from agent.local.journal import Asked, RequestRecord, TokenUsage


def record(step: str, usage: TokenUsage | None = None, *, model: str = "gpt-4o") -> RequestRecord:
    return RequestRecord(sequence=1, asked=Asked("/v1/chat/completions", step, "", model), usage=usage)


def test_answers_are_paid_and_those_to_the_same_step_are_paid_twice() -> None:
    usage = TokenUsage(input_tokens=1_000, cached_tokens=400, output_tokens=100, reasoning_tokens=50)
    spent = Spent.of([record("Plan", usage), record("Summary"), record("Plan", usage), record("Summary", usage)])

    # A million tokens of gpt-4o: 2.50 USD in, 1.25 of them cached, 10 out.
    each = (600 * Decimal("2.5") + 400 * Decimal("1.25") + 100 * 10) / 1_000_000
    assert spent == Spent(requests=4, answers=3, repeated=1, input_tokens=3_000, output_tokens=300, usd=3 * each)
    assert spent.tokens == 3_300


def test_a_model_without_a_price_is_not_free() -> None:
    usage = TokenUsage(input_tokens=1, cached_tokens=0, output_tokens=1, reasoning_tokens=0)

    with pytest.raises(LookupError, match="no price for house-model"):
        Spent.of([record("Plan", usage, model="house-model")])

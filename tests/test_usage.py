"""Sums over model calls, by our own keys."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tracing.usage import Usage, is_model_call, total, usage_of_call

if TYPE_CHECKING:
    from tracing.runs import Attributes

CALL: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
    "gen_ai.usage.cache_read.input_tokens": 13,
    "gen_ai.usage.reasoning.output_tokens": 7,
    "durable.cost.usd": 0.1,
}
USAGE = Usage(calls=1, input_tokens=101, output_tokens=53, cached_tokens=13, reasoning_tokens=7, cost=Decimal("0.1"))


def test_a_call() -> None:
    assert usage_of_call(CALL) == USAGE


def test_a_call_whose_cost_is_unknown_says_so() -> None:
    call = {key: value for key, value in CALL.items() if key != "durable.cost.usd"}
    assert usage_of_call(call) == Usage(1, 101, 53, 13, 7, Decimal(0), unknown_cost_calls=1)


@pytest.mark.parametrize("operation", ["chat", "text_completion", "generate_content", "embeddings"])
def test_calls_of_a_model(operation: str) -> None:
    assert is_model_call({"gen_ai.operation.name": operation})


@pytest.mark.parametrize(
    "attributes", [{}, {"gen_ai.operation.name": "execute_tool"}, {"gen_ai.operation.name": ("chat",)}]
)
def test_other_spans_are_no_call(attributes: Attributes) -> None:
    assert usage_of_call(attributes | {"gen_ai.usage.input_tokens": 5}) == Usage()


@pytest.mark.parametrize("tokens", [-5, True, "101", 1.5, 1 << 60])
def test_tokens_that_cannot_be_do_not_count(tokens: float | str) -> None:
    assert usage_of_call({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": tokens}).input_tokens == 0


@pytest.mark.parametrize("key", ["input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens"])
@pytest.mark.parametrize("tokens", [-5, 10**15, 1e18])
def test_what_tokens_that_cannot_be_cost_is_unknown(key: str, tokens: float) -> None:
    usage = usage_of_call(CALL | {f"gen_ai.usage.{key}": tokens, "durable.cost.usd": 12_500_000_000.0})
    assert (usage.cost, usage.unknown_cost_calls) == (Decimal(0), 1)


@pytest.mark.parametrize("cost", [-1.0, True, "0.1", 1e300])
def test_a_cost_that_cannot_be_is_unknown(cost: float | str) -> None:
    assert usage_of_call({"gen_ai.operation.name": "chat", "durable.cost.usd": cost}) == Usage(
        calls=1, unknown_cost_calls=1
    )


def test_costs_add_up_to_the_cent_fraction() -> None:
    assert total([USAGE, USAGE, USAGE]).cost == Decimal("0.3")
    assert float(total([USAGE, USAGE, USAGE]).cost) != 0.1 + 0.1 + 0.1


def test_a_sum_as_attributes() -> None:
    unknown = usage_of_call({"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 9})
    assert total([USAGE, unknown]).attributes() == {
        "durable.llm.calls": 2,
        "durable.llm.input_tokens": 110,
        "durable.llm.output_tokens": 53,
        "durable.llm.cached_input_tokens": 13,
        "durable.llm.reasoning_tokens": 7,
        "durable.llm.unknown_cost_calls": 1,
        "durable.llm.cost": 0.1,
    }


def test_no_call_no_attributes() -> None:
    assert total([]).attributes() == {}


def test_requests_that_clients_sent_again_are_counted_beside_the_calls() -> None:
    retried = usage_of_call(CALL | {"http.request.resend_count": 2})
    assert retried == Usage(
        calls=1,
        input_tokens=101,
        output_tokens=53,
        cached_tokens=13,
        reasoning_tokens=7,
        cost=Decimal("0.1"),
        client_retries=2,
    )
    assert total([retried, USAGE, retried]).attributes()["durable.llm.client_retries"] == 4
    assert "durable.llm.client_retries" not in USAGE.attributes()

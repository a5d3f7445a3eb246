"""The price of a model call: known, or unknown; never 0 for want of knowledge."""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tracing.pricing import Price, price_of_call

if TYPE_CHECKING:
    from tracing.runs import Attributes

NOVEMBER_2025 = 1_763_884_800 * 10**9
CALL: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
    "gen_ai.usage.cache_read.input_tokens": 13,
}
SOURCE = f"genai-prices {version('genai-prices')}"


def test_cached_input_is_cheaper() -> None:
    # gpt-4o: 2.50 USD per million input tokens, 1.25 cached, 10 output.
    assert price_of_call(CALL, NOVEMBER_2025) == Price(Decimal("0.00076625"), SOURCE)
    assert Decimal("0.00076625") == (88 * Decimal("2.5") + 13 * Decimal("1.25") + 53 * 10) / 1_000_000


def test_the_model_that_answered_decides() -> None:
    call = CALL | {"gen_ai.response.model": "gpt-4o-mini-2024-07-18"}
    # gpt-4o-mini: 0.15, 0.075 and 0.60 USD.
    assert price_of_call(call, NOVEMBER_2025) == Price(Decimal("0.000045975"), SOURCE)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("azure.ai.openai", "gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("gcp.vertex_ai", "gemini-2.5-flash"),
        ("gcp.gemini", "gemini-2.5-flash"),
        ("mistral_ai", "mistral-large-latest"),
        ("x_ai", "grok-3"),
        ("anthropic", "claude-sonnet-4-5"),
    ],
)
def test_providers_by_the_names_of_the_conventions_have_prices(provider: str, model: str) -> None:
    call = CALL | {"gen_ai.provider.name": provider, "gen_ai.request.model": model}
    assert price_of_call(call, NOVEMBER_2025) is not None


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(CALL | {"gen_ai.request.model": "our-own-model"}, id="unknown model"),
        pytest.param(CALL | {"gen_ai.provider.name": "our-own-provider"}, id="unknown provider"),
        pytest.param({k: v for k, v in CALL.items() if k != "gen_ai.provider.name"}, id="no provider"),
        pytest.param({k: v for k, v in CALL.items() if k != "gen_ai.request.model"}, id="no model"),
        pytest.param({k: v for k, v in CALL.items() if k != "gen_ai.usage.input_tokens"}, id="no tokens"),
        pytest.param(CALL | {"gen_ai.usage.cache_read.input_tokens": 102}, id="more cached than there were"),
        pytest.param(CALL | {"gen_ai.usage.input_tokens": -1}, id="negative tokens"),
        pytest.param(CALL | {"gen_ai.usage.input_tokens": "101"}, id="tokens as text"),
    ],
)
def test_what_is_not_known_has_no_price(call: Attributes) -> None:
    assert price_of_call(call, NOVEMBER_2025) is None


def test_a_time_beyond_the_calendar_has_no_price() -> None:
    assert price_of_call(CALL, 10**30) is None

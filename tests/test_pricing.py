"""The price of a model call: known, or unknown; never 0 for want of knowledge."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tracing.config import logger
from tracing.price_overrides import read_overrides
from tracing.pricing import Price, price_of_call

if TYPE_CHECKING:
    from pathlib import Path

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
    assert price_of_call(CALL, NOVEMBER_2025) == Price(
        Decimal("0.00076625"), SOURCE, input_cost=Decimal("0.00023625"), output_cost=Decimal("0.00053")
    )
    assert Decimal("0.00076625") == (88 * Decimal("2.5") + 13 * Decimal("1.25") + 53 * 10) / 1_000_000


def test_the_list_is_loaded_with_its_data() -> None:
    # Else the first model call of a worker would load them, and its event loop stand still meanwhile.
    script = (
        "import sys; from tracing.pricing import price_list, price_of_call; price_list(); known = set(sys.modules);"
        f"assert price_of_call({CALL!r}, {NOVEMBER_2025}) is not None; print(sorted(set(sys.modules) - known))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_model_that_answered_decides() -> None:
    call = CALL | {"gen_ai.response.model": "gpt-4o-mini-2024-07-18"}
    # gpt-4o-mini: 0.15, 0.075 and 0.60 USD.
    assert price_of_call(call, NOVEMBER_2025) == Price(
        Decimal("0.000045975"), SOURCE, input_cost=Decimal("0.000014175"), output_cost=Decimal("0.0000318")
    )


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
        pytest.param(CALL | {"gen_ai.usage.output_tokens": 10**15}, id="more tokens than any call has"),
        pytest.param(CALL | {"gen_ai.usage.input_tokens": "101"}, id="tokens as text"),
    ],
)
def test_what_is_not_known_has_no_price(call: Attributes) -> None:
    assert price_of_call(call, NOVEMBER_2025) is None


def test_a_time_beyond_the_calendar_has_no_price() -> None:
    assert price_of_call(CALL, 10**30) is None


def test_audio_has_a_price_of_its_own() -> None:
    call: Attributes = {
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini-realtime-preview",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.audio.input_tokens": 60,
        "gen_ai.usage.audio.output_tokens": 30,
    }
    price = price_of_call(call, NOVEMBER_2025)
    assert price
    # Text at 0.60 and 2.40 USD per million tokens, audio at 10 and 20.
    assert (price.input_cost, price.output_cost) == (
        (40 * Decimal("0.6") + 60 * 10) / 1_000_000,
        (20 * Decimal("2.4") + 30 * 20) / 1_000_000,
    )


def test_reasoning_beyond_the_output_is_no_reason_to_have_no_price() -> None:
    call = CALL | {"gen_ai.usage.reasoning.output_tokens": 60}
    assert price_of_call(call, NOVEMBER_2025) == price_of_call(CALL, NOVEMBER_2025)


OWN_PRICES = """{"prices": [
  {"name": "negotiated", "provider": "openai", "model": "gpt-4o*", "from": "2025-11-01",
   "input": 2, "output": 8, "cached_input": 0.5, "reasoning": 4},
  {"name": "before", "provider": "openai", "model": "gpt-4o*", "input": 3, "output": 9},
  {"name": "own machines", "model": "llama-*", "input": 0.1, "output": 0.2},
  {"name": "vectors", "model": "bge-*", "input": 0.01}
]}"""


@pytest.fixture
def own_prices(tmp_path: Path) -> str:
    """A file with prices of the user's own."""
    path = tmp_path / "prices.json"
    path.write_text(OWN_PRICES)
    return str(path)


class TestOwnPrices:
    def test_go_before_the_price_list_from_their_date_on(self, own_prices: str) -> None:
        call = CALL | {"gen_ai.usage.reasoning.output_tokens": 7}
        price = price_of_call(call, NOVEMBER_2025, own_prices)
        assert price == Price(
            (88 * 2 + 13 * Decimal("0.5") + 46 * 8 + 7 * 4) / Decimal(1_000_000),
            "override:prices.json#negotiated@sha256:c1ba161359ab",
            input_cost=(88 * 2 + 13 * Decimal("0.5")) / Decimal(1_000_000),
            output_cost=Decimal(46 * 8 + 7 * 4) / 1_000_000,
        )

    def test_what_they_do_not_say_costs_as_the_rest(self, own_prices: str) -> None:
        october = NOVEMBER_2025 - 30 * 86_400 * 10**9
        price = price_of_call(CALL, october, own_prices)
        assert price
        assert (price.input_cost, price.output_cost) == (Decimal("0.000303"), Decimal("0.000477"))
        assert price.source.startswith("override:prices.json#before@")

    def test_are_found_by_the_name_that_was_asked_for_too(self, own_prices: str) -> None:
        call = CALL | {
            "gen_ai.provider.name": "vllm",
            "gen_ai.request.model": "llama-4",
            "gen_ai.response.model": "/models/ours",
        }
        price = price_of_call(call, NOVEMBER_2025, own_prices)
        assert price
        assert (price.cost, price.source.partition("@")[0]) == (
            Decimal("0.0000207"),
            "override:prices.json#own machines",
        )

    def test_embeddings_need_no_price_of_output(self, own_prices: str) -> None:
        call: Attributes = {
            "gen_ai.provider.name": "us",
            "gen_ai.request.model": "bge-m3",
            "gen_ai.usage.input_tokens": 100,
        }
        price = price_of_call(call, NOVEMBER_2025, own_prices)
        assert price
        assert price.cost == Decimal("0.000001")

    def test_an_output_without_price_is_unknown(self, own_prices: str) -> None:
        call = CALL | {"gen_ai.provider.name": "us", "gen_ai.request.model": "bge-m3"}
        assert price_of_call(call, NOVEMBER_2025, own_prices) is None

    def test_other_models_cost_what_the_price_list_says(self, own_prices: str) -> None:
        call = CALL | {"gen_ai.request.model": "gpt-4.1"}
        price = price_of_call(call, NOVEMBER_2025, own_prices)
        assert price
        assert price.source == SOURCE

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("{", "Input data was truncated"),
            (
                '{"prices": [{"name": "a", "model": "b", "input": 1, "ouput": 2}]}',
                "Object contains unknown field `ouput` - at `$.prices[0]`",
            ),
            ('{"prices": [{"name": "a", "model": "b", "input": -1}]}', "input of a is -1"),
            ('{"prices": [{"name": "a", "model": "b"}]}', "Object missing required field `input` - at `$.prices[0]`"),
            (None, "No such file or directory"),
        ],
    )
    def test_a_broken_file_is_named_once_and_the_price_list_decides(
        self, tmp_path: Path, text: str | None, reason: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "prices.json"
        if text is not None:
            path.write_text(text)
        read_overrides.cache_clear()
        for _ in range(2):
            price = price_of_call(CALL, NOVEMBER_2025, str(path))
            assert price
            assert price.source == SOURCE
        assert [record.getMessage() for record in caplog.records if record.name == logger.name] == [
            f"The prices of {path} are not used ({reason}): calls are priced by genai-prices."
        ]

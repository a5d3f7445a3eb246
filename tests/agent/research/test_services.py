"""Which services the agent uses, as the environment says."""

from __future__ import annotations

import pytest

from agent.research.services import Services


def test_a_key_is_enough_for_the_real_services() -> None:
    assert Services.from_environment({"OPENAI_API_KEY": "secret"}) == Services(
        model="gpt-4o",
        openai_url="https://api.openai.com/v1",
        openai_key="secret",
        search_url="https://api.duckduckgo.com",
    )


def test_everything_can_be_chosen() -> None:
    environ = {
        "OPENAI_API_KEY": "secret",
        "OPENAI_BASE_URL": "https://models.example/v1",
        "RESEARCH_MODEL": "o4-mini",
        "SEARCH_BASE_URL": "https://search.example",
    }

    assert Services.from_environment(environ) == Services(
        model="o4-mini",
        openai_url="https://models.example/v1",
        openai_key="secret",
        search_url="https://search.example",
    )


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://127.0.0.1:8000/v1", "none"),
        ("http://localhost:8000/v1", "none"),
        ("http://[::1]:8000/v1", "none"),
        ("https://models.example/v1", None),
        ("", None),
    ],
)
def test_a_model_on_this_machine_needs_no_key(url: str, key: str | None) -> None:
    assert Services.from_environment({"OPENAI_BASE_URL": url, "OPENAI_API_KEY": ""}).openai_key == key

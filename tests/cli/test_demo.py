"""`durable-trace demo`: which patterns it lists, and what it says where one cannot be shown."""

from __future__ import annotations

import dataclasses

import pytest

from agent.demo.patterns import PATTERNS
from tracing.cli import run

NOWHERE = dataclasses.replace(
    PATTERNS["research"], name="elsewhere", packages=("a_package_that_is_nowhere",), extra="elsewhere"
)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern whose package is not installed, in the place of the default one: its name is a choice already."""
    monkeypatch.setitem(PATTERNS, "research", NOWHERE)


def test_the_list_names_every_pattern_its_engine_and_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--list"]) == 0

    words = capsys.readouterr().out.split()
    for pattern in PATTERNS.values():
        assert {pattern.name, pattern.engine, *pattern.shows.split()} <= set(words)
        assert pattern.missing == ()


def test_an_unknown_name_is_wrong_usage_and_the_patterns_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "juggling"]) == 2

    said = capsys.readouterr().err
    assert "'juggling' is not" in said
    assert all(f"'{name}'" in said for name in PATTERNS)


@pytest.mark.usefixtures("elsewhere")
def test_a_missing_package_is_named_with_the_extra_that_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo"]) == 1

    assert capsys.readouterr().err == (
        "durable-trace: The demo research needs packages that are not installed (a_package_that_is_nowhere): "
        "pip install 'durable-trace[elsewhere]'.\n"
    )


@pytest.mark.usefixtures("elsewhere")
def test_the_list_says_how_to_install_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--list"]) == 0

    assert "pip install 'durable-trace[elsewhere]'" in " ".join(capsys.readouterr().out.split())

"""What the agent asks the model, and how it reads the plan."""

from __future__ import annotations

import pytest

from agent.research.payloads import Finding, LLMRequest, SearchResult
from agent.research.prompts import parse_plan, plan_request, summary_request, synthesis_request

SOURCES = [
    SearchResult(title="Field report", text="Tea is fine.", url="https://example.com/a"),
    SearchResult(title="Survey", text="All drank it.", url="https://example.com/b"),
]


def test_the_plan_is_asked_for() -> None:
    assert plan_request("Is tea healthy?", 3) == LLMRequest(
        system="You plan web research. Answer with search queries only, one per line, without numbering.",
        prompt="# Plan\n\nWrite 3 web search queries that together answer the question.\n\nQuestion: Is tea healthy?",
    )


def test_a_synthesis_is_asked_for_with_the_sources() -> None:
    assert synthesis_request("Synthesis 1 of 3", "tea in practice", SOURCES) == LLMRequest(
        system="You synthesise web sources. Use only the sources given, and cite them by their numbers.",
        prompt="# Synthesis 1 of 3\n\n"
        "Say in a few sentences what these sources find about: tea in practice\n\n"
        "[1] Field report: Tea is fine. (https://example.com/a)\n"
        "[2] Survey: All drank it. (https://example.com/b)",
    )


def test_a_synthesis_of_nothing_says_so() -> None:
    assert synthesis_request("Synthesis 1 of 3", "tea", []).prompt.endswith("No source was found; say so.")


def test_the_summary_is_asked_for_with_the_findings() -> None:
    findings = [Finding("tea in practice", "Tea is fine. [1]", SOURCES), Finding("tea limits", "None known.", [])]

    assert summary_request("Is tea healthy?", findings) == LLMRequest(
        system="You write the opening summary of a research report. Use only the findings given.",
        prompt="# Summary\n\n"
        "Answer the question from these findings.\n\n"
        "Question: Is tea healthy?\n\n"
        "[1] tea in practice: Tea is fine. [1]\n"
        "[2] tea limits: None known.",
    )


@pytest.mark.parametrize(
    ("plan", "queries"),
    [
        ("tea in practice\ntea limits", ["tea in practice", "tea limits"]),
        (
            "1. tea in practice\n2) tea limits\n\n- tea costs\n* tea history",
            ["tea in practice", "tea limits", "tea costs"],
        ),
        ('"tea in practice"\ntea in practice\n', ["tea in practice"]),
        ("2026 tea harvest", ["2026 tea harvest"]),
        ("\n \n", ["Is tea healthy?"]),
    ],
)
def test_the_plan_is_read_line_by_line(plan: str, queries: list[str]) -> None:
    assert parse_plan(plan, "Is tea healthy?", 3) == queries

"""What the model is asked, and what is made of its plan."""

from __future__ import annotations

import pytest

from agent.deep_research.payloads import Assignment, SubQuestion
from agent.deep_research.prompts import parse_plan, plan_messages, sub_question_messages, tool_message
from agent.research.payloads import Finding, SearchResult

TEA = SearchResult("Tea", "A drink.", "https://example.com/tea")


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("What is tea?\nWho drinks it?", [SubQuestion(1, "What is tea?"), SubQuestion(2, "Who drinks it?")]),
        (
            "1. What is tea?\n2. Who drinks it?\n3. Is it worth it? [after 1, 2]",
            [
                SubQuestion(1, "What is tea?"),
                SubQuestion(2, "Who drinks it?"),
                SubQuestion(3, "Is it worth it?", [1, 2]),
            ],
        ),
        # One that does not exist, itself, and one that comes later: a plan that waits for ever is none.
        ("- What is tea? [After 2 and 9]\n- Who drinks it? [after 2, 1]", [
            SubQuestion(1, "What is tea?"),
            SubQuestion(2, "Who drinks it?", [1]),
        ]),
        ("What is tea?\n\nWhat is tea?", [SubQuestion(1, "What is tea?")]),
        ("a\nb\nc\nd", [SubQuestion(1, "a"), SubQuestion(2, "b"), SubQuestion(3, "c")]),
        (" \n", [SubQuestion(1, "Green tea")]),
    ],
    ids=["one a line", "numbered, with an order", "impossible orders", "said twice", "too many", "none"],
)  # fmt: skip
def test_a_plan_is_read_line_by_line(plan: str, expected: list[SubQuestion]) -> None:
    assert parse_plan(plan, "Green tea", 3) == expected


def test_the_plan_is_asked_for() -> None:
    system, user = plan_messages("Green tea", 3)

    assert system["role"] == "system"
    assert user == {
        "role": "user",
        "content": "# Plan\n\nWrite 3 sub-questions whose answers together answer the question. Where one can only be "
        "answered once earlier ones are, end its line with their numbers: [after 1, 2].\n\nQuestion: Green tea",
    }


def test_a_sub_question_is_asked_with_the_answers_that_it_builds_upon() -> None:
    known = [Finding("What is tea?", "A drink [1].", [TEA])]

    _, user = sub_question_messages(Assignment(SubQuestion(2, "Is it worth it?", [1]), 3, known))

    assert user["content"] == (
        "# Sub-question 2 of 3\n\nQuestion: Is it worth it?\n\n"
        "Answers to earlier questions:\n\n- What is tea?: A drink [1]."
    )


def test_what_a_tool_returned_is_told_with_numbered_sources() -> None:
    assert tool_message("call-1", [TEA, TEA], first=4) == {
        "role": "tool",
        "tool_call_id": "call-1",
        "content": "[4] Tea: A drink. (https://example.com/tea)\n[5] Tea: A drink. (https://example.com/tea)",
    }
    assert tool_message("call-1", [], first=1)["content"] == "Nothing was found."
    assert tool_message("call-1", "0.75", first=1)["content"] == "0.75"

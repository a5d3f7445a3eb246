"""What is too long is cut, with a mark where; JSON stays what its readers expect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.cutting import cut, cut_json


def message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def test_text_ends_with_a_mark() -> None:
    assert cut("a" * 100, 40) == "aaaaaaaaaaaaaaaaa… [cut: 100 characters]"
    assert cut("a" * 40, 40) == "a" * 40
    assert cut("a" * 100, 5) == "… [cu"


def test_a_redaction_mark_is_not_cut_through() -> None:
    text = "password=[redacted: password] and much more of it"
    assert cut(text, 40) == "password=… [cut: 49 characters]"


def test_json_is_cut_inside_its_longest_strings() -> None:
    text = json.dumps([message("system", "Be brief."), message("user", "why? " * 200)])
    assert cut_json(text, 250) == (
        '[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},'
        '{"role":"user","parts":[{"type":"text","content":"why? why? why? why? why? why? why? why? why? why? why? '
        'why? why? why? why? why? why? why? why? why? why?… [cut: 1000 characters]"}]}]'
    )


def test_escapes_count_as_written() -> None:
    text = json.dumps(["\n" * 1_000], ensure_ascii=False)
    assert cut_json(text, 100) == '["' + "\\n" * 36 + '… [cut: 1000 characters]"]'


def test_messages_go_where_cutting_them_is_not_enough() -> None:
    text = json.dumps([message("system", "Be brief."), *(message("user", f"question {n}") for n in range(50))])
    assert json.loads(cut_json(text, 400)) == [
        message("system", "Be brief."),
        message("system", "… [cut: 47 messages]"),
        message("user", "question 47"),
        message("user", "question 48"),
        message("user", "question 49"),
    ]


def test_the_mark_is_a_message_as_the_others_are() -> None:
    answers = [message("assistant", f"answer {n}") | {"finish_reason": "stop"} for n in range(50)]
    assert json.loads(cut_json(json.dumps(answers), 400))[1] == message("system", "… [cut: 47 messages]") | {
        "finish_reason": "length"
    }
    request = {"messages": [{"role": "user", "content": f"question {n}"} for n in range(50)], "model": "gpt-4o"}
    assert json.loads(cut_json(json.dumps(request), 220)) == {
        "messages": [
            {"role": "user", "content": "question 0"},
            {"role": "system", "content": "… [cut: 47 messages]"},
            {"role": "user", "content": "question 48"},
            {"role": "user", "content": "question 49"},
        ],
        "model": "gpt-4o",
    }


def test_a_list_of_messages_that_cannot_fit_is_empty() -> None:
    assert cut_json(json.dumps([message("user", "why?")] * 9), 40) == "[]"
    assert cut_json(json.dumps([message("user", "why? " * 99)]), 40) == "[]"


@pytest.mark.parametrize(
    "text",
    [json.dumps(list(range(100))), json.dumps({f"key {n}": n for n in range(99)}), "[" * 5_000, '{"a": "' + "b" * 99],
    ids=["numbers", "keys", "depth", "no JSON"],
)
def test_other_json_is_cut_as_text(text: str) -> None:
    assert cut_json(text, 60) == cut(text, 60)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=300)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=5), inner, max_size=5)),
    max_leaves=20,
)
MESSAGES = st.lists(
    st.builds(message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=500)), min_size=1, max_size=30
)


@pytest.mark.slow
@given(VALUES, st.integers(0, 600))
def test_nothing_is_longer_than_the_limit(value: object, limit: int) -> None:
    text = json.dumps(value, ensure_ascii=False)
    once = cut_json(text, limit)
    assert len(once) <= limit
    assert cut_json(once, limit) == once
    assert len(text) > limit or once == text


@given(MESSAGES, st.integers(2, 3_000))
def test_messages_stay_messages(messages: list[dict[str, Any]], limit: int) -> None:
    shown = json.loads(cut_json(json.dumps(messages), limit))
    assert len(shown) <= len(messages)
    assert all(each.keys() == {"role", "parts"} for each in shown)
    assert all(part.keys() == {"type", "content"} for each in shown for part in each["parts"])

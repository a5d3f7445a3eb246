from __future__ import annotations

import json

from tracing import conventions as c
from tracing.report.messages import LONGEST, MOST, Message, Part, conversation, pretty


def test_messages_of_the_genai_conventions_in_the_order_they_were_said() -> None:
    attributes = {
        c.OUTPUT_MESSAGES: json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}], "finish_reason": "stop"}]
        ),
        c.SYSTEM_INSTRUCTIONS: json.dumps([{"type": "text", "content": "Be brief."}]),
        c.INPUT_MESSAGES: json.dumps(
            [
                {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "I must look."},
                        {"type": "tool_call", "id": "1", "name": "weather", "arguments": {"city": "Bern"}},
                    ],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "rain"}]},
            ]
        ),
    }
    assert conversation(attributes) == (
        Message("system", (Part("", "Be brief."),)),
        Message("user", (Part("", "Weather?"),)),
        Message(
            "assistant",
            (Part("reasoning", "I must look."), Part("tool call weather", '{\n  "city": "Bern"\n}')),
        ),
        Message("tool", (Part("tool result", "rain"),)),
        Message("assistant", (Part("", "Rain."),), "stop"),
    )


def test_messages_of_openai_where_there_are_no_others() -> None:
    asked = {"messages": [{"role": "user", "content": [{"type": "text", "text": "Weather?"}]}]}
    called = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}],
    }
    assert conversation({c.INPUT_VALUE: json.dumps(asked), c.OUTPUT_VALUE: json.dumps(called)}) == (
        Message("user", (Part("", "Weather?"),)),
        Message("assistant", (Part("tool call weather", '{\n  "city": "Bern"\n}'),)),
    )


def test_a_part_of_unknown_shape_is_shown_as_it_is() -> None:
    blob = [{"role": "user", "parts": [{"type": "blob", "mime_type": "image/png"}, 7]}]
    assert conversation({c.INPUT_MESSAGES: json.dumps(blob)}) == (
        Message("user", (Part("blob", '{\n  "type": "blob",\n  "mime_type": "image/png"\n}'), Part("", "7"))),
    )


def test_what_is_no_conversation_has_no_messages() -> None:
    for text in ("", "not JSON", "[1, 2]", '{"a": 1}', "null", "[" * 100_000):
        assert conversation({c.INPUT_MESSAGES: text, c.INPUT_VALUE: text}) == ()


def test_values_are_indented_where_they_are_json_and_hidden_characters_show() -> None:
    assert pretty('{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'
    assert pretty('"a \\u202e quoted text"') == "a ⟨U+202E⟩ quoted text"
    assert pretty("plain\r\ntext") == "plain\ntext"


def test_more_messages_or_parts_than_a_page_bears_are_counted() -> None:
    said = json.dumps([{"role": "user", "parts": [1] * (MOST + 2)}, *[{"role": "user", "content": "again"}] * MOST])
    first, *_, last = conversation({c.INPUT_MESSAGES: said})
    assert first.parts[-1] == Part("", "… 2 more parts are in the trace file")
    assert last == Message("…", (Part("", "1 more are in the trace file"),))


def test_a_text_too_long_for_a_page_is_cut_and_says_so() -> None:
    assert pretty("x" * (LONGEST + 1234)) == "x" * LONGEST + "\n… 1,234 more characters are in the trace file"

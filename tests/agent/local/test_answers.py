"""What the local model says: the same words to the same conversation."""

from __future__ import annotations

from agent.local.model.answers import ToolCall, answer, example_of
from agent.local.model.conversation import Conversation, Message, Tool, text_of


def said(text: str) -> Conversation:
    return Conversation(messages=(Message("system", "You help."), Message("user", text)))


def test_it_plans_as_many_search_queries_as_asked_for() -> None:
    assert answer(said("# Plan\n\nWrite 2 web search queries.\n\nQuestion: Is tea healthy?")) == (
        "Is tea healthy in practice\nIs tea healthy measured costs"
    )


def test_where_the_order_may_be_said_the_last_part_of_a_plan_comes_after_all_others() -> None:
    assert answer(said("Write 3 sub-questions. Where needed, end with [after 1, 2].\n\nQuestion: Tea?")) == (
        "Tea in practice\nTea measured costs\nTea known limits [after 1, 2]"
    )


def test_it_quotes_the_first_sentence_of_each_numbered_item() -> None:
    sources = (
        "[1] Field report: Tea is fine. It is hot. (https://a)\n[2] Survey: All drank it [3]. Twice.\n[3] No title"
    )

    assert answer(said(f"Say what these sources find about: tea\n\n{sources}")) == (
        "Tea is fine. [1]\nAll drank it. [2]\nNo title [3]"
    )


def test_of_two_answers_it_gives_the_first_and_then_the_other() -> None:
    asked = "Is the tea good? Answer REVISE or ACCEPT, and say why."

    assert answer(said(asked)) == "REVISE: so the local model says."
    assert answer(said(f"{asked}\n\nYou said before: REVISE: it is cold.")) == "ACCEPT: so the local model says."


def test_it_repeats_what_it_has_no_rule_for() -> None:
    assert answer(said("Hello")) == "You said: Hello"


def test_it_has_no_answer_to_silence() -> None:
    assert answer(said("")) == ""


def test_it_calls_the_first_tool_unless_another_is_named_or_none_wanted() -> None:
    tools = (Tool("search", {"properties": {"query": {"type": "string"}}}), Tool("stop", {}))
    asked = (Message("user", "tea"),)

    assert answer(Conversation(asked, tools)) == ToolCall("search", '{"query": "tea"}')
    assert answer(Conversation(asked, tools, tool_choice="stop")) == ToolCall("stop", '"tea"')
    assert answer(Conversation(asked, tools, tool_choice="none")) == "You said: tea"


def test_a_tools_text_is_the_question_where_the_user_asks_one() -> None:
    tool = Tool("search", {"properties": {"query": {"type": "string"}}})

    assert answer(Conversation((Message("user", "# Search\n\nQuestion: Tea?"),), (tool,))) == (
        ToolCall("search", '{"query": "Tea?"}')
    )


def test_it_calls_no_second_tool_unless_one_is_required() -> None:
    returned = (Message("user", "tea"), Message("tool", "Tea is fine."))

    assert answer(Conversation(returned, (Tool("stop", {"type": "object"}),))) == "The tools returned: Tea is fine."
    assert answer(Conversation(returned, (Tool("stop", {"type": "object"}),), "required")) == ToolCall("stop", "{}")


def instructed(instructions: str, *messages: Message) -> Conversation:
    tools = (Tool("find", {"type": "object"}), Tool("hand_over", {"type": "object"}), Tool("weigh", {"type": "object"}))
    return Conversation((Message("system", instructions), *messages), tools)


def test_it_calls_the_tools_that_its_instructions_name_in_their_order_each_once() -> None:
    instructions, asked = "Call weigh, then call find. Cite.", Message("user", "tea")

    assert answer(instructed(instructions, asked)) == ToolCall("weigh", "{}")
    weighed = (asked, Message("call", "weigh"), Message("tool", "Tea is light."))
    assert answer(instructed(instructions, *weighed)) == ToolCall("find", "{}")
    found = (*weighed, Message("call", "find"), Message("tool", "[1] Tea: It is fine."))
    assert answer(instructed(instructions, *found)) == "It is fine. [1]"
    assert answer(instructed(instructions, *found, Message("user", "coffee"))) == ToolCall("weigh", "{}")


def test_a_sentence_that_quotes_words_wants_its_tool_called_where_the_user_says_one() -> None:
    instructions = 'Be brief. Where one asks "why" or "how", call hand_over.'

    assert answer(instructed(instructions, Message("user", "How is tea made?"))) == ToolCall("hand_over", "{}")
    assert answer(instructed(instructions, Message("user", "Hello"))) == "You said: Hello"


def test_an_answer_in_json_follows_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "refused": {"type": "boolean", "description": 'Whether one asks for "poison" or "weapons".'},
            "reason": {"type": "string"},
        },
    }

    def asked(text: str) -> Conversation:
        return Conversation((Message("user", text),), output_schema=schema)

    assert answer(asked("Some tea")) == '{"refused": false, "reason": "Some tea"}'
    assert answer(asked("Some poison")) == '{"refused": true, "reason": "Some poison"}'


def test_arguments_follow_the_tools_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "unit": {"type": "string", "enum": ["C", "F"]},
            "limit": {"type": "integer", "default": 5},
            "sum": {"type": "string", "examples": ["1 + 1", "2"]},
            "days": {"type": "integer"},
            "share": {"type": "number"},
            "exact": {"type": "boolean"},
            "nothing": {"type": "null"},
            "cities": {"type": "array", "items": {"type": "string"}},
            "place": {"type": "object", "properties": {"name": {"type": "string"}, "zip": {"type": "string"}}},
        },
    }

    assert example_of(schema, "Oslo") == {
        "text": "Oslo",
        "unit": "C",
        "limit": 5,
        "sum": "1 + 1",
        "days": 1,
        "share": 1.5,
        "exact": True,
        "nothing": None,
        "cities": ["Oslo"],
        "place": {"name": "Oslo", "zip": "Oslo"},
    }
    assert example_of({"required": ["a"], "properties": {"a": {"type": "string"}, "b": {}}}, "x") == {"a": "x"}


def test_a_step_is_named_by_the_first_line_of_what_the_user_said_last() -> None:
    assert said("# Synthesis 1 of 3\n\nSay what you know.").step == "Synthesis 1 of 3"
    assert Conversation((Message("system", "You help."),)).step == ""


def test_the_text_of_a_message_may_come_in_parts() -> None:
    parts = [{"type": "input_text", "text": "Hello "}, {"type": "input_image"}, {"type": "input_text", "text": "there"}]

    assert text_of(parts) == "Hello there"
    assert text_of(None) == ""

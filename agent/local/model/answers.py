"""What does the model answer to a conversation?

The answer is a pure function of the conversation. It follows a few rules that make the agents' reports readable; no
rule knows which agent asks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from agent.local.model.choices import is_said, tool_to_call

if TYPE_CHECKING:
    from agent.local.model.conversation import Conversation

QUOTED_CHARACTERS = 200
QUERY_ENDINGS = ("in practice", "measured costs", "known limits")
_QUERIES_WANTED = re.compile(r"(\d+) (?:(?:web )?search queries|sub-questions)")
_QUESTION = re.compile(r"^Question: (.+)$", re.MULTILINE)
_NUMBERED_ITEM = re.compile(r"^\[(\d+)\] (.+?)(?=^\[\d+\] |\Z)", re.MULTILINE | re.DOTALL)
_FIRST_SENTENCE = re.compile(r"(.+?\.)(?:\s|\Z)", re.DOTALL)
_CHOICE = re.compile(r"\bAnswer ([A-Z]+) or ([A-Z]+)\b")
_CITATION = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True)
class ToolCall:
    """The model's wish that a tool be called, with the arguments as JSON."""

    name: str
    arguments: str


def answer(conversation: Conversation) -> str | ToolCall:
    """Answer a conversation with a tool call, with JSON where the request gives a schema, or with a text."""
    tool, said = tool_to_call(conversation), conversation.user[:QUOTED_CHARACTERS]
    if tool is not None:
        said = _first(_QUESTION, conversation.user) or said
        return ToolCall(tool.name, json.dumps(example_of(tool.parameters, said)))
    if not isinstance(conversation.output_schema, msgspec.UnsetType):
        return json.dumps(example_of(conversation.output_schema, said))
    return _text(conversation)


def _text(conversation: Conversation) -> str:
    user, outputs = conversation.user, conversation.tool_outputs
    question = _first(_QUESTION, user)
    wanted = _QUERIES_WANTED.search(user)
    if wanted and question:
        return _plan(question, int(wanted[1]), dependent="[after" in user)
    choice = _CHOICE.search(user)
    if choice:
        # The first, unless it has been said before: so a critic is content in the end.
        rest = user.replace(choice[0], "")
        return f"{choice[1] if choice[1] not in rest else choice[2]}: so the local model says."
    items = _NUMBERED_ITEM.findall(user) or _NUMBERED_ITEM.findall("\n".join(outputs))
    if items:
        return "\n".join(f"{_statement(text)} [{number}]" for number, text in items)
    if outputs:
        return f"The tools returned: {'; '.join(output[:QUOTED_CHARACTERS] for output in outputs)}"
    return f"You said: {user[:QUOTED_CHARACTERS]}" if user else ""


def _plan(question: str, number: int, *, dependent: bool) -> str:
    """Return parts of a question, one a line; where dependence may be said, the last one comes after all others."""
    endings = [*QUERY_ENDINGS, *(f"aspect {each}" for each in range(1, number + 1))]
    lines = [f"{question.rstrip('?')} {ending}" for ending in endings[:number]]
    if dependent and len(lines) > 1:
        lines[-1] += f" [after {', '.join(str(each) for each in range(1, number))}]"
    return "\n".join(lines)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""


def _statement(item: str) -> str:
    """Return the first sentence of what an item "title: text" says."""
    text = item.partition(": ")[2] or item
    return _CITATION.sub("", _first(_FIRST_SENTENCE, text) or text.strip())


def example_of(schema: dict[str, Any], text: str) -> Any:
    """Return a value that a JSON schema allows, with `text` for free strings.

    Knows the parts of JSON schema that tool definitions use: types, properties, items, enumerations, defaults,
    examples. A boolean whose description quotes words is true where the text says one of them; any other is true.
    """
    if "default" in schema:
        return schema["default"]
    for allowed in ("enum", "examples"):
        if schema.get(allowed):
            return schema[allowed][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        properties: dict[str, dict[str, Any]] = schema.get("properties", {})
        return {name: example_of(properties[name], text) for name in schema.get("required", properties)}
    if kind == "array":
        return [example_of(schema.get("items", {}), text)]
    if kind == "boolean":
        return is_said(schema.get("description", ""), text)
    examples: dict[Any, Any] = {"integer": 1, "number": 1.5, "null": None}
    return examples.get(kind, text)

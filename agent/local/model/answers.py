"""What does the model answer to a conversation?

The answer is a pure function of the conversation. It follows a few rules that make the agents' reports readable; no
rule knows which agent asks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.local.model.conversation import Conversation, Tool

QUOTED_CHARACTERS = 200
QUERY_ENDINGS = ("in practice", "measured costs", "known limits")
_QUERIES_WANTED = re.compile(r"(\d+) (?:web )?search queries")
_QUESTION = re.compile(r"^Question: (.+)$", re.MULTILINE)
_NUMBERED_ITEM = re.compile(r"^\[(\d+)\] (.+?)(?=^\[\d+\] |\Z)", re.MULTILINE | re.DOTALL)
_FIRST_SENTENCE = re.compile(r"(.+?\.)(?:\s|\Z)", re.DOTALL)
_CITATION = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True)
class ToolCall:
    """The model's wish that a tool be called, with the arguments as JSON."""

    name: str
    arguments: str


def answer(conversation: Conversation) -> str | ToolCall:
    """Answer a conversation with a text or a tool call.

    A tool is called where the request demands one, and else once after each user's message, the first one first.
    """
    tool = _tool_to_call(conversation)
    if tool is not None:
        arguments = example_of(tool.parameters, conversation.user[:QUOTED_CHARACTERS])
        return ToolCall(tool.name, json.dumps(arguments))
    return _text(conversation)


def _tool_to_call(conversation: Conversation) -> Tool | None:
    choice = conversation.tool_choice
    if choice == "none" or not conversation.tools:
        return None
    if choice in ("auto", "required"):
        return None if conversation.tool_outputs and choice == "auto" else conversation.tools[0]
    return next((tool for tool in conversation.tools if tool.name == choice), None)


def _text(conversation: Conversation) -> str:
    user, outputs = conversation.user, conversation.tool_outputs
    question = _first(_QUESTION, user)
    wanted = _QUERIES_WANTED.search(user)
    if wanted and question:
        endings = [*QUERY_ENDINGS, *(f"aspect {number}" for number in range(1, int(wanted[1]) + 1))]
        return "\n".join(f"{question.rstrip('?')} {ending}" for ending in endings[: int(wanted[1])])
    items = _NUMBERED_ITEM.findall(user)
    if items:
        return "\n".join(f"{_statement(text)} [{number}]" for number, text in items)
    if outputs:
        return f"The tools returned: {'; '.join(output[:QUOTED_CHARACTERS] for output in outputs)}"
    return f"You said: {user[:QUOTED_CHARACTERS]}" if user else ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""


def _statement(item: str) -> str:
    """Return the first sentence of what an item "title: text" says."""
    text = item.partition(": ")[2] or item
    return _CITATION.sub("", _first(_FIRST_SENTENCE, text) or text.strip())


def example_of(schema: dict[str, Any], text: str) -> Any:
    """Return a value that a JSON schema allows, with `text` for free strings.

    Knows the parts of JSON schema that tool definitions use: types, properties, items, enumerations, defaults.
    """
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        properties: dict[str, dict[str, Any]] = schema.get("properties", {})
        return {name: example_of(properties[name], text) for name in schema.get("required", properties)}
    if kind == "array":
        return [example_of(schema.get("items", {}), text)]
    examples: dict[Any, Any] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
    return examples.get(kind, text)

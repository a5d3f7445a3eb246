"""Which tool does the model call next?

No rule knows an agent: what a tool is for stands in the instructions, as it would for any model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.local.model.conversation import Conversation, Tool

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")


def tool_to_call(conversation: Conversation) -> Tool | None:
    """Choose a tool, or none.

    The one that the request demands. Else those that the instructions name, in that order, each once after what the
    user said last; a sentence that quotes words holds only where the user says one of them. Where the instructions
    name no tool: the first one, once.
    """
    choice, tools = conversation.tool_choice, conversation.tools
    if choice == "none" or not tools:
        return None
    if choice not in ("auto", "required"):
        return next((tool for tool in tools if tool.name == choice), None)
    instructed = _instructed(conversation)
    if instructed is not None:
        called = conversation.tools_called
        left = [tool for tool in instructed if tool.name not in called]
        return left[0] if left else tools[0] if choice == "required" else None
    return None if conversation.tool_outputs and choice == "auto" else tools[0]


def is_said(words: str, text: str) -> bool:
    """Whether a text says one of the phrases that `words` quotes; true where it quotes none."""
    quoted = _QUOTED.findall(words)
    return not quoted or any(phrase.lower() in text.lower() for phrase in quoted)


def _instructed(conversation: Conversation) -> list[Tool] | None:
    """The tools that the instructions want called, in their order; none of them (not an empty list) names a tool."""
    found: list[Tool] | None = None
    for sentence in _SENTENCE.split(conversation.instructions):
        named = sorted(
            (tool for tool in conversation.tools if re.search(rf"\b{re.escape(tool.name)}\b", sentence)),
            key=lambda tool: sentence.index(tool.name),
        )
        if named:
            found = found or []
            found += [tool for tool in named if tool not in found and is_said(sentence, conversation.user)]
    return found

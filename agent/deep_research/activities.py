"""How is the model asked? Each answer is one step in the run's history: a replay reads it, and asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from temporalio import activity

from agent.deep_research.payloads import Reply, ToolCall, Turn
from agent.deep_research.tools import DEFINITIONS
from agent.research.model import chat, no_text

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam


@activity.defn
async def ask_model(turn: Turn) -> Reply:
    """Ask the model to go on with a conversation.

    Args:
        turn: The conversation so far, and whether the model may call tools.

    Returns:
        Its text, or the tools that it wants called first.

    Raises:
        ApplicationError: The service refused, failed, could not be reached in time, or answered with neither.
    """
    messages = cast("list[ChatCompletionMessageParam]", turn.messages)
    completion = await chat(messages, DEFINITIONS if turn.may_call_tools else None)
    message = completion.choices[0].message
    calls = [
        ToolCall(call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
        if call.type == "function"
    ]
    if not message.content and not calls:
        raise no_text(completion)
    return Reply(message.content or "", calls, completion.usage.total_tokens if completion.usage else 0)


def assistant_message(reply: Reply) -> dict[str, Any]:
    """The reply as a message of the conversation, in OpenAI's format."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.calls
        ]
    return message

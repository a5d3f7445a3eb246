"""What do a request and an answer of the Responses API look like on the wire?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agent.local.exchange import Reply
from agent.local.model.answers import ToolCall
from agent.local.model.conversation import Conversation, Message, Tool, text_of
from agent.local.model.wire import CREATED, EVENT_STREAM, JSON, data_event, tokens

if TYPE_CHECKING:
    from agent.local.journal import TokenUsage


class InputItem(msgspec.Struct):
    """An item of the input: a message, a function call, or a function's output."""

    type: str = "message"
    role: str = ""
    content: str | list[dict[str, Any]] | None = None
    output: str | list[dict[str, Any]] | None = None
    name: str = ""

    @property
    def message(self) -> Message:
        """The item as a message."""
        if self.type == "function_call":
            return Message("call", self.name)
        if self.type == "function_call_output":
            return Message("tool", text_of(self.output))
        return Message(self.role, text_of(self.content))


class FunctionTool(msgspec.Struct):
    """A function that the model may call."""

    type: Literal["function"]
    name: str
    parameters: dict[str, Any] | None = None


class FunctionChoice(msgspec.Struct):
    """A tool choice that names a function."""

    name: str


class TextFormat(msgspec.Struct):
    """Which form the answer's text must have: any, or JSON of a schema."""

    type: str = "text"
    schema: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class TextOptions(msgspec.Struct):
    """What is asked of the answer's text."""

    format: TextFormat | None = None


class ResponsesRequest(msgspec.Struct):
    """The body of `POST /v1/responses`, as far as the answer depends on it."""

    model: str
    input: str | list[InputItem]
    instructions: str | None = None
    stream: bool | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | FunctionChoice | None = None
    text: TextOptions | None = None

    @property
    def conversation(self) -> Conversation:
        """The request in the terms that the answer depends on."""
        instructions = [Message("system", self.instructions)] if self.instructions else []
        given = [Message("user", self.input)] if isinstance(self.input, str) else [item.message for item in self.input]
        choice = self.tool_choice
        return Conversation(
            messages=(*instructions, *given),
            tools=tuple(Tool(tool.name, tool.parameters or {}) for tool in self.tools or ()),
            tool_choice=choice.name if isinstance(choice, FunctionChoice) else choice or "auto",
            output_schema=self.text.format.schema if self.text and self.text.format else msgspec.UNSET,
        )


def responses_reply(request: ResponsesRequest, key: str, answer: str | ToolCall, usage: TokenUsage) -> Reply:
    """Build the answer, streamed or not as the request wants it.

    Args:
        request: The request.
        key: What distinguishes this answer from all others; its IDs are made of it.
        answer: What the model says.
        usage: The tokens it used.
    """
    item = _output_item(key, answer)
    opened = _response(request, key, status="in_progress", output=[], usage=None)
    completed = _response(request, key, status="completed", output=[item], usage=responses_usage(usage))
    if not request.stream:
        return Reply((msgspec.json.encode(completed),), JSON, usage)
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": opened},
        {"type": "response.in_progress", "response": opened},
        *(_call_events(item, answer) if isinstance(answer, ToolCall) else _text_events(item, answer)),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": completed},
    ]
    numbered = [event | {"sequence_number": number} for number, event in enumerate(events)]
    return Reply(tuple(data_event(event, name=event["type"]) for event in numbered), EVENT_STREAM, usage)


def responses_usage(usage: TokenUsage) -> dict[str, Any]:
    """Spell the usage as the Responses endpoint does."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def _response(
    request: ResponsesRequest, key: str, *, status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": f"resp_{key}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "metadata": {},
        "model": request.model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": msgspec.to_builtins(request.tool_choice or "auto"),
        "tools": msgspec.to_builtins(request.tools or []),
        "top_p": 1.0,
        "usage": usage,
    }


def _output_item(key: str, answer: str | ToolCall) -> dict[str, Any]:
    if isinstance(answer, ToolCall):
        call = {"type": "function_call", "id": f"fc_{key}", "call_id": f"call_{key}", "status": "completed"}
        return call | {"name": answer.name, "arguments": answer.arguments}
    message = {"type": "message", "id": f"msg_{key}", "role": "assistant", "status": "completed"}
    return message | {"content": [_part(answer)]}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _text_events(item: dict[str, Any], text: str) -> list[dict[str, Any]]:
    where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    opened = item | {"status": "in_progress", "content": []}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **where, "part": _part("")},
        *({"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []} for piece in tokens(text)),
        {"type": "response.output_text.done", **where, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": _part(text)},
    ]


def _call_events(item: dict[str, Any], call: ToolCall) -> list[dict[str, Any]]:
    where = {"item_id": item["id"], "output_index": 0}
    opened = item | {"status": "in_progress", "arguments": ""}
    parts = tokens(call.arguments)
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        *({"type": "response.function_call_arguments.delta", **where, "delta": piece} for piece in parts),
        {
            "type": "response.function_call_arguments.done",
            **where,
            "name": call.name,
            "arguments": call.arguments,
        },
    ]

"""What do a chat completion's request and answer look like on the wire?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agent.local.exchange import Reply
from agent.local.model.answers import ToolCall
from agent.local.model.conversation import Conversation, Message, Tool, text_of
from agent.local.model.wire import CREATED, EVENT_STREAM, JSON, data_event, tokens

if TYPE_CHECKING:
    from agent.local.journal import TokenUsage

FINGERPRINT = "fp_local"


class CalledFunction(msgspec.Struct):
    """The name of a function that the model has called."""

    name: str


class ChatCall(msgspec.Struct):
    """A call in an earlier answer of the model."""

    function: CalledFunction


class ChatMessage(msgspec.Struct):
    """A message of the request."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[ChatCall] | None = None

    @property
    def messages(self) -> list[Message]:
        """What it says, and the calls that it wishes."""
        calls = [Message("call", call.function.name) for call in self.tool_calls or ()]
        return [Message(self.role, text_of(self.content)), *calls]


class ChatSchema(msgspec.Struct):
    """A named JSON schema."""

    schema: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class ChatFormat(msgspec.Struct):
    """Which form the answer must have: any, some JSON, or JSON of a schema."""

    type: str = "text"
    json_schema: ChatSchema | None = None


class ChatFunction(msgspec.Struct):
    """A function that the model may call."""

    name: str
    parameters: dict[str, Any] = {}


class ChatTool(msgspec.Struct):
    """A tool of the request; the local model knows functions only."""

    type: Literal["function"]
    function: ChatFunction


class ChosenFunction(msgspec.Struct):
    """The name of the function that the model must call."""

    name: str


class ChatToolChoice(msgspec.Struct):
    """A tool choice that names a function."""

    function: ChosenFunction


class StreamOptions(msgspec.Struct):
    """Whether the stream ends with a chunk that carries the usage."""

    include_usage: bool | None = None


class ChatRequest(msgspec.Struct):
    """The body of `POST /v1/chat/completions`, as far as the answer depends on it."""

    model: str
    messages: list[ChatMessage]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[ChatTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChatToolChoice | None = None
    n: Literal[1] | None = None
    response_format: ChatFormat | None = None

    @property
    def conversation(self) -> Conversation:
        """The request in the terms that the answer depends on."""
        choice, form = self.tool_choice, self.response_format
        return Conversation(
            messages=tuple(said for message in self.messages for said in message.messages),
            tools=tuple(Tool(tool.function.name, tool.function.parameters) for tool in self.tools or ()),
            tool_choice=choice.function.name if isinstance(choice, ChatToolChoice) else choice or "auto",
            output_schema=form.json_schema.schema if form and form.json_schema else msgspec.UNSET,
        )


def chat_reply(request: ChatRequest, key: str, answer: str | ToolCall, usage: TokenUsage) -> Reply:
    """Build the answer, streamed or not as the request wants it.

    Args:
        request: The request.
        key: What distinguishes this answer from all others; its IDs are made of it.
        answer: What the model says.
        usage: The tokens it used.
    """
    if request.stream:
        options = request.stream_options
        pieces = _stream(request.model, key, answer, usage if options and options.include_usage else None)
        return Reply(pieces, EVENT_STREAM, usage)
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    message |= {"tool_calls": [_call(key, answer)]} if isinstance(answer, ToolCall) else {"content": answer}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(answer)}
    body = _frame(request.model, key, "chat.completion") | {"choices": [choice], "usage": chat_usage(usage)}
    return Reply((msgspec.json.encode(body),), JSON, usage)


def chat_usage(usage: TokenUsage) -> dict[str, Any]:
    """Spell the usage as the chat endpoint does."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
    }


def _stream(model: str, key: str, answer: str | ToolCall, usage: TokenUsage | None) -> tuple[bytes, ...]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if isinstance(answer, ToolCall) else ""}]
    if isinstance(answer, ToolCall):
        start = _call(key, ToolCall(answer.name, ""))
        deltas.append({"tool_calls": [{"index": 0, **start}]})
        parts = tokens(answer.arguments)
        deltas.extend({"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in parts)
    else:
        deltas.extend({"content": part} for part in tokens(answer))
    frame = _frame(model, key, "chat.completion.chunk")
    chunks = [frame | {"choices": [_choice(delta)]} for delta in deltas]
    chunks.append(frame | {"choices": [_choice({}, _finish_reason(answer))]})
    if usage is not None:
        chunks.append(frame | {"choices": [], "usage": chat_usage(usage)})
    return (*(data_event(chunk) for chunk in chunks), b"data: [DONE]\n\n")


def _choice(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _frame(model: str, key: str, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{key}",
        "object": kind,
        "created": CREATED,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def _call(key: str, call: ToolCall) -> dict[str, Any]:
    return {"id": f"call_{key}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _finish_reason(answer: str | ToolCall) -> str:
    return "tool_calls" if isinstance(answer, ToolCall) else "stop"

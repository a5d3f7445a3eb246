"""How do the messages of model clients look in the GenAI conventions: a role, and parts?

Read by their shape: messages to and from OpenAI (chat completions, responses), Anthropic, Google, Bedrock and
LangChain, as objects or as dicts. Parts of other kinds (images, audio, documents) are named by their type, without
their data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tracing.encodable import encodable_value
from tracing.live.model_calls.fields import field_of, list_of

Part = dict[str, Any]
"""A part of a message by the conventions: text, tool_call, tool_call_response, or another's type."""

_ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}
"""What LangChain and Google call the roles, and OpenAI once did."""


def messages_json(messages: Iterable[Any]) -> str:
    """Messages as the value of ``gen_ai.input.messages``."""
    return encoded([{"role": _role(message), "parts": message_parts(message)} for message in messages])


def message_parts(message: Any) -> list[Part]:
    """The parts of a message: its content, and the tools that it calls."""
    if isinstance(message, str):
        return [_text(message)]
    if _kind(message, "role", "type") in {"tool", "function", "function_call_output"}:
        response = field_of(message, "content", "output")
        return [_response(field_of(message, "tool_call_id", "call_id"), response)]
    if _kind(message, "type") == "function_call":
        return [block_part(message)]
    content = field_of(message, "content", "parts")
    parts = [_text(content)] if isinstance(content, str) else [block_part(block) for block in list_of(content)]
    calls = [_call(call) for call in list_of(field_of(message, "tool_calls"))]
    known = [part["id"] for part in calls]
    # LangChain's messages of Anthropic models name a call twice: among the blocks, and beside them.
    return [part for part in parts if part["type"] != "tool_call" or part["id"] not in known] + calls


def block_part(block: Any) -> Part:
    """One block of a message's content."""
    if isinstance(block, str):
        return _text(block)
    text = field_of(block, "text")
    if isinstance(text, str):
        return _text(text)
    kind = _kind(block, "type")
    called = field_of(block, "function_call", "functionCall", "toolUse")
    if called is not None or kind in {"tool_use", "function_call"}:
        return _call(block if called is None else called)
    answered = field_of(block, "function_response", "functionResponse", "toolResult")
    if answered is not None:
        return _response(field_of(answered, "id", "toolUseId", "name"), field_of(answered, "response", "content"))
    if kind == "tool_result":
        return _response(field_of(block, "tool_use_id"), field_of(block, "content"))
    return {"type": kind or "unknown"}


def encoded(value: object) -> str:
    """JSON of a value; what JSON cannot say stands as its ``repr``, lone surrogates as U+FFFD."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, enc_hook=_plain, str_keys=True)
        return msgspec.json.encode(encodable_value(plain)).decode()


def _plain(value: Any) -> Any:
    """What stands for an object in JSON: the fields of a Pydantic model, as its payload has them; else its ``repr``."""
    dump = getattr(type(value), "model_dump", None)
    return repr(value) if dump is None else dump(value, mode="json")


def _role(message: Any) -> str:
    role = _kind(message, "role", "type")
    if role == "function_call":
        return "assistant"
    if role == "function_call_output":
        return "tool"
    return _ROLES.get(role, role) or "user"


def _kind(value: Any, *names: str) -> str:
    kind = field_of(value, *names)
    return kind if isinstance(kind, str) else ""


def _text(text: str) -> Part:
    return {"type": "text", "content": text}


def _call(call: Any) -> Part:
    function = field_of(call, "function", "custom") or call
    return {
        "type": "tool_call",
        "id": field_of(call, "call_id", "id", "toolUseId"),
        "name": field_of(function, "name"),
        "arguments": field_of(function, "arguments", "input", "args"),
    }


def _response(call_id: Any, response: Any) -> Part:
    return {"type": "tool_call_response", "id": call_id, "response": response}

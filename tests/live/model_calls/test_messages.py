"""Messages as they are sent to model clients, in the words of the GenAI conventions."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tracing.live.model_calls.messages import messages_json


def call(name: str, arguments: Any, call_id: str | None = "c1") -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


@pytest.mark.parametrize(
    ("message", "role", "parts"),
    [
        pytest.param(
            {"role": "user", "content": "Why?"}, "user", [{"type": "text", "content": "Why?"}], id="plain text"
        ),
        pytest.param("Why?", "user", [{"type": "text", "content": "Why?"}], id="a bare text"),
        pytest.param({"role": "user"}, "user", [], id="no content"),
        pytest.param(
            {"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {}}]},
            "user",
            [{"type": "text", "content": "What?"}, {"type": "image_url"}],
            id="text and image",
        ),
        pytest.param(
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
            },
            "assistant",
            [{"type": "text", "content": ""}, call("add", "{}")],
            id="OpenAI tool call",
        ),
        pytest.param(
            {
                "role": "assistant",
                "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}],
            },
            "assistant",
            [call("sh", "ls")],
            id="OpenAI custom tool call",
        ),
        pytest.param(
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
            "tool",
            [{"type": "tool_call_response", "id": "c1", "response": "3"}],
            id="OpenAI tool answer",
        ),
        pytest.param(
            {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
            "assistant",
            [call("add", "{}")],
            id="OpenAI responses: call",
        ),
        pytest.param(
            {"type": "function_call_output", "call_id": "c1", "output": "3"},
            "tool",
            [{"type": "tool_call_response", "id": "c1", "response": "3"}],
            id="OpenAI responses: answer",
        ),
        pytest.param(
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "3"}]},
            "user",
            [{"type": "tool_call_response", "id": "c1", "response": "3"}],
            id="Anthropic tool answer",
        ),
        pytest.param(
            {"role": "model", "parts": [{"function_call": {"name": "add", "args": {"a": 1}}}]},
            "assistant",
            [call("add", {"a": 1}, None)],
            id="Google call",
        ),
        pytest.param(
            {"role": "user", "parts": [{"functionResponse": {"name": "add", "response": {"sum": 3}}}]},
            "user",
            [{"type": "tool_call_response", "id": "add", "response": {"sum": 3}}],
            id="Google answer",
        ),
        pytest.param(
            SimpleNamespace(type="human", content="Why?"),
            "user",
            [{"type": "text", "content": "Why?"}],
            id="LangChain human",
        ),
        pytest.param(
            SimpleNamespace(type="tool", content="3", tool_call_id="c1"),
            "tool",
            [{"type": "tool_call_response", "id": "c1", "response": "3"}],
            id="LangChain tool answer",
        ),
        pytest.param(
            {"role": 17, "content": [17, "a"]},
            "user",
            [{"type": "unknown"}, {"type": "text", "content": "a"}],
            id="odd",
        ),
    ],
)
def test_shapes(message: Any, role: str, parts: list[dict[str, Any]]) -> None:
    assert json.loads(messages_json([message])) == [{"role": role, "parts": parts}]

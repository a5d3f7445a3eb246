"""Results of any activity that are, or contain, what a model client answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recognisers.results import recognised
from tracing.recognisers import Call, Tokens

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
    "usage": {
        "prompt_tokens": 101,
        "completion_tokens": 53,
        "prompt_tokens_details": {"cached_tokens": 13},
        "completion_tokens_details": {"reasoning_tokens": 7},
    },
}
COMPLETION_CALL = Call(
    provider="openai",
    response_model="gpt-4o-2024-08-06",
    response_id="chatcmpl-1",
    finish_reasons=("stop",),
    tokens=Tokens(input=101, output=53, cache_read=13, reasoning=7),
)


def ai(message_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """An `AIMessage` by its fields."""
    usage = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
    return {"content": "Hi", "type": "ai", "id": message_id, "usage_metadata": usage, **fields}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(COMPLETION, ("openai", COMPLETION_CALL), id="chat completion"),
        pytest.param({"answer": "Hi", "raw": [COMPLETION]}, ("openai", COMPLETION_CALL), id="inside"),
        pytest.param(
            {
                "id": "resp_1",
                "object": "response",
                "model": "gpt-5",
                "output": [],
                "usage": {"input_tokens": 10, "output_tokens": 3},
            },
            (
                "openai",
                Call(
                    provider="openai",
                    response_model="gpt-5",
                    response_id="resp_1",
                    tokens=Tokens(input=10, output=3),
                ),
            ),
            id="response",
        ),
        pytest.param(
            {
                "object": "list",
                "model": "text-embedding-3-small",
                "data": [{"object": "embedding", "embedding": [0.1]}],
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            },
            (
                "openai",
                Call(
                    operation="embeddings",
                    provider="openai",
                    response_model="text-embedding-3-small",
                    tokens=Tokens(input=8),
                ),
            ),
            id="embeddings",
        ),
        pytest.param(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-sonnet-4-20250514",
                "stop_reason": "end_turn",
                "usage": {
                    "input_tokens": 10,
                    "output_tokens": 3,
                    "cache_read_input_tokens": 5,
                    "cache_creation_input_tokens": 2,
                },
            },
            (
                "anthropic",
                Call(
                    provider="anthropic",
                    response_model="claude-sonnet-4-20250514",
                    response_id="msg_1",
                    finish_reasons=("end_turn",),
                    tokens=Tokens(input=17, output=3, cache_read=5, cache_write=2),
                ),
            ),
            id="Anthropic",
        ),
        pytest.param(
            {"candidates": [{"finish_reason": "STOP"}], "usage_metadata": {"prompt_token_count": 3}},
            (
                "google",
                Call(
                    operation="generate_content",
                    provider="gcp.gemini",
                    finish_reasons=("STOP",),
                    tokens=Tokens(input=3),
                ),
            ),
            id="Google",
        ),
        pytest.param(
            {"result": {"messages": [{"type": "human", "content": "Hi"}, ai("run-1")]}, "langgraph_command": None},
            ("langchain", Call(response_id="run-1", tokens=Tokens(input=9, output=4))),
            id="LangGraph",
        ),
        pytest.param(
            {
                "kind": "response",
                "parts": [{"part_kind": "text", "content": "Hi"}],
                "usage": {
                    "input_tokens": 12,
                    "output_tokens": 5,
                    "cache_read_tokens": 3,
                    "details": {"reasoning_tokens": 2},
                },
                "model_name": "gemini-2.5-flash",
                "provider_name": "google",
                "provider_response_id": "r1",
                "finish_reason": "stop",
            },
            (
                "pydantic_ai",
                Call(
                    provider="gcp.gemini",
                    response_model="gemini-2.5-flash",
                    response_id="r1",
                    finish_reasons=("stop",),
                    tokens=Tokens(input=12, output=5, cache_read=3, reasoning=2),
                ),
            ),
            id="pydantic-ai",
        ),
    ],
)
def test_is_recognised_by_its_shape(result: object, expected: tuple[str, Call]) -> None:
    assert recognised("anything", result) == [expected]


class TestConversations:
    def test_what_the_activity_was_given_is_no_call_of_its_own(self) -> None:
        earlier, own = ai("run-1"), ai("run-2")
        [(_, call)] = recognised("node", {"messages": [earlier, own]}, {"messages": [earlier]})
        assert call.response_id == "run-2"

    def test_a_response_that_stands_there_twice_is_one_call(self) -> None:
        assert len(recognised("node", [COMPLETION, {"raw": COMPLETION}])) == 1

    def test_of_messages_without_ids_only_the_last_can_be_the_activitys(self) -> None:
        first, last = ai(), ai(usage_metadata={"input_tokens": 20, "output_tokens": 8})
        [(_, call)] = recognised("node", {"messages": [first, last]})
        assert call.tokens == Tokens(input=20, output=8)

    def test_two_calls_are_two(self) -> None:
        assert [call.response_id for _, call in recognised("node", [ai("a"), ai("b")])] == ["a", "b"]


@pytest.mark.parametrize(
    "result",
    [
        pytest.param("usage", id="text"),
        pytest.param({"object": "chat.completion", "usage": {}}, id="no choices"),
        pytest.param({"type": "ai", "usage_metadata": None}, id="no usage"),
        pytest.param({"kind": "request", "parts": [], "usage": {}}, id="a request"),
        pytest.param({"type": "message", "role": "user", "usage": {"input_tokens": 1}}, id="a user's message"),
        pytest.param({"usage": "of the toilet brush"}, id="something else"),
    ],
)
def test_what_only_looks_alike_is_none(result: object) -> None:
    assert recognised("anything", result) == []

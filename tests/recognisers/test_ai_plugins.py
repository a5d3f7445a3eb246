"""What the model activities of Temporal's AI plugins leave in the history."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.recognisers.results import adk_response, recognised
from tracing.recognisers import Call, Tokens


def agents_response(**usage: Any) -> dict[str, Any]:
    """A `ModelResponse` as OpenAI Agents writes it."""
    counts = {"requests": 1, "input_tokens": 0, "output_tokens": 0, "total_tokens": 0, **usage}
    return {"output": [{"type": "message", "role": "assistant"}], "usage": counts, "response_id": "resp_1"}


class TestOpenAIAgents:
    def test_usage_is_in_the_result_and_the_model_in_the_input_where_the_agent_names_one(self) -> None:
        result = agents_response(
            input_tokens=156,
            input_tokens_details={"cached_tokens": 32},
            output_tokens=264,
            output_tokens_details={"reasoning_tokens": 128},
        )
        assert recognised("invoke_model_activity", result, {"model_name": "gpt-4o"}) == [
            (
                "openai_agents",
                Call(
                    provider="openai",
                    request_model="gpt-4o",
                    response_id="resp_1",
                    tokens=Tokens(input=156, output=264, cache_read=32, reasoning=128),
                ),
            )
        ]

    def test_usually_it_names_none(self) -> None:
        [(_, call)] = recognised("invoke_model_activity", agents_response(input_tokens=1), {"model_name": None})
        assert (call.request_model, call.span_name) == ("", "chat")

    def test_a_model_of_another_provider_is_not_openais(self) -> None:
        [(_, call)] = recognised("invoke_model_activity", agents_response(), {"model_name": "litellm/anthropic/claude"})
        assert (call.provider, call.request_model) == ("", "litellm/anthropic/claude")

    def test_where_nobody_counted_usage_is_unknown(self) -> None:
        [(_, call)] = recognised("invoke_model_activity", agents_response(requests=0))
        assert call.attributes() == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.id": "resp_1",
        }

    def test_of_a_stream_the_last_event_has_it(self) -> None:
        usage = {"input_tokens": 10, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}}
        response = {"id": "resp_2", "object": "response", "model": "gpt-4o-2024-08-06", "output": [], "usage": usage}
        events = [
            {"type": "response.created", "response": {"id": "resp_2", "object": "response", "usage": None}},
            {"type": "response.output_text.delta", "delta": "Hi"},
            {"type": "response.completed", "response": response},
        ]
        assert recognised("invoke_model_activity_streaming", events, {"model_name": "gpt-4o"}) == [
            (
                "openai_agents",
                Call(
                    provider="openai",
                    request_model="gpt-4o",
                    response_model="gpt-4o-2024-08-06",
                    response_id="resp_2",
                    tokens=Tokens(input=10, output=3, cache_read=4),
                ),
            )
        ]


GEMINI_USAGE = {
    "promptTokenCount": 100,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 7,
    "cachedContentTokenCount": 40,
}
GEMINI_TOKENS = Tokens(input=100, output=27, cache_read=40, reasoning=7)


class TestGoogle:
    def test_adk_names_the_model_in_its_input(self) -> None:
        result = [
            adk_response(partial=True),
            adk_response(modelVersion="gemini-2.0-flash-001", finishReason="STOP", usageMetadata=GEMINI_USAGE),
        ]
        assert recognised("invoke_model", result, {"model": "gemini-2.0-flash"}) == [
            (
                "google_adk",
                Call(
                    operation="generate_content",
                    provider="gcp.gemini",
                    request_model="gemini-2.0-flash",
                    response_model="gemini-2.0-flash-001",
                    finish_reasons=("STOP",),
                    tokens=GEMINI_TOKENS,
                ),
            )
        ]

    def test_adk_writes_only_the_fields_that_are_set_since_its_plugin_is_a_package_of_its_own(self) -> None:
        result = [
            {
                "model_version": "gemini-2.0-flash-001",
                "content": {"parts": [{"text": "Because."}], "role": "model"},
                "usage_metadata": {"candidates_token_count": 3, "prompt_token_count": 7, "total_token_count": 10},
            }
        ]
        [(name, call)] = recognised("invoke_model", result, {"model": "gemini-2.0-flash"})
        assert (name, call.response_model, call.tokens) == (
            "google_adk",
            "gemini-2.0-flash-001",
            Tokens(input=7, output=3),
        )

    def test_adk_with_a_fake_model_shows_a_call_of_unknown_usage(self) -> None:
        [(name, call)] = recognised("invoke_model", [adk_response()], {"model": "weather_model"})
        assert (name, call.attributes()) == (
            "google_adk",
            {"gen_ai.operation.name": "generate_content", "gen_ai.request.model": "weather_model"},
        )

    def test_adks_stream_names_it_deeper(self) -> None:
        given = {"llm_request": {"model": "gemini-2.0-flash"}, "streaming_topic": "t"}
        [(_, call)] = recognised("invoke_model_streaming", [adk_response(usageMetadata=GEMINI_USAGE)], given)
        assert (call.request_model, call.tokens) == ("gemini-2.0-flash", GEMINI_TOKENS)

    @pytest.mark.parametrize(
        "result",
        [
            pytest.param({"body": 0}, id="one"),
            pytest.param({"chunks": [{"body": '{"candidates": []}'}, {"body": 0}]}, id="streamed"),
        ],
    )
    def test_the_gemini_client_answers_with_json_in_a_text(self, result: dict[str, Any]) -> None:
        answer = {"candidates": [{"finishReason": "STOP"}], "modelVersion": "gemini-2.0-flash", "responseId": "r1"}
        body = json.dumps({**answer, "usageMetadata": GEMINI_USAGE})
        given = json.loads(json.dumps(result).replace("0", json.dumps(body)))
        asked = {"http_method": "post", "path": "models/gemini-2.0-flash:generateContent", "request_dict": {}}
        assert recognised("gemini_api_client_async_request", given, asked) == [
            (
                "google_genai",
                Call(
                    operation="generate_content",
                    provider="gcp.gemini",
                    request_model="gemini-2.0-flash",
                    response_model="gemini-2.0-flash",
                    response_id="r1",
                    finish_reasons=("STOP",),
                    tokens=GEMINI_TOKENS,
                ),
            )
        ]

    def test_a_request_that_is_no_model_call_is_none(self) -> None:
        result = {"headers": {}, "body": '{"totalTokens": 7, "note": "usage"}'}
        assert recognised("gemini_api_client_async_request", result) == []

    def test_interactions_count_in_their_own_words(self) -> None:
        usage = {"total_input_tokens": 100, "total_output_tokens": 20, "total_thought_tokens": 7}
        result = {"id": "i1", "model": "gemini-2.5-pro", "usage": {**usage, "total_cached_tokens": 40}}
        [(_, call)] = recognised("gemini_interactions_create", result)
        assert (call.response_model, call.tokens) == ("gemini-2.5-pro", GEMINI_TOKENS)


class TestStrands:
    @pytest.mark.parametrize(
        ("total", "given"),
        [pytest.param(1510, 1507, id="cached beside, as Bedrock"), pytest.param(10, 7, id="cached within, as OpenAI")],
    )
    def test_usage_is_in_the_streams_last_event(self, total: int, given: int) -> None:
        usage = {"inputTokens": 7, "outputTokens": 3, "totalTokens": total, "cacheReadInputTokens": 1500}
        events = [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": "Hi"}}},
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"usage": usage, "metrics": {"latencyMs": 3}}},
        ]
        assert recognised("invoke_model", events, {"model_name": "my-factory"}) == [
            ("strands", Call(finish_reasons=("end_turn",), tokens=Tokens(input=given, output=3, cache_read=1500)))
        ]


class TestDeepAgents:
    def test_its_message_is_langchains(self) -> None:
        message = {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "messages", "AIMessage"],
            "kwargs": {
                "content": "Hi",
                "type": "ai",
                "id": "run-1",
                "response_metadata": {"model_name": "claude-sonnet-4", "model_provider": "anthropic"},
                "usage_metadata": {"input_tokens": 9, "output_tokens": 4, "input_token_details": {"cache_read": 2}},
            },
        }
        assert recognised("deepagents.invoke_model", {"message": message}) == [
            (
                "langchain",
                Call(
                    provider="anthropic",
                    response_model="claude-sonnet-4",
                    response_id="run-1",
                    tokens=Tokens(input=9, output=4, cache_read=2),
                ),
            )
        ]


def test_a_users_activity_of_the_same_name_is_none_of_theirs() -> None:
    assert recognised("invoke_model", {"usage": "high"}) == []
    assert recognised("invoke_model_activity", ["usage"]) == []

"""Responses of model clients, as each of them gives them: what they say of model, usage and answer."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.live.model_calls.responses import response_attributes

OPENAI_CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "3 degrees.", "refusal": None},
        }
    ],
    "usage": {
        "prompt_tokens": 101,
        "completion_tokens": 53,
        "total_tokens": 154,
        "prompt_tokens_details": {"cached_tokens": 13, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 0},
    },
}
OPENAI_CHAT_TOOLS = {
    "id": "chatcmpl-2",
    "model": "gpt-4o",
    "choices": [
        {
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
                ],
            },
        }
    ],
    "usage": {"prompt_tokens": 19, "completion_tokens": 23},
}
OPENAI_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-4o",
    "status": "completed",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "3 degrees.", "annotations": []}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{}"},
    ],
    "usage": {
        "input_tokens": 101,
        "input_tokens_details": {"cached_tokens": 13},
        "output_tokens": 53,
        "output_tokens_details": {"reasoning_tokens": 7},
        "total_tokens": 154,
    },
}
OPENAI_EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
}
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "I look it up."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 71,
        "cache_creation_input_tokens": 17,
        "cache_read_input_tokens": 13,
        "output_tokens": 53,
    },
}
GOOGLE = {
    "responseId": "g1",
    "modelVersion": "gemini-2.5-flash",
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [{"text": "3 degrees."}, {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}],
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 101,
        "candidatesTokenCount": 46,
        "thoughtsTokenCount": 7,
        "cachedContentTokenCount": 13,
    },
}
LANGCHAIN = {
    "id": "run--1",
    "type": "ai",
    "content": "3 degrees.",
    "tool_calls": [],
    "response_metadata": {"model_name": "gpt-4o-2024-08-06", "finish_reason": "stop"},
    "usage_metadata": {
        "input_tokens": 101,
        "output_tokens": 53,
        "total_tokens": 154,
        "input_token_details": {"cache_read": 13},
        "output_token_details": {"reasoning": 7},
    },
}

TEXT = {"type": "text", "content": "3 degrees."}

FIVE_TOKENS = {
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
    "gen_ai.usage.cache_read.input_tokens": 13,
    "gen_ai.usage.reasoning.output_tokens": 7,
}

CASES = [
    pytest.param(
        OPENAI_CHAT,
        FIVE_TOKENS
        | {
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.finish_reasons": ("stop",),
        },
        [{"role": "assistant", "parts": [TEXT], "finish_reason": "stop"}],
        id="OpenAI chat completion",
    ),
    pytest.param(
        OPENAI_CHAT_TOOLS,
        {
            "gen_ai.response.id": "chatcmpl-2",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.response.finish_reasons": ("tool_calls",),
            "gen_ai.usage.input_tokens": 19,
            "gen_ai.usage.output_tokens": 23,
        },
        [
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'}],
                "finish_reason": "tool_calls",
            }
        ],
        id="OpenAI chat completion that calls a tool",
    ),
    pytest.param(
        OPENAI_RESPONSE,
        FIVE_TOKENS | {"gen_ai.response.id": "resp_1", "gen_ai.response.model": "gpt-4o"},
        [
            {
                "role": "assistant",
                "parts": [TEXT, {"type": "tool_call", "id": "c1", "name": "weather", "arguments": "{}"}],
                "finish_reason": "stop",
            }
        ],
        id="OpenAI response",
    ),
    pytest.param(
        OPENAI_EMBEDDINGS,
        {
            "gen_ai.response.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 9,
            "gen_ai.usage.output_tokens": 0,
        },
        None,
        id="OpenAI embeddings",
    ),
    pytest.param(
        ANTHROPIC,
        {
            "gen_ai.response.id": "msg_1",
            "gen_ai.response.model": "claude-sonnet-4-5",
            "gen_ai.response.finish_reasons": ("tool_use",),
            # Anthropic counts cached input beside the input: 71 + 17 + 13.
            "gen_ai.usage.input_tokens": 101,
            "gen_ai.usage.output_tokens": 53,
            "gen_ai.usage.cache_read.input_tokens": 13,
            "gen_ai.usage.cache_write.input_tokens": 17,
        },
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "thinking"},
                    {"type": "text", "content": "I look it up."},
                    {"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": {"city": "Oslo"}},
                ],
                "finish_reason": "tool_use",
            }
        ],
        id="Anthropic message",
    ),
    pytest.param(
        GOOGLE,
        FIVE_TOKENS
        | {
            "gen_ai.response.id": "g1",
            "gen_ai.response.model": "gemini-2.5-flash",
            "gen_ai.response.finish_reasons": ("stop",),
        },
        [
            {
                "role": "assistant",
                "parts": [
                    TEXT,
                    {"type": "tool_call", "id": None, "name": "weather", "arguments": {"city": "Oslo"}},
                ],
                "finish_reason": "stop",
            }
        ],
        id="Google generateContent",
    ),
    pytest.param(
        LANGCHAIN,
        FIVE_TOKENS
        | {
            "gen_ai.response.id": "run--1",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.finish_reasons": ("stop",),
        },
        [{"role": "assistant", "parts": [TEXT], "finish_reason": "stop"}],
        id="LangChain AIMessage",
    ),
]


def as_object(value: Any) -> Any:
    """The response as the client's object, whose fields are attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: as_object(field) for key, field in value.items()})
    return [as_object(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("response", "attributes", "_messages"), CASES)
def test_model_and_usage(response: dict[str, Any], attributes: dict[str, Any], _messages: object) -> None:
    assert response_attributes(response, content=False) == attributes


@pytest.mark.parametrize(("response", "attributes", "messages"), CASES)
def test_the_answer_where_content_is_on(
    response: dict[str, Any], attributes: dict[str, Any], messages: list[Any] | None
) -> None:
    read = response_attributes(response, content=True)
    answer = read.pop("gen_ai.output.messages", None)
    assert read == attributes
    assert (answer and json.loads(answer)) == messages


@pytest.mark.parametrize(("response", "attributes", "_messages"), CASES)
def test_objects_say_the_same_as_their_json(
    response: dict[str, Any], attributes: dict[str, Any], _messages: object
) -> None:
    assert response_attributes(as_object(response), content=False) == attributes


def test_python_names_of_googles_fields() -> None:
    response = SimpleNamespace(
        response_id="g1",
        model_version="gemini-2.5-flash",
        candidates=[
            SimpleNamespace(
                content=SimpleNamespace(role="model", parts=[SimpleNamespace(text="3 degrees.")]),
                finish_reason=SimpleNamespace(value="STOP"),
            )
        ],
        usage_metadata=SimpleNamespace(
            prompt_token_count=101,
            candidates_token_count=46,
            thoughts_token_count=7,
            cached_content_token_count=13,
        ),
    )
    assert response_attributes(response, content=True) == FIVE_TOKENS | {
        "gen_ai.response.id": "g1",
        "gen_ai.response.model": "gemini-2.5-flash",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.output.messages": (
            '[{"role":"assistant","parts":[{"type":"text","content":"3 degrees."}],"finish_reason":"stop"}]'
        ),
    }


def test_a_langchain_call_named_among_the_blocks_and_beside_them_is_one() -> None:
    message = LANGCHAIN | {
        "content": [
            {"type": "text", "text": "3 degrees."},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
        ],
        "tool_calls": [{"name": "weather", "args": {"city": "Oslo"}, "id": "t1", "type": "tool_call"}],
    }
    answer = json.loads(response_attributes(message, content=True)["gen_ai.output.messages"])
    assert answer[0]["parts"] == [
        TEXT,
        {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Oslo"}},
    ]


@pytest.mark.parametrize("response", [None, "text", b"bytes", 17, [], {}, object(), {"usage": "101"}, {"usage": True}])
def test_what_has_no_known_shape_says_nothing(response: object) -> None:
    assert response_attributes(response, content=True) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "model",
                    "usage",
                    "choices",
                    "candidates",
                    "content",
                    "output",
                    "message",
                    "parts",
                    "tool_calls",
                    "input_tokens",
                    "prompt_tokens",
                    "text",
                    "type",
                    "function",
                    "response_metadata",
                    "stop_reason",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_makes_it_fail(response: Any) -> None:
    json.dumps(response_attributes(response, content=True))


USAGES = [
    pytest.param(
        {
            "prompt_tokens": 101,
            "completion_tokens": 53,
            "prompt_tokens_details": {
                "cached_tokens": 13,
                "cache_write_tokens": 17,
                "audio_tokens": 11,
                "image_tokens": 5,
                "text_tokens": 85,
            },
            "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 3},
        },
        {
            "cache_read.input_tokens": 13,
            "cache_write.input_tokens": 17,
            "reasoning.output_tokens": 7,
            "audio.input_tokens": 11,
            "image.input_tokens": 5,
            "audio.output_tokens": 3,
        },
        id="OpenAI: audio and images are parts of input and output",
    ),
    pytest.param(
        {
            "input_tokens": 101,
            "output_tokens": 53,
            "input_token_details": {
                "cached_tokens": 13,
                "audio_tokens": 11,
                "cached_tokens_details": {"audio_tokens": 2},
            },
            "output_token_details": {"audio_tokens": 3},
        },
        {
            "cache_read.input_tokens": 13,
            "audio.input_tokens": 11,
            "audio.cache_read.input_tokens": 2,
            "audio.output_tokens": 3,
        },
        id="OpenAI's realtime",
    ),
    pytest.param(
        {
            "input_tokens": 71,
            "output_tokens": 53,
            "cache_creation_input_tokens": 17,
            "cache_read_input_tokens": 13,
            "cache_creation": {"ephemeral_5m_input_tokens": 17, "ephemeral_1h_input_tokens": 0},
        },
        {"cache_read.input_tokens": 13, "cache_write.input_tokens": 17},
        id="Anthropic: cached input is beside the input",
    ),
    pytest.param(
        {
            "input_tokens": 101,
            "output_tokens": 53,
            "cache_read_input_tokens": None,
            "cache_creation_input_tokens": None,
        },
        {},
        id="Anthropic without a cache",
    ),
    pytest.param(
        {"inputTokens": 71, "outputTokens": 53, "cacheReadInputTokens": 13, "cacheWriteInputTokens": 17},
        {"cache_read.input_tokens": 13, "cache_write.input_tokens": 17},
        id="Bedrock: as Anthropic",
    ),
    pytest.param(
        {
            "promptTokenCount": 90,
            "toolUsePromptTokenCount": 11,
            "candidatesTokenCount": 46,
            "thoughtsTokenCount": 7,
            "cachedContentTokenCount": 13,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 60},
                {"modality": "AUDIO", "tokenCount": 25},
                {"modality": "IMAGE", "tokenCount": 5},
            ],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 13}],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 40}],
        },
        {
            "cache_read.input_tokens": 13,
            "reasoning.output_tokens": 7,
            "audio.input_tokens": 25,
            "image.input_tokens": 5,
            "audio.cache_read.input_tokens": 13,
            "image.output_tokens": 40,
        },
        id="Google: what tools are told is beside the prompt, thoughts are beside the answer",
    ),
    pytest.param(
        {
            "input_tokens": 101,
            "output_tokens": 53,
            "input_token_details": {"cache_read": 13, "cache_creation": 17, "audio": 11},
            "output_token_details": {"reasoning": 7, "audio": 3},
        },
        {
            "cache_read.input_tokens": 13,
            "cache_write.input_tokens": 17,
            "reasoning.output_tokens": 7,
            "audio.input_tokens": 11,
            "audio.output_tokens": 3,
        },
        id="LangChain: all of it is part of the input",
    ),
]


@pytest.mark.parametrize(("usage", "parts"), USAGES)
def test_every_provider_comes_to_the_same_sums(usage: dict[str, Any], parts: dict[str, int]) -> None:
    expected = {"gen_ai.usage.input_tokens": 101, "gen_ai.usage.output_tokens": 53} | {
        f"gen_ai.usage.{key}": value for key, value in parts.items()
    }
    assert response_attributes({"usage": usage}, content=False) == expected


def test_bedrocks_answer() -> None:
    response = {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"text": "I look it up."},
                    {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}},
                ],
            }
        },
        "stopReason": "tool_use",
        "usage": {"inputTokens": 101, "outputTokens": 53},
    }
    attributes = response_attributes(response, content=True)
    assert attributes["gen_ai.response.finish_reasons"] == ("tool_use",)
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "I look it up."},
                {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Oslo"}},
            ],
            "finish_reason": "tool_use",
        }
    ]

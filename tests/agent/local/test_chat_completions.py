"""The model server's chat completions, as the real OpenAI client sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from openai import BadRequestError

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

GREETING: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello there"},
]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}


async def test_a_completion_has_text_usage_and_ids_that_follow_from_the_request(openai_client: AsyncOpenAI) -> None:
    completion = await openai_client.chat.completions.create(model="gpt-4o", messages=GREETING)

    assert completion.to_dict() == {
        "id": "chatcmpl-10058beb03efb73f-1",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "gpt-4o",
        "service_tier": "default",
        "system_fingerprint": "fp_local",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "You said: Hello there", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 7789,
            "completion_tokens": 3361,
            "total_tokens": 11150,
            "prompt_tokens_details": {"cached_tokens": 4423, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 1361, "audio_tokens": 0},
        },
    }


async def test_the_same_request_gets_the_same_text_but_usage_of_its_own(openai_client: AsyncOpenAI) -> None:
    first = await openai_client.chat.completions.create(model="gpt-4o", messages=GREETING)
    second = await openai_client.chat.completions.create(model="gpt-4o", messages=GREETING)

    assert second.choices == first.choices
    assert (first.id, second.id) == ("chatcmpl-10058beb03efb73f-1", "chatcmpl-10058beb03efb73f-2")
    assert first.usage
    assert second.usage
    assert (first.usage.total_tokens, second.usage.total_tokens) == (11150, 10052)


async def test_a_stream_carries_the_text_word_by_word_and_ends_with_the_usage(openai_client: AsyncOpenAI) -> None:
    stream = await openai_client.chat.completions.create(
        model="gpt-4o", messages=GREETING, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "You ", "said: ", "Hello ", "there", None]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, None, None, None, "stop"]
    assert {chunk.id for chunk in chunks} == {"chatcmpl-10058beb03efb73f-1"}
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert chunks[-1].usage.to_dict() == {
        "prompt_tokens": 7789,
        "completion_tokens": 3361,
        "total_tokens": 11150,
        "prompt_tokens_details": {"cached_tokens": 4423, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1361, "audio_tokens": 0},
    }


async def test_a_stream_has_no_usage_unless_asked(openai_client: AsyncOpenAI) -> None:
    stream = await openai_client.chat.completions.create(model="gpt-4o", messages=GREETING, stream=True)

    assert [chunk.usage async for chunk in stream] == [None] * 6


async def test_the_model_calls_a_tool_and_then_speaks_of_what_it_returned(openai_client: AsyncOpenAI) -> None:
    question: ChatCompletionMessageParam = {"role": "user", "content": "Oslo"}
    first = await openai_client.chat.completions.create(model="gpt-4o", messages=[question], tools=[WEATHER])
    message = first.choices[0].message

    assert first.choices[0].finish_reason == "tool_calls"
    assert message.content is None
    assert message.tool_calls
    assert [call.to_dict() for call in message.tool_calls] == [
        {
            "id": "call_eaf4566cdd1f1380-1",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "Oslo", "days": 1}'},
        }
    ]

    result: ChatCompletionMessageParam = {
        "role": "tool",
        "tool_call_id": message.tool_calls[0].id,
        "content": "4 degrees",
    }
    call: ChatCompletionMessageParam = {"role": "assistant", "content": None}
    second = await openai_client.chat.completions.create(
        model="gpt-4o", messages=[question, call, result], tools=[WEATHER]
    )

    assert second.choices[0].finish_reason == "stop"
    assert second.choices[0].message.content == "The tools returned: 4 degrees"


async def test_a_tool_call_is_streamed_in_pieces(openai_client: AsyncOpenAI) -> None:
    async with openai_client.chat.completions.stream(
        model="gpt-4o", messages=[{"role": "user", "content": "Oslo"}], tools=[WEATHER]
    ) as stream:
        pieces = [
            event.arguments_delta async for event in stream if event.type == "tool_calls.function.arguments.delta"
        ]
        final = await stream.get_final_completion()

    assert pieces == ["", '{"city": ', '"Oslo", ', '"days": ', "1}"]
    assert final.choices[0].finish_reason == "tool_calls"
    assert final.choices[0].message.tool_calls
    assert final.choices[0].message.tool_calls[0].function.arguments == '{"city": "Oslo", "days": 1}'


async def test_no_tool_is_called_where_the_request_forbids_it(openai_client: AsyncOpenAI) -> None:
    completion = await openai_client.chat.completions.create(
        model="gpt-4o", messages=GREETING, tools=[WEATHER], tool_choice="none"
    )

    assert completion.choices[0].message.content == "You said: Hello there"


async def test_what_the_server_cannot_do_is_refused(openai_client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError) as refused:
        await openai_client.chat.completions.create(model="gpt-4o", messages=GREETING, n=2)

    assert refused.value.body == {
        "message": "The request is malformed: Invalid enum value 2 - at `$.n`",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


async def test_the_answer_follows_the_schema_that_the_request_gives(openai_client: AsyncOpenAI) -> None:
    completion = await openai_client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "Oslo"}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "trip", "schema": {"properties": {"city": {"type": "string"}}}},
        },
    )

    assert completion.choices[0].message.content == '{"city": "Oslo"}'

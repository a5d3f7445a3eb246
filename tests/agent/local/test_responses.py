"""The model server's Responses API, as the real OpenAI client sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.responses import FunctionToolParam

WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def test_a_response_has_text_and_usage(openai_client: AsyncOpenAI) -> None:
    response = await openai_client.responses.create(model="gpt-4o", instructions="Be brief.", input="Hello there")

    assert response.id == "resp_33089840bed4ee45-1"
    assert response.status == "completed"
    assert response.instructions == "Be brief."
    assert [item.to_dict() for item in response.output] == [
        {
            "type": "message",
            "id": "msg_33089840bed4ee45-1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "You said: Hello there", "annotations": []}],
        }
    ]
    assert response.usage
    assert response.usage.to_dict() == {
        "input_tokens": 6949,
        "input_tokens_details": {"cached_tokens": 5233, "cache_write_tokens": 0},
        "output_tokens": 3257,
        "output_tokens_details": {"reasoning_tokens": 1657},
        "total_tokens": 10206,
    }


async def test_a_streamed_response_is_told_in_numbered_events(openai_client: AsyncOpenAI) -> None:
    stream = await openai_client.responses.create(model="gpt-4o", input="Hello there", stream=True)
    events = [event async for event in stream]

    assert [(event.sequence_number, event.type) for event in events] == [
        (0, "response.created"),
        (1, "response.in_progress"),
        (2, "response.output_item.added"),
        (3, "response.content_part.added"),
        (4, "response.output_text.delta"),
        (5, "response.output_text.delta"),
        (6, "response.output_text.delta"),
        (7, "response.output_text.delta"),
        (8, "response.output_text.done"),
        (9, "response.content_part.done"),
        (10, "response.output_item.done"),
        (11, "response.completed"),
    ]
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == [
        "You ",
        "said: ",
        "Hello ",
        "there",
    ]
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "You said: Hello there"
    assert last.response.usage
    assert last.response.usage.total_tokens == 10572


async def test_the_model_calls_a_tool_and_then_speaks_of_what_it_returned(openai_client: AsyncOpenAI) -> None:
    first = await openai_client.responses.create(model="gpt-4o", input="Oslo", tools=[WEATHER])

    assert [item.to_dict() for item in first.output] == [
        {
            "type": "function_call",
            "id": "fc_1a5aee1d401bf7cc-1",
            "call_id": "call_1a5aee1d401bf7cc-1",
            "name": "get_weather",
            "arguments": '{"city": "Oslo"}',
            "status": "completed",
        }
    ]

    second = await openai_client.responses.create(
        model="gpt-4o",
        input=[
            {"role": "user", "content": "Oslo"},
            {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "4 degrees"},
        ],
        tools=[WEATHER],
    )

    assert second.output_text == "The tools returned: 4 degrees"


async def test_a_streamed_tool_call_arrives_whole(openai_client: AsyncOpenAI) -> None:
    async with openai_client.responses.stream(model="gpt-4o", input="Oslo", tools=[WEATHER]) as stream:
        pieces = [event.delta async for event in stream if event.type == "response.function_call_arguments.delta"]
        final = await stream.get_final_response()

    assert pieces == ['{"city": ', '"Oslo"}']
    assert final.output[0].type == "function_call"
    assert final.output[0].arguments == '{"city": "Oslo"}'


async def test_a_tool_that_was_called_is_not_called_again_and_the_next_one_is(openai_client: AsyncOpenAI) -> None:
    weigh: FunctionToolParam = {"type": "function", "name": "weigh", "strict": False, "parameters": {"type": "object"}}

    response = await openai_client.responses.create(
        model="gpt-4o",
        instructions="Call get_weather, then call weigh.",
        input=[
            {"role": "user", "content": "Oslo"},
            {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "4 degrees"},
        ],
        tools=[WEATHER, weigh],
    )

    assert [item.name for item in response.output if item.type == "function_call"] == ["weigh"]


async def test_the_answer_follows_the_schema_that_the_request_gives(openai_client: AsyncOpenAI) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}

    response = await openai_client.responses.create(
        model="gpt-4o", input="Oslo", text={"format": {"type": "json_schema", "name": "trip", "schema": schema}}
    )

    assert response.output_text == '{"city": "Oslo", "days": 1}'

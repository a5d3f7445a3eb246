"""Faults that a test can arm, and what the model server's journal says of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from openai import APIStatusError, APITimeoutError, InternalServerError, RateLimitError, Timeout

from agent.local.faults import Fault
from agent.local.journal import StepCount

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agent.local.control_client import ControlClient


async def ask(client: AsyncOpenAI, prompt: str) -> str | None:
    completion = await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": prompt}])
    return completion.choices[0].message.content


async def status_of(client: AsyncOpenAI, prompt: str) -> int:
    try:
        await ask(client, prompt)
    except APIStatusError as error:
        return error.status_code
    return 200


async def journal(control: ControlClient) -> list[tuple[int, str, str, int | None, str | None]]:
    return [
        (record.sequence, record.asked.step, record.state, record.status, record.fault)
        for record in await control.requests()
    ]


async def test_a_rate_limit_once_and_then_an_answer(openai_client: AsyncOpenAI, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="status", status=429, retry_after=0.5))

    with pytest.raises(RateLimitError) as limited:
        await ask(openai_client, "Plan")
    assert limited.value.response.headers["retry-after"] == "0.5"
    assert limited.value.code == "rate_limit_exceeded"
    assert await ask(openai_client, "Plan") == "You said: Plan"

    assert await journal(model_control) == [
        (1, "Plan", "failed", 429, "status"),
        (2, "Plan", "answered", 200, None),
    ]


async def test_the_usage_of_an_answer_does_not_depend_on_failures_before_it(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await ask(openai_client, "Plan")
    await model_control.reset()
    await model_control.arm(Fault(kind="status"))
    with pytest.raises(InternalServerError):
        await ask(openai_client, "Plan")
    await ask(openai_client, "Plan")
    failed, answered = await model_control.requests()

    assert failed.usage is None
    assert answered.usage
    assert answered.usage.total_tokens == 9804


async def test_the_second_and_third_request_that_contain_a_text_fail(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="status", status=503, contains="Synthesis", occurrence=2, times=2))

    for prompt in ("Plan", "Synthesis 1", "Synthesis 2", "Plan", "Synthesis 2", "Synthesis 2"):
        await status_of(openai_client, prompt)

    assert await journal(model_control) == [
        (1, "Plan", "answered", 200, None),
        (2, "Synthesis 1", "answered", 200, None),
        (3, "Synthesis 2", "failed", 503, "status"),
        (4, "Plan", "answered", 200, None),
        (5, "Synthesis 2", "failed", 503, "status"),
        (6, "Synthesis 2", "answered", 200, None),
    ]


async def test_a_timeout_is_never_answered(openai_client: AsyncOpenAI, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="timeout"))

    with pytest.raises(APITimeoutError):
        await ask(openai_client.with_options(timeout=Timeout(20, read=0.1)), "Plan")
    await model_control.wait(1, state="disconnected")

    assert await journal(model_control) == [(1, "Plan", "disconnected", None, "timeout")]


async def test_a_slow_answer_comes(openai_client: AsyncOpenAI, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="slow", delay=0.05))

    assert await ask(openai_client, "Plan") == "You said: Plan"

    assert await journal(model_control) == [(1, "Plan", "answered", 200, "slow")]


async def test_a_held_request_is_counted_and_answered_when_released(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold", contains="Plan"))
    asking = asyncio.create_task(ask(openai_client, "Plan"))
    await model_control.wait(1, step="Plan", state="received")

    assert await journal(model_control) == [(1, "Plan", "received", None, "hold")]
    assert await model_control.release(contains="Summary") == 0
    assert await model_control.release() == 1
    assert await asking == "You said: Plan"
    assert await journal(model_control) == [(1, "Plan", "answered", 200, "hold")]


async def test_a_held_request_whose_client_dies_is_never_answered_and_a_second_one_is(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold"))
    asking = asyncio.create_task(ask(openai_client, "Plan"))
    await model_control.wait(1, state="received")
    asking.cancel()
    await model_control.wait(1, state="disconnected")

    assert await ask(openai_client, "Plan") == "You said: Plan"

    assert await model_control.counts() == {"Plan": StepCount(requests=2, answered=1, disconnected=1)}
    assert await model_control.release() == 0


async def test_an_answer_held_at_its_end_is_paid_for_but_not_yet_there(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold_end"))
    asking = asyncio.create_task(ask(openai_client, "Plan"))
    await model_control.wait(1, state="answered")
    (record,) = await model_control.requests()

    assert record.usage
    assert record.usage.total_tokens == 9804
    assert not asking.done()
    assert await model_control.release() == 1
    assert await asking == "You said: Plan"


async def test_a_stream_held_at_its_end_has_said_everything(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold_end"))
    stream = await openai_client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Plan"}], stream=True
    )

    said = [(await anext(stream)).choices[0].delta.content for _ in range(5)]

    assert said == ["", "You ", "said: ", "Plan", None]
    assert await model_control.release() == 1
    assert [chunk async for chunk in stream] == []


async def test_of_two_faults_for_a_request_the_one_armed_first_is_met(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="status", status=500))
    await model_control.arm(Fault(kind="status", status=503, times=2))

    assert [await status_of(openai_client, "Plan") for _ in range(3)] == [500, 503, 200]

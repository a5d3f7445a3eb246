"""One attempt of `call_llm`, with the real OpenAI client against the local model server."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

from agent.local.faults import Fault
from agent.local.journal import Asked
from agent.research.activities import call_llm
from agent.research.payloads import LLMRequest

if TYPE_CHECKING:
    from temporalio.testing import ActivityEnvironment

    from agent.local.control_client import ControlClient
    from agent.local.serving import LocalServer

GREETING = LLMRequest(system="You are polite.", prompt="# Greeting\n\nHello there")


async def failure(attempt: ActivityEnvironment, request: LLMRequest = GREETING) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await attempt.run(call_llm, request)
    return raised.value


async def test_it_returns_the_models_text(attempt: ActivityEnvironment, model_control: ControlClient) -> None:
    assert await attempt.run(call_llm, GREETING) == "You said: # Greeting\n\nHello there"

    (request,) = await model_control.requests()
    assert request.asked == Asked(
        endpoint="/v1/chat/completions",
        step="Greeting",
        prompt="You are polite.\n\n# Greeting\n\nHello there",
        model="gpt-4o",
        client_request_id="run/5/1",
    )


async def test_the_model_can_be_chosen(
    attempt: ActivityEnvironment, model_control: ControlClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEARCH_MODEL", "gpt-4o-mini")

    await attempt.run(call_llm, GREETING)

    assert [request.asked.model for request in await model_control.requests()] == ["gpt-4o-mini"]


async def test_a_rate_limit_is_retried_by_temporal_alone_when_the_service_says(
    attempt: ActivityEnvironment, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="status", status=429, retry_after=7))

    limited = await failure(attempt)

    assert limited.message == "The model answered 429: The local server was told to fail."
    assert limited.type == "RateLimitError"
    assert not limited.non_retryable
    assert limited.next_retry_delay == timedelta(seconds=7)
    assert await model_control.requests_per_step() == {"Greeting": 1}


@pytest.mark.parametrize("status", [408, 500, 503])
async def test_what_another_attempt_may_mend_is_retried_by_the_policy(
    attempt: ActivityEnvironment, model_control: ControlClient, status: int
) -> None:
    await model_control.arm(Fault(kind="status", status=status))

    failed = await failure(attempt)

    assert not failed.non_retryable
    assert failed.next_retry_delay is None
    assert await model_control.requests_per_step() == {"Greeting": 1}


@pytest.mark.parametrize(
    ("status", "how_to_mend"),
    [
        (400, ""),
        (401, " Check OPENAI_API_KEY."),
        (403, " Check what the key of OPENAI_API_KEY may do."),
        (404, " Check RESEARCH_MODEL and OPENAI_BASE_URL."),
    ],
)
async def test_what_no_other_attempt_mends_is_not_retried(
    attempt: ActivityEnvironment, model_control: ControlClient, status: int, how_to_mend: str
) -> None:
    await model_control.arm(Fault(kind="status", status=status))

    refused = await failure(attempt)

    assert refused.non_retryable
    assert refused.message == f"The model answered {status}: The local server was told to fail.{how_to_mend}"


async def test_a_model_that_does_not_answer_is_retried(
    attempt: ActivityEnvironment, model: LocalServer, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="timeout"))
    attempt.info = dataclasses.replace(attempt.info, start_to_close_timeout=timedelta(seconds=0.2))

    slow = await failure(attempt)

    assert slow.message == f"The model at {model.url} did not answer in time. Is OPENAI_BASE_URL right?"
    assert slow.type == "APITimeoutError"
    assert not slow.non_retryable


async def test_a_model_that_is_not_there_is_retried(
    attempt: ActivityEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        monkeypatch.setenv("OPENAI_BASE_URL", url)

        unreachable = await failure(attempt)

    assert unreachable.message == f"The model at {url} cannot be reached. Is OPENAI_BASE_URL right?"
    assert unreachable.type == "APIConnectionError"
    assert not unreachable.non_retryable


async def test_without_a_key_only_a_model_on_this_machine_can_be_asked(
    attempt: ActivityEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")

    refused = await failure(attempt)

    assert refused.message == (
        "No key for the model: set OPENAI_API_KEY, or OPENAI_BASE_URL to a model server on this machine."
    )
    assert refused.non_retryable


async def test_an_answer_without_text_is_a_failure(attempt: ActivityEnvironment) -> None:
    silent = await failure(attempt, LLMRequest(system="", prompt=""))

    assert silent.message == "The model answered without text: it finished with stop."
    assert not silent.non_retryable


async def test_a_cancelled_attempt_lets_go_of_the_model(
    attempt: ActivityEnvironment, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold"))
    asking = asyncio.ensure_future(attempt.run(call_llm, GREETING))
    await model_control.wait(1, state="received")

    attempt.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    await model_control.wait(1, state="disconnected")


async def test_it_heartbeats_while_it_waits(attempt: ActivityEnvironment, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="hold"))
    attempt.info = dataclasses.replace(attempt.info, heartbeat_timeout=timedelta(seconds=0.03))
    third_beat, beats = asyncio.Event(), []

    def on_heartbeat(*details: object) -> None:
        beats.append(details)
        if len(beats) == 3:
            third_beat.set()

    attempt.on_heartbeat = on_heartbeat
    asking = asyncio.ensure_future(attempt.run(call_llm, GREETING))
    await third_beat.wait()
    await model_control.wait(1, state="received")
    await model_control.release()

    assert await asking == "You said: # Greeting\n\nHello there"
    assert beats[:3] == [(), (), ()]

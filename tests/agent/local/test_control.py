"""What the control endpoints of a local server tell and take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2
import pytest
from openai import InternalServerError

from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.local.journal import PROMPT_CHARACTERS_KEPT, Asked, Journal, RequestRecord, StepCount, TokenUsage
from agent.local.model_server import model_server

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agent.local.serving import LocalServer


async def ask(client: AsyncOpenAI, prompt: str, request_id: str = "run/1/1") -> None:
    await client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}],
        extra_headers={"X-Client-Request-Id": request_id},
    )


async def test_each_request_is_told_with_its_step_and_what_became_of_it(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await ask(openai_client, "# Plan\n\nThink.")

    assert await model_control.requests() == [
        RequestRecord(
            sequence=1,
            asked=Asked(
                endpoint="/v1/chat/completions",
                step="Plan",
                prompt="Be brief.\n\n# Plan\n\nThink.",
                model="gpt-4o",
                client_request_id="run/1/1",
            ),
            state="answered",
            status=200,
            usage=TokenUsage(input_tokens=6529, cached_tokens=5653, output_tokens=1861, reasoning_tokens=1783),
        )
    ]


async def test_requests_are_counted_per_step(openai_client: AsyncOpenAI, model_control: ControlClient) -> None:
    for prompt in ("# Plan", "# Summary", "# Plan"):
        await ask(openai_client, prompt)

    assert await model_control.counts() == {
        "Plan": StepCount(requests=2, answered=2),
        "Summary": StepCount(requests=1, answered=1),
    }
    assert await model_control.requests_per_step() == {"Plan": 2, "Summary": 1}


async def test_what_is_waited_for_in_vain_is_named(openai_client: AsyncOpenAI, model_control: ControlClient) -> None:
    await ask(openai_client, "# Plan")

    with pytest.raises(TimeoutError) as waited:
        await model_control.wait(2, step="Plan", state="answered", timeout_s=0)
    assert str(waited.value) == "After 0 s there are 1 requests (answered) of step 'Plan'."


async def test_after_a_reset_the_server_is_as_if_it_had_just_started(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await ask(openai_client, "# Plan")
    before = await model_control.requests()
    await model_control.arm(Fault(kind="status"))
    await model_control.reset()

    assert await model_control.requests() == []
    assert await model_control.counts() == {}
    await ask(openai_client, "# Plan")
    assert await model_control.requests() == before


async def test_a_request_that_waits_during_a_reset_is_not_counted_after_it(
    openai_client: AsyncOpenAI, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold"))
    asking = asyncio.create_task(ask(openai_client, "# Plan"))
    await model_control.wait(1, state="received")
    await model_control.reset()
    await model_control.release()
    await asking

    assert await model_control.counts() == {}


async def test_a_malformed_control_request_is_refused_with_the_reason(model: LocalServer) -> None:
    async with httpx2.AsyncClient() as http:
        unknown = await http.post(f"{model.control}/faults", content=b'{"kind": "explode"}')
        typo = await http.post(f"{model.control}/wait", content=b'{"numbre": 1}')

    assert (unknown.status_code, unknown.json()) == (400, {"error": "Invalid enum value 'explode' - at `$.kind`"})
    assert (typo.status_code, typo.json()) == (400, {"error": "Object contains unknown field `numbre`"})


async def test_a_server_that_stops_lets_go_of_the_requests_it_holds(openai_client: AsyncOpenAI) -> None:
    async with model_server() as server:
        control = ControlClient(server.control)
        await control.arm(Fault(kind="timeout"))
        asking = asyncio.create_task(ask(openai_client.with_options(base_url=server.url), "# Plan"))
        await control.wait(1)

    with pytest.raises(InternalServerError) as stopped:
        await asking
    assert stopped.value.message == "Error code: 503 - The local server is stopping."


def test_the_journal_keeps_counts_when_it_drops_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.local.journal.RECORDS_KEPT", 2)
    journal = Journal()
    for _ in range(3):
        journal.close(journal.receive(Asked("/", "tea", "tea" * 1000)), "answered", status=200)

    assert [record.sequence for record in journal.records] == [2, 3]
    assert [len(record.asked.prompt) for record in journal.records] == [PROMPT_CHARACTERS_KEPT] * 2
    assert journal.counts == {"tea": StepCount(requests=3, answered=3)}

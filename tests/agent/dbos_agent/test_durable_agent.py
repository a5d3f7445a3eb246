"""The steps of the agent on DBOS, called outside of a workflow: as the plain functions that they then are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import openai
import pytest

from agent.dbos_agent.durable_agent import DurableAgent, worth_another_try
from agent.dbos_agent.run import main
from agent.local.faults import Fault

if TYPE_CHECKING:
    from agent.local.control_client import ControlClient
    from agent.local.serving import LocalServer


@pytest.fixture(scope="module")
def agent() -> DurableAgent:
    return DurableAgent("tested")


@pytest.fixture
def model(model_process: LocalServer, model_control: ControlClient, monkeypatch: pytest.MonkeyPatch) -> ControlClient:
    """The model server, which the agent asks."""
    monkeypatch.setenv("OPENAI_BASE_URL", model_process.url)
    return model_control


async def test_it_asks_the_model_once(agent: DurableAgent, model: ControlClient) -> None:
    assert await agent.call_llm("You are polite.", "# Greeting\n\nHello") == "You said: # Greeting\n\nHello"
    assert await model.requests_per_step() == {"Greeting": 1}


async def test_the_models_client_does_not_try_again(agent: DurableAgent, model: ControlClient) -> None:
    await model.arm(Fault(kind="status", status=503))
    with pytest.raises(openai.InternalServerError) as raised:
        await agent.call_llm("You are polite.", "# Greeting\n\nHello")
    assert worth_another_try(raised.value)
    assert await model.requests_per_step() == {"Greeting": 1}


@pytest.mark.parametrize(("status", "again"), [(429, True), (500, True), (408, True), (400, False), (401, False)])
def test_statuses_that_another_attempt_can_mend(status: int, *, again: bool) -> None:
    request = httpx2.Request("GET", "http://127.0.0.1/")
    error = httpx2.HTTPStatusError("refused", request=request, response=httpx2.Response(status, request=request))
    assert worth_another_try(error) is again


def test_of_other_errors_only_those_of_the_connection() -> None:
    assert worth_another_try(httpx2.ConnectError("refused"))
    assert not worth_another_try(ValueError("no text"))


def test_a_question_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "a question is needed" in capsys.readouterr().err

"""One attempt of `ask_model`, with the real OpenAI client against the local model server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

from agent.deep_research.activities import ask_model, assistant_message
from agent.deep_research.payloads import Assignment, SubQuestion, Turn
from agent.deep_research.prompts import sub_question_messages, tool_message
from agent.local.faults import Fault

if TYPE_CHECKING:
    from temporalio.testing import ActivityEnvironment

    from agent.local.control_client import ControlClient

MESSAGES = sub_question_messages(Assignment(SubQuestion(1, "Green tea"), 2, []))


async def test_the_model_asks_for_a_tool_and_answers_when_it_has_the_result(
    attempt: ActivityEnvironment, model_control: ControlClient
) -> None:
    reply = await attempt.run(ask_model, Turn(MESSAGES, may_call_tools=True))

    [call] = reply.calls
    assert (reply.text, call.name, json.loads(call.arguments)) == ("", "search_web", {"query": "Green tea"})
    result = tool_message(call.id, "Tea is a drink.", first=1)
    answer = await attempt.run(ask_model, Turn([*MESSAGES, assistant_message(reply), result], may_call_tools=True))

    assert (answer.text, answer.calls) == ("The tools returned: Tea is a drink.", [])
    requests = await model_control.requests()
    assert [request.usage.total_tokens for request in requests if request.usage] == [reply.tokens, answer.tokens]


async def test_without_tools_it_answers_at_once(attempt: ActivityEnvironment) -> None:
    reply = await attempt.run(ask_model, Turn(MESSAGES))

    assert (reply.text, reply.calls) == ("You said: # Sub-question 1 of 2\n\nQuestion: Green tea", [])


async def test_silence_is_a_failure_that_is_tried_again(attempt: ActivityEnvironment) -> None:
    with pytest.raises(ApplicationError, match="The model answered without text: it finished with stop") as raised:
        await attempt.run(ask_model, Turn([{"role": "user", "content": ""}]))

    assert (raised.value.type, raised.value.non_retryable) == ("NoText", False)


async def test_a_refused_key_is_not_tried_again(attempt: ActivityEnvironment, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="status", status=401))

    with pytest.raises(ApplicationError, match="Check OPENAI_API_KEY") as raised:
        await attempt.run(ask_model, Turn(MESSAGES))

    assert raised.value.non_retryable

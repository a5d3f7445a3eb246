"""A sub-question on a real Temporal server, with a model that says what the test wants said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.worker import Worker

from agent.deep_research.payloads import Answer, Assignment, Reply, SubQuestion, ToolCall, Turn
from agent.deep_research.sub_question import MAX_TURNS, SubQuestionWorkflow
from agent.deep_research.tools import calculate, search_web
from agent.local.faults import Fault

if TYPE_CHECKING:
    from temporalio.client import Client

    from agent.local.control_client import ControlClient

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("services")]


class Model:
    """Says these replies, one after the other, the last one for ever; remembers what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Turn] = []

    @activity.defn
    async def ask_model(self, turn: Turn) -> Reply:
        self.asked.append(turn)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    @property
    def told(self) -> dict[str, str]:
        """What the tools told it, by the ID of the call."""
        return {
            message["tool_call_id"]: message["content"]
            for message in self.asked[-1].messages
            if message["role"] == "tool"
        }


def wishes(*calls: ToolCall) -> Reply:
    return Reply("", list(calls), tokens=10)


def answers(text: str) -> Reply:
    return Reply(text, [], tokens=1)


async def answered(temporal: Client, model: Model, activities: Sequence[object] = (search_web, calculate)) -> Answer:
    task_queue = f"sub-question-{uuid4()}"
    worker = Worker(
        temporal, task_queue=task_queue, workflows=[SubQuestionWorkflow], activities=[model.ask_model, *activities]
    )
    async with worker:
        return await temporal.execute_workflow(
            SubQuestionWorkflow.run,
            Assignment(SubQuestion(1, "Is tea worth it?"), 1, []),
            id=f"sub-question-{uuid4()}",
            task_queue=task_queue,
        )


async def test_all_tools_of_a_reply_are_called_and_sources_are_numbered_through(temporal: Client) -> None:
    model = Model(
        wishes(
            ToolCall("a", "search_web", '{"query": "Tea"}'),
            ToolCall("b", "calculate", '{"expression": "6 * 7"}'),
            ToolCall("c", "search_web", '{"query": "Cake"}'),
        ),
        answers("It is [1] [5]."),
    )

    answer = await answered(temporal, model)

    assert (answer.number, answer.finding.synthesis, answer.tokens) == (1, "It is [1] [5].", 11)
    assert [source.title for source in answer.finding.sources] == [
        "Tea", "Field report", "Survey", "Glossary", "Cake", "Field report", "Survey", "Glossary",
    ]  # fmt: skip
    assert model.told["b"] == "42"
    assert [model.told[call][:7] for call in "ac"] == ["[1] Tea", "[5] Cak"]


async def test_a_wish_that_cannot_be_granted_is_told_to_the_model(temporal: Client) -> None:
    model = Model(
        wishes(
            ToolCall("a", "juggle", '{"balls": 3}'),
            ToolCall("b", "search_web", '{"query": '),
            ToolCall("c", "search_web", '{"query": 3}'),
            ToolCall("d", "calculate", '{"expression": "six"}'),
            ToolCall("e", "search_web", "[" * 100_000),
        ),
        answers("So be it."),
    )

    answer = await answered(temporal, model)

    assert answer.finding.synthesis == "So be it."
    assert model.told == {
        "a": "There is no tool juggle.",
        "b": "search_web takes one argument, query, which is a text.",
        "c": "search_web takes one argument, query, which is a text.",
        "d": "calculate failed: NotCalculable: 'six' cannot be calculated: it has more than numbers, brackets and the "
        "operators + - * / **.",
        "e": "search_web takes one argument, query, which is a text.",
    }


async def test_a_search_that_is_refused_is_told_to_the_model(temporal: Client, search_control: ControlClient) -> None:
    await search_control.arm(Fault(kind="status", status=403))
    model = Model(wishes(ToolCall("a", "search_web", '{"query": "Tea"}')), answers("Nobody knows."))

    answer = await answered(temporal, model)

    assert answer.finding.sources == []
    assert model.told["a"].startswith("search_web failed: HTTPStatusError: The search service answered 403: ")


async def test_a_model_that_never_has_enough_is_asked_for_its_answer_without_tools(temporal: Client) -> None:
    model = Model(Reply("More!", [ToolCall("a", "calculate", '{"expression": "1 + 1"}')], tokens=1))

    answer = await answered(temporal, model)

    assert [turn.may_call_tools for turn in model.asked] == [*[True] * (MAX_TURNS - 1), False]
    assert answer.finding.synthesis == "More!"

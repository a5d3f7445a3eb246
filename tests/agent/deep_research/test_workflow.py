"""The deep research on a real Temporal server: its chain of runs, its children, its report, its requests."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.worker import Replayer

from agent.deep_research.payloads import Progress, Research, SubQuestion
from agent.deep_research.sub_question import SubQuestionWorkflow
from agent.deep_research.worker import build_worker
from agent.deep_research.workflow import DeepResearchWorkflow
from agent.local.faults import Fault
from tracing.history import Fetched, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client, WorkflowHandle

    from agent.local.control_client import ControlClient

    Run = WorkflowHandle[DeepResearchWorkflow, str]

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("services")]

QUESTION = "Green tea"
PLAN = [
    SubQuestion(1, "Green tea in practice"),
    SubQuestion(2, "Green tea measured costs"),
    SubQuestion(3, "Green tea known limits"),
    SubQuestion(4, "Green tea aspect 1", [1, 2, 3]),
]
FIRST, SECOND, THIRD, FOURTH = (question.text for question in PLAN)


@asynccontextmanager
async def running(temporal: Client) -> AsyncIterator[Run]:
    """A research, and a worker that works on it."""
    task_queue = f"deep-research-{uuid4()}"
    async with build_worker(temporal, task_queue=task_queue):
        yield await temporal.start_workflow(
            DeepResearchWorkflow.run, Research(QUESTION), id=f"deep-research-{uuid4()}", task_queue=task_queue
        )


async def runs_of(temporal: Client, run: Run) -> list[Fetched]:
    """All runs: those of the chain, and the children, in the order they began."""
    found = Server(temporal).chain(run.id, run.first_execution_run_id, children=True)
    runs = [fetched async for fetched in found if isinstance(fetched, Fetched)]
    return sorted(runs, key=lambda fetched: fetched.sdk().events[0].event_time.ToNanoseconds())


async def test_a_question_is_planned_researched_in_two_rounds_and_reported(
    temporal: Client, model_control: ControlClient, search_control: ControlClient
) -> None:
    async with running(temporal) as run:
        report = await run.result()

    assert [line for line in report.splitlines() if line.startswith("#")] == [
        f"# {QUESTION}",
        *(f"## {question.text}" for question in PLAN),
    ]
    assert report.count("](<https://example.com/") == 4 * len(PLAN)
    assert sorted((await search_control.requests_per_step()).items()) == sorted((each.text, 1) for each in PLAN)
    # The model asks for a search, and answers when it has the sources; of what can be measured, it first calculates.
    assert sorted((await model_control.requests_per_step()).items()) == [
        ("Plan", 1),
        ("Sub-question 1 of 4", 2),
        ("Sub-question 2 of 4", 3),
        ("Sub-question 3 of 4", 2),
        ("Sub-question 4 of 4", 3),
        ("Summary", 1),
    ]


async def test_the_new_run_begins_with_plan_answers_and_tokens_of_the_first(
    temporal: Client, model_control: ControlClient
) -> None:
    async with running(temporal) as run:
        await run.result()
        first, *first_children, second, fourth = await runs_of(temporal, run)
        progress = await temporal.get_workflow_handle_for(DeepResearchWorkflow.run, run.id).query(
            DeepResearchWorkflow.progress
        )

    assert (first.run.workflow_id, second.run.workflow_id) == (run.id, run.id)
    assert sorted(child.run.workflow_id for child in first_children) == [f"{run.id}/{number}" for number in (1, 2, 3)]
    assert fourth.run.workflow_id == f"{run.id}/4"
    started = second.sdk().events[0].workflow_execution_started_event_attributes
    [given] = await temporal.data_converter.decode(started.input.payloads, [Research])
    usages = {request.asked.client_request_id: request.usage for request in await model_control.requests()}
    in_first_round = [
        usage.total_tokens
        for request_id, usage in usages.items()
        if usage and request_id.partition("/")[0] not in {second.run.run_id, fourth.run.run_id}
    ]
    assert (given.question, given.plan) == (QUESTION, PLAN)
    assert [(answer.number, answer.finding.query) for answer in given.answers] == [
        (question.number, question.text) for question in PLAN[:3]
    ]
    assert given.tokens == sum(in_first_round)
    assert progress == Progress(
        "Done", [FIRST, SECOND, THIRD, FOURTH], [], [], sum(usage.total_tokens for usage in usages.values() if usage)
    )


async def test_a_query_tells_what_is_answered_under_way_and_still_to_come(
    temporal: Client, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold", contains="# Plan"))
    for number in (1, 2):
        await model_control.arm(Fault(kind="hold", contains=f"# Sub-question {number} of 4"))

    async with running(temporal) as run:
        await model_control.wait(1, step="Plan", state="received")
        planning = await run.query(DeepResearchWorkflow.progress)
        await model_control.release("# Plan")
        async for event in run.fetch_history_events(wait_new_event=True):
            if event.HasField("child_workflow_execution_completed_event_attributes"):
                break
        researching = await run.query(DeepResearchWorkflow.progress)
        await model_control.release()
        await run.result()

    plan, *of_third = (
        request.usage.total_tokens
        for request in await model_control.requests()
        if request.usage and request.asked.step in {"Plan", "Sub-question 3 of 4"}
    )
    assert planning == Progress("Plan", [], [], [], 0)
    assert researching == Progress("Sub-questions", [THIRD], [FIRST, SECOND], [FOURTH], plan + sum(of_third))


async def test_a_later_sub_question_is_asked_with_the_answers_that_it_builds_upon(
    temporal: Client, model_control: ControlClient
) -> None:
    async with running(temporal) as run:
        await run.result()

    asked = {request.asked.step: request.asked.prompt for request in await model_control.requests()}
    assert "Answers to earlier questions:" not in asked["Sub-question 3 of 4"]
    assert f"Answers to earlier questions:\n\n- {FIRST}: " in asked["Sub-question 4 of 4"]


async def test_a_replay_reproduces_every_run_and_asks_nobody(temporal: Client, model_control: ControlClient) -> None:
    async with running(temporal) as run:
        await run.result()
    before = await model_control.counts()

    replayer = Replayer(workflows=[DeepResearchWorkflow, SubQuestionWorkflow])
    runs = await runs_of(temporal, run)
    for fetched in runs:
        await replayer.replay_workflow(fetched.sdk())

    assert len(runs) == 6
    assert await model_control.counts() == before

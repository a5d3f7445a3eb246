"""The research workflow on a real Temporal server: its report, and the requests that it makes."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from agent.local.faults import Fault
from agent.research.activities import call_llm, generate_report, search_web
from agent.research.payloads import Progress
from agent.research.worker import build_worker
from agent.research.workflow import ResearchAgentWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client, WorkflowHandle

    from agent.local.control_client import ControlClient

    Run = WorkflowHandle[ResearchAgentWorkflow, str]

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("services")]

QUESTION = "Green tea"
REPORT = """\
# Green tea

An introduction defines the terms of “Green tea in practice”. [1]
An introduction defines the terms of “Green tea measured costs”. [2]
An introduction defines the terms of “Green tea known limits”. [3]

## Green tea in practice

An introduction defines the terms of “Green tea in practice”. [1]
One team reports a year of work on “Green tea in practice”. [2]
Forty teams were asked about “Green tea in practice”. [3]
A glossary lists the words of “Green tea in practice”. [4]

1. [Green tea in practice](<https://example.com/green-tea-in-practice>)
2. [Field report](<https://example.com/green-tea-in-practice/field-report>)
3. [Survey](<https://example.com/green-tea-in-practice/survey>)
4. [Glossary](<https://example.com/green-tea-in-practice/glossary>)

## Green tea measured costs

An introduction defines the terms of “Green tea measured costs”. [1]
One team reports a year of work on “Green tea measured costs”. [2]
Forty teams were asked about “Green tea measured costs”. [3]
A glossary lists the words of “Green tea measured costs”. [4]

1. [Green tea measured costs](<https://example.com/green-tea-measured-costs>)
2. [Field report](<https://example.com/green-tea-measured-costs/field-report>)
3. [Survey](<https://example.com/green-tea-measured-costs/survey>)
4. [Glossary](<https://example.com/green-tea-measured-costs/glossary>)

## Green tea known limits

An introduction defines the terms of “Green tea known limits”. [1]
One team reports a year of work on “Green tea known limits”. [2]
Forty teams were asked about “Green tea known limits”. [3]
A glossary lists the words of “Green tea known limits”. [4]

1. [Green tea known limits](<https://example.com/green-tea-known-limits>)
2. [Field report](<https://example.com/green-tea-known-limits/field-report>)
3. [Survey](<https://example.com/green-tea-known-limits/survey>)
4. [Glossary](<https://example.com/green-tea-known-limits/glossary>)
"""


async def start(temporal: Client, task_queue: str) -> Run:
    return await temporal.start_workflow(
        ResearchAgentWorkflow.run, QUESTION, id=f"research-{uuid4()}", task_queue=task_queue
    )


@asynccontextmanager
async def running(temporal: Client) -> AsyncIterator[Run]:
    """A run, and a worker that works on it."""
    task_queue = f"research-{uuid4()}"
    async with build_worker(temporal, task_queue=task_queue):
        yield await start(temporal, task_queue)


async def test_a_run_plans_searches_synthesises_sums_up_and_reports(
    temporal: Client, model_control: ControlClient, search_control: ControlClient
) -> None:
    async with running(temporal) as run:
        assert await run.result() == REPORT
        assert await run.query(ResearchAgentWorkflow.progress) == Progress("Done", 9, 9, notes=0)

    assert await model_control.requests_per_step() == {
        "Plan": 1,
        "Synthesis 1 of 3": 1,
        "Synthesis 2 of 3": 1,
        "Synthesis 3 of 3": 1,
        "Summary": 1,
    }
    # The searches are made at the same time, so they may arrive in any order.
    assert sorted((await search_control.requests_per_step()).items()) == [
        ("Green tea in practice", 1),
        ("Green tea known limits", 1),
        ("Green tea measured costs", 1),
    ]


async def test_each_step_has_the_same_activity_id_in_every_run(temporal: Client) -> None:
    async with running(temporal) as run:
        await run.result()
        history = await run.fetch_history()

    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert [(step.activity_id, step.activity_type.name) for step in scheduled] == [
        ("1", "call_llm"),
        ("2", "search_web"),
        ("3", "search_web"),
        ("4", "search_web"),
        ("5", "call_llm"),
        ("6", "call_llm"),
        ("7", "call_llm"),
        ("8", "call_llm"),
        ("9", "generate_report"),
    ]
    assert [step.input.payloads[0].data.decode() for step in scheduled[1:4]] == [
        '"Green tea in practice"',
        '"Green tea measured costs"',
        '"Green tea known limits"',
    ]


async def test_a_replay_makes_no_request(temporal: Client, model_control: ControlClient) -> None:
    async with running(temporal) as run:
        await run.result()
    before = await model_control.counts()

    await Replayer(workflows=[ResearchAgentWorkflow]).replay_workflow(await run.fetch_history())

    assert await model_control.counts() == before


async def test_a_rate_limited_call_is_made_once_more(temporal: Client, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="status", status=429, retry_after=0.1, contains="# Synthesis 2 of 3"))

    async with running(temporal) as run:
        assert await run.result() == REPORT

    requests = [request for request in await model_control.requests() if request.asked.step == "Synthesis 2 of 3"]
    assert [(request.state, request.status) for request in requests] == [("failed", 429), ("answered", 200)]
    run_id = run.first_execution_run_id
    assert [request.asked.client_request_id for request in requests] == [f"{run_id}/6/1", f"{run_id}/6/2"]


async def test_a_refused_key_fails_the_run_at_once(temporal: Client, model_control: ControlClient) -> None:
    await model_control.arm(Fault(kind="status", status=401))

    async with running(temporal) as run:
        with pytest.raises(WorkflowFailureError) as failed:
            await run.result()

    assert isinstance(failed.value.cause, ActivityError)
    assert str(failed.value.cause.cause) == (
        "AuthenticationError: The model answered 401: The local server was told to fail. Check OPENAI_API_KEY."
    )
    assert await model_control.requests_per_step() == {"Plan": 1}


async def test_a_run_tells_its_progress_and_takes_notes_while_it_waits(
    temporal: Client, model_control: ControlClient
) -> None:
    await model_control.arm(Fault(kind="hold", contains="# Synthesis 2 of 3"))

    async with running(temporal) as run:
        await model_control.wait(1, step="Synthesis 2 of 3", state="received")
        await run.signal(ResearchAgentWorkflow.add_note, "Ask again in spring.")
        progress = await run.query(ResearchAgentWorkflow.progress)
        await model_control.release()

        assert progress == Progress("Synthesis 2 of 3", 5, 9, notes=1)
        assert await run.result() == f"{REPORT}\n## Notes\n\n- Ask again in spring.\n"


class _LastTask(Interceptor):
    """Stops the first workflow task that wants to complete a run, until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def workflow_interceptor_class(self, _: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        gate = self

        class Inbound(WorkflowInboundInterceptor):
            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
                result = await super().execute_workflow(input)
                gate.reached.set()
                gate.go_on.wait(timeout=60)
                return result

        return Inbound


async def test_a_note_that_arrives_during_the_last_workflow_task_is_in_the_report(temporal: Client) -> None:
    task_queue, last_task = f"research-{uuid4()}", _LastTask()
    worker = Worker(
        temporal,
        task_queue=task_queue,
        workflows=[ResearchAgentWorkflow],
        activities=[call_llm, generate_report, search_web],
        interceptors=[last_task],
    )
    async with worker:
        run = await start(temporal, task_queue)
        await asyncio.to_thread(last_task.reached.wait)
        await run.signal(ResearchAgentWorkflow.add_note, "Ask again in spring.")
        last_task.go_on.set()

        assert await run.result() == f"{REPORT}\n## Notes\n\n- Ask again in spring.\n"

    history = await run.fetch_history()
    assert [
        event.workflow_task_failed_event_attributes.cause
        for event in history.events
        if event.HasField("workflow_task_failed_event_attributes")
    ] == [WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND]

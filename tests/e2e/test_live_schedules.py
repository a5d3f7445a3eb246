"""The runs of a schedule: each a trace of its own, in the session of the schedule, linked to who said what it does."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from tests.e2e.desk_workflows import QUEUE, Ask
from tests.e2e.gates import SECONDS
from tests.e2e.test_live_client import desk, request, shown
from tracing import session
from tracing.identity import run_trace_id

pytestmark = pytest.mark.e2e


def nightly() -> Schedule:
    """It is paused: only what a test asks for starts a run."""
    return Schedule(
        action=ScheduleActionStartWorkflow(Ask.run, "Why?", id=f"nightly-{uuid.uuid4()}", task_queue=QUEUE),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]),
        state=ScheduleState(paused=True),
    )


async def runs_of(client: Client, handle: ScheduleHandle, count: int) -> list[str]:
    """The run IDs of a schedule's runs, in their order, when there are so many and all have ended."""

    async def started() -> list[ScheduleActionExecutionStartWorkflow]:
        actions = [result.action for result in (await handle.describe()).info.recent_actions]
        return [action for action in actions if isinstance(action, ScheduleActionExecutionStartWorkflow)]

    async with asyncio.timeout(SECONDS):
        while len(runs := await started()) < count:  # noqa: ASYNC110 - the server is asked
            await asyncio.sleep(0.05)
        for run in runs:
            await client.get_workflow_handle(run.workflow_id, run_id=run.first_execution_run_id).result()
    return [run.first_execution_run_id for run in runs]


async def test_a_run_is_a_trace_of_its_own_with_a_link_to_the_creation(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        with request(traces, "POST /schedules"), session(id="chat-17", user="ada", environment="staging"):
            handle = await client.create_schedule(f"nightly-{uuid.uuid4()}", nightly(), trigger_immediately=True)
        (run,) = await runs_of(client, handle, 1)
        await traces.of(run)
        await handle.delete()
    assert (
        shown(traces.spans, "session.id", "user.id", "deployment.environment.name")
        == """
POST /schedules SERVER
  CreateSchedule CLIENT
    deployment.environment.name: 'staging'
    session.id: 'chat-17'
    user.id: 'ada'
RunWorkflow:Ask SERVER
  deployment.environment.name: 'staging'
  session.id: 'chat-17'
  user.id: 'ada'
  -> CreateSchedule
  StartActivity:answer CLIENT
    deployment.environment.name: 'staging'
    session.id: 'chat-17'
    user.id: 'ada'
    RunActivity:answer SERVER
      deployment.environment.name: 'staging'
      session.id: 'chat-17'
      user.id: 'ada'
"""
    )
    assert traces.spans[-1].trace_id == run_trace_id(run)


async def test_all_that_is_done_with_a_schedule(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        with request(traces, "POST /schedules"):
            handle = await client.create_schedule(f"nightly-{uuid.uuid4()}", nightly())
            await handle.unpause()
            await handle.pause()
            await handle.trigger()
            await runs_of(client, handle, 1)
            hour = datetime(2026, 1, 1, tzinfo=UTC)
            await handle.backfill(
                ScheduleBackfill(
                    start_at=hour - timedelta(minutes=1), end_at=hour, overlap=ScheduleOverlapPolicy.ALLOW_ALL
                )
            )
            await runs_of(client, handle, 2)
            await handle.describe()
            await handle.delete()
    assert (
        shown(tuple(span for span in traces.spans if span.trace_id == traces.spans[0].trace_id))
        == """
POST /schedules SERVER
  CreateSchedule CLIENT
  UnpauseSchedule CLIENT
  PauseSchedule CLIENT
  TriggerSchedule CLIENT
  BackfillSchedule CLIENT
  DeleteSchedule CLIENT
"""
    )
    created = next(span for span in traces.spans if span.name == "CreateSchedule")
    runs = [span for span in traces.spans if span.name == "RunWorkflow:Ask"]
    assert [[(link.trace_id, link.span_id) for link in run.links] for run in runs] == [
        [(created.trace_id, created.span_id)],
        [(created.trace_id, created.span_id)],
    ]


async def test_an_update_changes_what_later_runs_say(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        with session(id="chat-17", user="ada"):
            handle = await client.create_schedule(f"nightly-{uuid.uuid4()}", nightly(), trigger_immediately=True)
        await runs_of(client, handle, 1)

        def ask_why_not(given: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule = given.description.schedule
            assert isinstance(schedule.action, ScheduleActionStartWorkflow)
            schedule.action.args = ["Why not?"]
            return ScheduleUpdate(schedule)

        with request(traces, "PUT /schedules"), session(id="chat-18"):
            await handle.update(ask_why_not)
        await handle.trigger()
        _, last = await runs_of(client, handle, 2)
        await traces.of(last)
        await handle.delete()
    assert (
        shown(tuple(span for span in traces.spans if "Activity" not in span.name), "session.id", "user.id")
        == """
RunWorkflow:Ask SERVER
  session.id: 'chat-17'
  user.id: 'ada'
PUT /schedules SERVER
  UpdateSchedule CLIENT
    session.id: 'chat-18'
RunWorkflow:Ask SERVER
  session.id: 'chat-18'
  user.id: 'ada'
  -> UpdateSchedule
"""
    )


async def test_without_span_and_session_a_run_links_to_nothing(temporal_server: str) -> None:
    async with desk(temporal_server) as (client, traces):
        handle = await client.create_schedule(f"nightly-{uuid.uuid4()}", nightly(), trigger_immediately=True)
        (run,) = await runs_of(client, handle, 1)
        trace = await traces.of(run)
        await handle.delete()
    assert (
        shown(trace.spans)
        == """
RunWorkflow:Ask SERVER
  StartActivity:answer CLIENT
    RunActivity:answer SERVER
"""
    )

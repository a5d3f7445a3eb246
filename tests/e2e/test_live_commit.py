"""A span is sent when the workflow task that made it is committed: refused, failed and held tasks, on a real server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from tests.e2e.gates import SECONDS, gates
from tests.e2e.live import ON, Live, live, written
from tests.e2e.live_workflows import Buggy, Echo, Refused, Stalled, Waiting
from tracing.conventions import INPUT_VALUE, OUTPUT_VALUE, RUN_STATUS

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle, WorkflowHistory

    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

LONG = 1_000.0
"""Seconds that no test waits."""
CACHES = pytest.mark.parametrize("cached", [1_000, 0], ids=["cached", "uncached"])


def failed_tasks(history: WorkflowHistory) -> list[str]:
    """Why workflow tasks of a history failed."""
    return [
        WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)
        for event in history.events
        if event.HasField("workflow_task_failed_event_attributes")
    ]


def names(running: Live) -> list[str]:
    return [span.name for span in running.traces.spans]


@CACHES
async def test_an_end_that_a_signal_got_ahead_of_is_refused_and_leaves_nothing(
    temporal_server: str, cached: int
) -> None:
    async with live(temporal_server, max_cached_workflows=cached) as running:
        handle = await running.start(Refused.run)
        end = gates[f"{handle.id}/end"]
        await end.reached()
        await handle.signal(Refused.note, "wait!")
        end.open()
        assert await handle.result() == ["wait!"]
        trace = await running.traces.of(handle)
    history = await handle.fetch_history()
    assert failed_tasks(history) == ["WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND"]
    assert (
        written(trace.spans, OUTPUT_VALUE, RUN_STATUS)
        == """
RunWorkflow:Refused SERVER
  output.value: '["wait!"]'
  temporal.run.status: 'completed'
  StartActivity:classify CLIENT
    output.value: 'Re: why?'
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
        output.value: '{"role":"assistant","content":"Re: why?"}'
  HandleSignal:note SERVER
    output.value: 'null'
"""
    )


@CACHES
async def test_a_task_that_timed_out_leaves_nothing(temporal_server: str, cached: int) -> None:
    async with live(temporal_server, max_cached_workflows=cached) as running:
        handle = await running.start(Stalled.run, task_timeout=timedelta(seconds=1))
        stall = gates[f"{handle.id}/stall"]
        await stall.reached()
        await history_with(handle, "workflow_task_timed_out_event_attributes")
        stall.open()
        assert await handle.result() == "kept"
        trace = await running.traces.of(handle)
    assert (
        written(trace.spans, RUN_STATUS, OUTPUT_VALUE)
        == """
RunWorkflow:Stalled SERVER
  output.value: 'kept'
  temporal.run.status: 'completed'
  StartActivity:classify CLIENT
    output.value: 'Re: why?'
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
        output.value: '{"role":"assistant","content":"Re: why?"}'
"""
    )


async def history_with(handle: WorkflowHandle[Any, Any], event: str) -> None:
    """Wait until the server has written an event."""
    async with asyncio.timeout(SECONDS):
        while not any(each.HasField(event) for each in (await handle.fetch_history()).events):  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.05)


@CACHES
async def test_a_task_that_raised_leaves_nothing_and_what_follows_stays(temporal_server: str, cached: int) -> None:
    async with live(temporal_server, max_cached_workflows=cached) as running:
        handle = await running.start(Buggy.run)
        assert await handle.result() == "Re: after"
    trace = await running.traces.of(handle)
    history = await handle.fetch_history()
    assert failed_tasks(history) == ["WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE"]
    # The step "after" begins in the task that was done again: in the one that failed, nothing was asked for.
    again = [event for event in history.events if event.HasField("workflow_task_started_event_attributes")][2]
    assert trace.spans[4].start == again.event_time.ToNanoseconds() // 1_000 * 1_000
    assert (
        written(trace.spans, INPUT_VALUE)
        == """
RunWorkflow:Buggy SERVER
  input.value: 'null'
  StartActivity:classify CLIENT
    input.value: 'before'
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
        input.value: '{"messages":[{"role":"user","content":"before"}]}'
  StartActivity:classify CLIENT
    input.value: 'after'
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
        input.value: '{"messages":[{"role":"user","content":"after"}]}'
"""
    )


class TestHeld:
    async def test_a_worker_that_stops_sends_what_it_holds_of_a_run_that_never_ends(self, temporal_server: str) -> None:
        async with live(temporal_server, config=replace(ON, idle_release_seconds=LONG)) as running:
            handle = await running.start(Waiting.run, start_signal="note", start_signal_args=["hello"])
            # The task that took the signal is done when a query is answered.
            await handle.query("__stack_trace")
            await handle.terminate()
            assert names(running) == []
        assert names(running) == ["HandleSignal:note"]

    async def test_an_idle_runs_spans_are_sent_after_a_while(
        self, temporal_server: str, eventually: Eventually
    ) -> None:
        async with live(temporal_server, config=replace(ON, idle_release_seconds=0.01)) as running:
            handle = await running.start(Waiting.run, start_signal="note", start_signal_args=["hello"])
            await asyncio.to_thread(eventually, lambda: names(running), ["HandleSignal:note"])
            await handle.terminate()

    async def test_the_end_of_a_run_is_sent_while_its_worker_goes_on(self, temporal_server: str) -> None:
        async with live(temporal_server, config=replace(ON, idle_release_seconds=LONG)) as running:
            handle = await running.start(Echo.run, "Why?")
            await handle.result()
            trace = await running.traces.of(handle)
            assert [span.name for span in trace.spans] == [
                "RunWorkflow:Echo",
                "StartActivity:classify",
                "RunActivity:classify",
                "chat gpt-4o",
            ]

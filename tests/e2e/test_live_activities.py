"""Every way in which an activity can run and end, on a real server: live, and by its history."""

from __future__ import annotations

import asyncio
import concurrent.futures
import multiprocessing
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import SharedStateManager

from tests.e2e.activity_worker import Running, missing_or_other, running, shown
from tests.e2e.activity_workflows import POOLED, One, handed_over
from tests.e2e.gates import SECONDS, gates
from tracing import TracingConfig
from tracing.live.attempts.async_completion import open_attempts

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

pytestmark = pytest.mark.e2e


@pytest_asyncio.fixture
async def worker(temporal_server: str) -> AsyncIterator[Running]:
    async with running(temporal_server) as worker:
        yield worker


class TestRetries:
    async def test_each_attempt_has_its_number_and_the_time_that_it_waited(self, worker: Running) -> None:
        handle = await worker.start("fails_twice", attempts=3)
        assert await handle.result() == ["Re: cats"]
        trace = await worker.traces.of(handle)
        assert (
            shown(trace, "temporal.max_attempts")
            == """
StartActivity:fails_twice CLIENT
  durable.llm.calls: 1
  temporal.attempts: 3
  temporal.max_attempts: 3
  temporalActivityID: '1'
  RunActivity:fails_twice SERVER ERROR
    durable.llm.calls: 1
    error.type: 'Unlucky'
    temporal.attempt: 1
    temporal.max_attempts: 3
    temporalActivityID: '1'
    * exception
    chat gpt-4o CLIENT
      temporalActivityID: '1'
  RunActivity:fails_twice SERVER ERROR
    durable.llm.calls: 1
    error.type: 'Unlucky'
    temporal.attempt: 2
    temporal.max_attempts: 3
    temporalActivityID: '1'
    * exception
    chat gpt-4o CLIENT
      temporalActivityID: '1'
  RunActivity:fails_twice SERVER
    durable.llm.calls: 1
    temporal.attempt: 3
    temporal.max_attempts: 3
    temporalActivityID: '1'
    chat gpt-4o CLIENT
      temporalActivityID: '1'
"""
        )
        attempts = [span for span in trace.spans if span.name.startswith("RunActivity")]
        assert all(float(str(span.attributes["temporal.queue_time"])) > 0 for span in attempts)
        # History keeps the last attempt, and the failure of the one before with its ledger.
        assert missing_or_other(trace, await worker.exported(handle)) == [
            ("RunActivity:fails_twice 1", "live", None),
            ("chat gpt-4o", "live", None),
        ]


class TestErrors:
    async def test_causes(self, worker: Running) -> None:
        handle = await worker.start("fails_with_causes")
        await handle.result()
        trace = await worker.traces.of(handle)
        for name in ("StartActivity:fails_with_causes", "RunActivity:fails_with_causes"):
            assert [(event.name, event.attributes) for event in trace.span(name).events] == [
                ("exception", {"exception.type": "Unlucky"}),
                ("exception", {"exception.type": "ValueError"}),
                ("exception", {"exception.type": "KeyError"}),
            ]
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_their_texts_are_content(self, temporal_server: str) -> None:
        async with running(temporal_server, config=TracingConfig(capture_content=True)) as worker:
            handle = await worker.start("fails_with_causes")
            await handle.result()
            trace = await worker.traces.of(handle)
        attempt = trace.span("RunActivity:fails_with_causes")
        assert [event.attributes["exception.message"] for event in attempt.events] == [
            "no luck",
            "a secret was asked for",
            "'secret'",
        ]
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_one_that_is_not_tried_again(self, worker: Running) -> None:
        handle = await worker.start("gives_up", attempts=0)
        await handle.result()
        trace = await worker.traces.of(handle)
        assert (
            shown(trace, "temporal.retry_state")
            == """
StartActivity:gives_up CLIENT ERROR
  error.type: 'Hopeless'
  temporal.attempts: 1
  temporal.retry_state: 'NON_RETRYABLE_FAILURE'
  temporalActivityID: '1'
  * exception
  RunActivity:gives_up SERVER ERROR
    error.type: 'Hopeless'
    temporal.attempt: 1
    temporalActivityID: '1'
    * exception
"""
        )
        assert missing_or_other(trace, await worker.exported(handle)) == []


class TestTimeouts:
    """The server gives the attempt up, and takes nothing that comes later: history knows no ledger of it."""

    @pytest.mark.parametrize(
        ("limits", "type_"),
        [({"start_to_close": 0.5}, "START_TO_CLOSE"), ({"heartbeat": 0.5}, "HEARTBEAT")],
        ids=["start to close", "heartbeat"],
    )
    @pytest.mark.parametrize("name", ["says_nothing", "notices_nothing"])
    async def test_the_attempt_is_one_that_timed_out_however_its_code_ends(
        self, worker: Running, name: str, limits: dict[str, Any], type_: str
    ) -> None:
        handle = await worker.start(name, **limits)
        assert await handle.result() == ["TimeoutError"]
        await worker.attempt(handle, name)
        trace = await worker.traces.of(handle)
        assert (
            shown(trace)
            == f"""
StartActivity:{name} CLIENT ERROR
  error.type: 'TimeoutError'
  temporal.timeout_type: '{type_}'
  temporalActivityID: '1'
  * exception
  RunActivity:{name} SERVER ERROR
    durable.llm.calls: 1
    error.type: 'TimeoutError'
    temporal.attempt: 1
    temporalActivityID: '1'
    * exception
    chat gpt-4o CLIENT
      temporalActivityID: '1'
"""
        )
        assert (
            shown(await worker.exported(handle))
            == f"""
StartActivity:{name} CLIENT ERROR
  error.type: 'TimeoutError'
  temporal.attempts: 1
  temporal.timeout_type: '{type_}'
  temporalActivityID: '1'
  * exception
  RunActivity:{name} SERVER ERROR
    durable.unrecorded: True
    error.type: 'TimeoutError'
    temporal.attempt: 1
    temporal.timeout_type: '{type_}'
    temporalActivityID: '1'
    * exception
"""
        )


class TestCancellation:
    """It is no error."""

    CANCELED = """
StartActivity:{name} CLIENT
  error.type: 'CanceledError'
  temporalActivityID: '1'
  RunActivity:{name} SERVER
    durable.llm.calls: 1
    error.type: 'CanceledError'
    temporal.attempt: 1
    temporalActivityID: '1'
    chat gpt-4o CLIENT
      temporalActivityID: '1'
HandleSignal:cancel SERVER
"""

    @pytest.mark.parametrize("name", ["goes_on", "goes_on_on_a_thread"])
    async def test_that_the_workflow_waits_for(self, worker: Running, name: str) -> None:
        handle = await worker.start(name, cancellation="WAIT_CANCELLATION_COMPLETED", heartbeat=2)
        await worker.cancel(handle)
        assert await handle.result() == ["CancelledError"]
        trace = await worker.traces.of(handle)
        assert _without_heartbeats(shown(trace)) == self.CANCELED.format(name=name)
        # The server keeps no failure of a cancelled activity, and so no ledger.
        assert missing_or_other(trace, await worker.exported(handle)) == [("chat gpt-4o", "live", None)]

    @pytest.mark.parametrize("name", ["goes_on", "goes_on_on_a_thread"])
    async def test_that_it_does_not_wait_for(self, worker: Running, name: str) -> None:
        handle = await worker.start(name, cancellation="TRY_CANCEL", heartbeat=2)
        await worker.cancel(handle)
        assert await handle.result() == ["CancelledError"]
        await worker.attempt(handle, name)
        trace = await worker.traces.of(handle)
        assert _without_heartbeats(shown(trace)) == self.CANCELED.format(name=name)
        # The run ended first: its history does not know that there was an attempt.
        assert missing_or_other(trace, await worker.exported(handle)) == [
            (f"RunActivity:{name} 1", "live", None),
            ("chat gpt-4o", "live", None),
        ]

    @pytest.mark.parametrize("name", ["goes_on", "goes_on_on_a_thread"])
    async def test_that_the_activity_is_not_told_of(self, worker: Running, name: str) -> None:
        handle = await worker.start(name, cancellation="ABANDON", heartbeat=2)
        await worker.cancel(handle)
        assert await handle.result() == ["CancelledError"]
        await worker.attempt(handle, name)
        trace = await worker.traces.of(handle)
        # It goes on until the server says that the run is over.
        attempt = trace.span(f"RunActivity:{name}")
        assert (attempt.status.name, attempt.attributes["error.type"]) == ("UNSET", "CanceledError")


def _without_heartbeats(text: str) -> str:
    """How often it heartbeat is another number each time."""
    return "\n".join(line for line in text.splitlines() if "temporal.heartbeats" not in line) + "\n"


class TestHeartbeats:
    @pytest.mark.parametrize(("name", "count"), [("beats", 3), ("beats_on_a_thread", 2), ("answers", None)])
    async def test_are_counted(self, worker: Running, name: str, count: int | None) -> None:
        handle = await worker.start(name, heartbeat=60)
        await handle.result()
        trace = await worker.traces.of(handle)
        assert trace.span(f"RunActivity:{name}").attributes.get("temporal.heartbeats") == count
        assert missing_or_other(trace, await worker.exported(handle)) == []


class TestBuildId:
    async def test_it_is_the_one_that_history_has(self, worker: Running) -> None:
        handle = await worker.start("answers")
        await handle.result()
        trace = await worker.traces.of(handle)
        for span in (trace.span("RunWorkflow:One"), trace.span("RunActivity:answers")):
            assert span.attributes["temporal.worker.build_id"] == "build-7"
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_without_one_it_is_the_hash_of_the_code(self, temporal_server: str) -> None:
        async with running(temporal_server, build_id=None) as worker:
            handle = await worker.start("answers")
            await handle.result()
            trace = await worker.traces.of(handle)
        assert len(str(trace.span("RunActivity:answers").attributes["temporal.worker.build_id"])) == 32
        assert missing_or_other(trace, await worker.exported(handle)) == []


class TestLocalActivities:
    async def test_two_in_one_workflow_task(self, worker: Running) -> None:
        handle = await worker.start("answers", local=True, times=2)
        await handle.result()
        trace = await worker.traces.of(handle)
        assert (
            shown(trace)
            == """
StartActivity:answers CLIENT
  durable.llm.calls: 1
  temporal.attempts: 1
  temporal.local: True
  temporalActivityID: '1'
  RunActivity:answers SERVER
    durable.llm.calls: 1
    temporal.attempt: 1
    temporal.local: True
    temporalActivityID: '1'
    chat gpt-4o CLIENT
      temporalActivityID: '1'
StartActivity:answers CLIENT
  durable.llm.calls: 1
  temporal.attempts: 1
  temporal.local: True
  temporalActivityID: '2'
  RunActivity:answers SERVER
    durable.llm.calls: 1
    temporal.attempt: 1
    temporal.local: True
    temporalActivityID: '2'
    chat gpt-4o CLIENT
      temporalActivityID: '2'
"""
        )
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_retried_in_one_workflow_task_history_has_the_last_attempt(self, worker: Running) -> None:
        handle = await worker.start("fails_twice", local=True, attempts=3)
        assert await handle.result() == ["Re: cats"]
        trace = await worker.traces.of(handle)
        attempts = [span for span in trace.spans if span.name == "RunActivity:fails_twice"]
        assert [
            (span.attributes["temporal.attempt"], "temporal.queue_time" in span.attributes) for span in attempts
        ] == [
            (1, True),
            (2, False),
            (3, False),
        ]
        assert missing_or_other(trace, await worker.exported(handle)) == [
            ("RunActivity:fails_twice 1", "live", None),
            ("chat gpt-4o", "live", None),
            ("RunActivity:fails_twice 2", "live", None),
            ("chat gpt-4o", "live", None),
        ]

    async def test_backing_off_by_timers_it_is_one_step(self, worker: Running) -> None:
        handle = await worker.start("fails_twice", local=True, attempts=3, back_off_from=0.001)
        assert await handle.result() == ["Re: cats"]
        trace = await worker.traces.of(handle)
        step = trace.span("StartActivity:fails_twice")
        attempts = [span for span in trace.spans if span.name == "RunActivity:fails_twice"]
        assert [
            (span.parent_id == step.span_id, span.attributes["temporalActivityID"], span.attributes["temporal.attempt"])
            for span in attempts
        ] == [(True, "1", 1), (True, "2", 2), (True, "3", 3)]
        # Each try has a marker with its own ledger.
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_that_fails(self, worker: Running) -> None:
        handle = await worker.start("fails_with_causes", local=True)
        await handle.result()
        trace = await worker.traces.of(handle)
        assert trace.span("RunActivity:fails_with_causes").attributes["error.type"] == "Unlucky"
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_that_times_out_leaves_no_ledger(self, worker: Running) -> None:
        handle = await worker.start("says_nothing", local=True, start_to_close=0.2)
        assert await handle.result() == ["TimeoutError"]
        await worker.attempt(handle, "says_nothing")
        trace = await worker.traces.of(handle)
        attempt = trace.span("RunActivity:says_nothing")
        assert (attempt.status.name, attempt.attributes["error.type"]) == ("ERROR", "TimeoutError")
        assert missing_or_other(trace, await worker.exported(handle)) == [
            ("RunActivity:says_nothing 1", "live", None),
            ("chat gpt-4o", "live", None),
        ]

    @pytest.mark.parametrize(
        ("cancellation", "in_history"),
        [("WAIT_CANCELLATION_COMPLETED", True), ("TRY_CANCEL", False), ("ABANDON", False)],
    )
    async def test_that_is_cancelled(self, worker: Running, cancellation: str, *, in_history: bool) -> None:
        handle = await worker.start("goes_on", local=True, cancellation=cancellation, cancel=True)
        assert await handle.result() == ["CancelledError"]
        await worker.attempt(handle, "goes_on")
        trace = await worker.traces.of(handle)
        attempt = trace.span("RunActivity:goes_on")
        assert (attempt.status.name, attempt.attributes["error.type"]) == ("UNSET", "CanceledError")
        differences = missing_or_other(trace, await worker.exported(handle))
        assert differences == (
            [] if in_history else [("RunActivity:goes_on 1", "live", None), ("chat gpt-4o", "live", None)]
        )


class TestAsynchronousCompletion:
    @staticmethod
    async def hand_over(worker: Running, **asked: Any) -> tuple[WorkflowHandle[One, list[str]], bytes]:
        handle = await worker.start("hands_over", **asked)
        await gates[f"{handle.id}/at work"].opened()
        return handle, handed_over[handle.id]

    async def test_by_task_token(self, worker: Running) -> None:
        handle, token = await self.hand_over(worker)
        await worker.client.get_async_activity_handle(task_token=token).complete("later")
        assert await handle.result() == ["later"]
        trace = await worker.traces.of(handle)
        assert (
            shown(trace)
            == """
StartActivity:hands_over CLIENT
  durable.llm.calls: 1
  temporal.attempts: 1
  temporalActivityID: '1'
  RunActivity:hands_over SERVER
    durable.llm.calls: 1
    temporal.attempt: 1
    temporalActivityID: '1'
    chat gpt-4o CLIENT
      temporalActivityID: '1'
"""
        )
        assert missing_or_other(trace, await worker.exported(handle)) == []
        assert len(open_attempts) == 0

    @pytest.mark.parametrize("named", [True, False], ids=["with the run ID", "of the latest run"])
    async def test_by_ids_without_a_result(self, worker: Running, *, named: bool) -> None:
        handle, _ = await self.hand_over(worker)
        run_id = handle.first_execution_run_id if named else None
        await worker.client.get_async_activity_handle(workflow_id=handle.id, run_id=run_id, activity_id="1").complete()
        assert await handle.result() == ["None"]
        trace = await worker.traces.of(handle)
        assert trace.span("RunActivity:hands_over").attributes["durable.llm.calls"] == 1
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_a_failure(self, worker: Running) -> None:
        handle, token = await self.hand_over(worker)
        await worker.client.get_async_activity_handle(task_token=token).fail(ValueError("boom"))
        assert await handle.result() == ["ApplicationError"]
        trace = await worker.traces.of(handle)
        attempt = trace.span("RunActivity:hands_over")
        assert (attempt.status.name, attempt.attributes["error.type"]) == ("ERROR", "ValueError")
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_a_cancellation(self, worker: Running) -> None:
        handle, token = await self.hand_over(worker, cancellation="WAIT_CANCELLATION_COMPLETED")
        await handle.signal(One.cancel)
        await _until(handle, EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED)
        await worker.client.get_async_activity_handle(task_token=token).report_cancellation("why not")
        assert await handle.result() == ["CancelledError"]
        trace = await worker.traces.of(handle)
        attempt = trace.span("RunActivity:hands_over")
        assert (attempt.status.name, attempt.attributes["error.type"]) == ("UNSET", "CanceledError")
        assert missing_or_other(trace, await worker.exported(handle)) == [("chat gpt-4o", "live", None)]

    async def test_that_the_server_refuses_leaves_the_attempt_open(self, worker: Running) -> None:
        handle, token = await self.hand_over(worker, cancellation="WAIT_CANCELLATION_COMPLETED")
        completion = worker.client.get_async_activity_handle(task_token=token)
        with pytest.raises(RPCError, match="without activity being request canceled first"):
            await completion.report_cancellation()
        assert len(open_attempts) == 1
        await completion.complete("later")
        assert await handle.result() == ["later"]
        trace = await worker.traces.of(handle)
        assert trace.span("RunActivity:hands_over").attributes["durable.llm.calls"] == 1
        assert len(open_attempts) == 0

    async def test_by_a_client_without_the_plugin_history_alone_tells_of_it(
        self, worker: Running, temporal_server: str
    ) -> None:
        handle, token = await self.hand_over(worker)
        other = await Client.connect(temporal_server)
        await other.get_async_activity_handle(task_token=token).complete("later")
        assert await handle.result() == ["later"]
        trace = await worker.traces.of(handle)
        assert "RunActivity:hands_over" not in {span.name for span in trace.spans}
        assert (
            shown(await worker.exported(handle))
            == """
StartActivity:hands_over CLIENT
  temporal.attempts: 1
  temporalActivityID: '1'
  RunActivity:hands_over SERVER
    durable.unrecorded: True
    temporal.attempt: 1
    temporalActivityID: '1'
"""
        )
        open_attempts.take(token)


async def _until(handle: WorkflowHandle[Any, Any], event_type: EventType.ValueType) -> None:
    deadline = time.monotonic() + SECONDS
    while all(event.event_type != event_type for event in (await handle.fetch_history()).events):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


class TestProcessPool:
    """What happens in another process is in the ledger, and live, as if it had happened here."""

    @pytest.fixture
    def processes(self) -> Iterator[dict[str, Any]]:
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool, context.Manager() as manager:
            yield {
                "activities": POOLED,
                "activity_executor": pool,
                "shared_state_manager": SharedStateManager.create_from_multiprocessing(manager),
                "max_concurrent_activities": 1,
            }

    async def test_a_model_call_and_a_tool(self, temporal_server: str, processes: dict[str, Any]) -> None:
        async with running(temporal_server, **processes) as worker:
            handle = await worker.start("in_another_process")
            assert await handle.result() == ["Re: cats"]
            trace = await worker.traces.of(handle)
        assert (
            shown(trace, "gen_ai.usage.input_tokens")
            == """
StartActivity:in_another_process CLIENT
  durable.llm.calls: 1
  temporal.attempts: 1
  temporalActivityID: '1'
  RunActivity:in_another_process SERVER
    durable.llm.calls: 1
    temporal.attempt: 1
    temporal.heartbeats: 1
    temporalActivityID: '1'
    chat gpt-4o CLIENT
      gen_ai.usage.input_tokens: 101
      temporalActivityID: '1'
    execute_tool search INTERNAL
      temporalActivityID: '1'
"""
        )
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_content(self, temporal_server: str, processes: dict[str, Any]) -> None:
        async with running(temporal_server, config=TracingConfig(capture_content=True), **processes) as worker:
            handle = await worker.start("in_another_process")
            await handle.result()
            trace = await worker.traces.of(handle)
        assert trace.span("execute_tool search").attributes["input.value"] == '{"query":"cats"}'
        assert trace.span("chat gpt-4o").attributes["output.value"] == '{"role":"assistant","content":"Re: cats"}'
        assert missing_or_other(trace, await worker.exported(handle)) == []

    async def test_a_failure(self, temporal_server: str, processes: dict[str, Any]) -> None:
        async with running(temporal_server, **processes) as worker:
            handle = await worker.start("fails_in_another_process")
            assert await handle.result() == ["ApplicationError"]
            trace = await worker.traces.of(handle)
        attempt = trace.span("RunActivity:fails_in_another_process")
        assert (attempt.attributes["error.type"], attempt.attributes["durable.llm.calls"]) == ("OddError", 1)
        assert missing_or_other(trace, await worker.exported(handle)) == []

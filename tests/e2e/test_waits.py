"""Waits for persons on a real server: their ends as live spans and histories tell them, both the same."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from tests.e2e.live import OFF
from tests.e2e.parity import assert_same, exported_chain
from tests.e2e.wait_workflows import Waiting, look_up
from tests.rendering import render
from tracing import conventions as c
from tracing import session
from tracing.cost.waits import person_waits
from tracing.testing import Traces, capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

Run = WorkflowHandle[Any, Any]


class Desk:
    """What a test works with."""

    def __init__(self, client: Client, traces: Traces) -> None:
        self.client, self.traces, self.queue = client, traces, f"waits-{uuid.uuid4()}"

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """A worker, stopped gracefully."""
        async with Worker(
            self.client,
            task_queue=self.queue,
            workflows=[Waiting],
            activities=[look_up],
            workflow_failure_exception_types=[Exception],
        ):
            yield

    async def start(self, way: str) -> Run:
        """Start a run."""
        return await self.client.start_workflow(Waiting.run, way, id=self.queue, task_queue=self.queue)

    async def waits(self, run: Run, times: int = 1) -> None:
        """Return once a run has set so many timers."""
        await self.happens(run, "timer_started_event_attributes", times)

    async def happens(self, run: Run, event: str, times: int = 1) -> None:
        """Return once the history has so many events of a type."""
        field: Any = event
        async for found in run.fetch_history_events(wait_new_event=True):
            times -= found.HasField(field)
            if not times:
                return

    async def exported(self, run: Run) -> list[Span]:
        """The spans of a run's chain, by its histories."""
        return await exported_chain(self.client, OFF, run.id, run.first_execution_run_id)

    async def agreed(self, run: Run) -> str:
        """The waits of a run that has ended, the same of both readers."""
        live = (await self.traces.of(str(run.first_execution_run_id))).spans
        assert_same(live, await self.exported(run))
        return waits_of(live)


def waits_of(spans: Iterable[Span]) -> str:
    """A run with its waits and messages."""
    shown = [span for span in spans if span.name.startswith((c.TIMER, "RunWorkflow:", "Handle"))]
    keys = (c.WAIT_OUTCOME, c.WAIT_ANSWERS, c.WAIT_ANSWERED_BY, c.TIMER_ID)
    names = {f"trace {span.trace_id:032x} span {span.span_id:016x}": span.name for span in shown}
    return f"\n{render(shown, only=keys, hide=(), times=False, names=names)}\n"


@pytest.fixture
async def desk(temporal_server: str) -> AsyncIterator[Desk]:
    """A client with the plugin; no worker yet."""
    with capture(OFF) as traces:
        yield Desk(await Client.connect(temporal_server, plugins=[traces.plugin], identity="desk"), traces)


CANCELLED = """
RunWorkflow:Waiting SERVER
  Timer INTERNAL
    temporal.timer.id: '1'
    temporal.wait.outcome: 'canceled'
"""


async def test_its_code_cancels_the_waiting_task(desk: Desk) -> None:
    async with desk.worker():
        run = await desk.start("cancelled")
        assert await run.result() == "cancelled"
    assert await desk.agreed(run) == CANCELLED


async def test_its_code_leaves_the_scope_in_which_it_waits(desk: Desk) -> None:
    async with desk.worker():
        run = await desk.start("left")
        assert await run.result() == "left"
    timers = [span for span in await desk.exported(run) if c.WAIT_FOR in span.attributes]
    assert [span.attributes[c.WAIT_OUTCOME] for span in timers] == ["canceled"]
    assert "answered" not in await desk.agreed(run)


TWO = """
RunWorkflow:Waiting SERVER
  Timer INTERNAL
    temporal.timer.id: '1'
    temporal.wait.answered_by: ('ada',)
    temporal.wait.answers: ('HandleSignal:say',)
    temporal.wait.outcome: 'answered'
    -> HandleSignal:say
  Timer INTERNAL
    temporal.timer.id: '2'
    temporal.wait.answered_by: ('grace',)
    temporal.wait.answers: ('HandleUpdate:decide',)
    temporal.wait.outcome: 'answered'
    -> HandleUpdate:decide
  HandleUpdate:decide SERVER
  HandleSignal:say SERVER
"""


async def test_two_go_on_and_one_is_answered_by_a_handler_that_looks_somebody_up(desk: Desk) -> None:
    async with desk.worker():
        run = await desk.start("two")
        await desk.waits(run, 2)
        with session(user="grace"):
            await run.execute_update(Waiting.decide, args=["budget", "grace"])
        with session(user="ada"):
            await run.signal(Waiting.say, args=["approval", "ada"])
        assert await run.result() == "Dr ada"
    assert await desk.agreed(run) == TWO


async def test_an_answer_comes_while_no_worker_is_there_and_the_timer_fires_too(desk: Desk) -> None:
    async with desk.worker():
        run = await desk.start("last moment")
        await desk.waits(run)
    await run.signal(Waiting.tell, args=["approval", "ada"])
    await desk.happens(run, "timer_fired_event_attributes")
    async with desk.worker():
        assert await run.result() == "ada"
    live = (await desk.traces.of(str(run.first_execution_run_id))).spans
    outcomes = [
        [(span.attributes.get(c.WAIT_OUTCOME), span.attributes[c.WAIT_ANSWERED_BY]) for span in spans if _waits(span)]
        for spans in (live, await desk.exported(run))
    ]
    assert outcomes == [[("answered", ("desk",))], [(None, ("desk",))]]


ENDED_WITH_ITS_RUN = """
RunWorkflow:Waiting SERVER ERROR
  * exception
  Timer INTERNAL
    temporal.timer.id: '1'
"""


async def test_the_run_is_terminated_while_it_waits(desk: Desk) -> None:
    async with desk.worker():
        run = await desk.start("approval")
        await desk.waits(run)
        await run.terminate("enough")
    spans = await desk.exported(run)
    assert waits_of(spans) == ENDED_WITH_ITS_RUN
    assert [wait.ending for wait in person_waits(spans)] == ["not answered when the run ended"]


CONTINUED = """
RunWorkflow:Waiting SERVER
  Timer INTERNAL
    temporal.timer.id: '1'
  HandleUpdate:decide SERVER
"""


async def test_the_run_continues_as_new_while_it_waits(desk: Desk) -> None:
    async with desk.worker():
        run = await desk.start("continued")
        await desk.waits(run)
        await run.execute_update(Waiting.decide, args=["budget", "grace"])
        assert await run.result() == "cancelled"
    first = (await desk.traces.of(str(run.first_execution_run_id))).spans
    trace = {span.trace_id for span in first}
    exported = [span for span in await desk.exported(run) if span.trace_id in trace]
    assert_same(first, exported)
    assert waits_of(first) == CONTINUED


def _waits(span: Span) -> bool:
    return c.WAIT_FOR in span.attributes

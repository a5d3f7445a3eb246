"""The approval gate: who may decide, on what; a worker that dies while it waits; days without an answer."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.testservice.v1 import LockTimeSkippingRequest, SleepRequest, UnlockTimeSkippingRequest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from agent.approval.payloads import Decision, GateRequest, GateResult, GateStatus, Review
from agent.approval.worker import build_worker
from agent.approval.workflow import ApprovalGateWorkflow
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from agent.servers.locate import ServerNotFoundError
from agent.servers.process import SupervisedProcess
from agent.servers.time_skipping import find_time_skipping, start_time_skipping
from tests.decoding.codecs import Turning
from tests.e2e.conftest import hermetic
from tests.e2e.live import OFF, ON, written
from tests.e2e.parity import assert_same
from tracing import conventions as c
from tracing import session
from tracing.cli import run as command
from tracing.decoding import Decoder
from tracing.history import History, fetch, read, to_spans
from tracing.replay import replay
from tracing.testing import Traces, capture
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from pathlib import Path

    from tracing.spans.model import Span

    Run = WorkflowHandle[ApprovalGateWorkflow, GateResult]

pytestmark = pytest.mark.e2e

QUESTION = "Green tea"
DRAFT = """\
An introduction defines the terms of “Green tea”. [1]
One team reports a year of work on “Green tea”. [2]
Forty teams were asked about “Green tea”. [3]
A glossary lists the words of “Green tea”. [4]"""
ADA, GRACE = Review("ada", "Well sourced."), Review("grace", "Too thin.")
NOBODY = Review(" ")
APPROVED = Decision(ADA, approved=True)


@dataclass
class Gate:
    """What a test works with.

    Attributes:
        client: Starts runs, decides, and makes workers.
        traces: What the worker's plugin made.
        models: Counts and steers the model server.
        task_queue: The task queue of the test.
    """

    client: Client
    traces: Traces
    models: ControlClient
    task_queue: str

    async def start(self, request: GateRequest | None = None) -> Run:
        """Start a run."""
        return await self.client.start_workflow(
            ApprovalGateWorkflow.run,
            request or GateRequest(QUESTION),
            id=f"approval-{uuid.uuid4()}",
            task_queue=self.task_queue,
        )

    async def trace(self, run: Run) -> tuple[Span, ...]:
        """The spans of a run that has ended, as they came."""
        return (await self.traces.of(str(run.first_execution_run_id))).spans


@pytest.fixture(autouse=True)
async def models(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ControlClient]:
    """The model and search servers that the activities ask; what counts and steers the first."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("APPROVAL_WEBHOOK", raising=False)
    async with model_server() as model, search_server() as search:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("SEARCH_BASE_URL", search.url)
        yield ControlClient(model.control)


@pytest.fixture
async def gate(temporal_server: str, models: ControlClient) -> AsyncIterator[Gate]:
    """No worker yet, on a real server."""
    with capture(OFF) as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin], identity="desk")
        yield Gate(client, traces, models, f"approval-{uuid.uuid4()}")


async def reached(run: Run, event: str, times: int = 1) -> None:
    """Return once the history has so many events of a type. (The test server answers no question for new events.)"""
    field: Any = event
    while sum(found.HasField(field) for found in (await run.fetch_history()).events) < times:  # noqa: ASYNC110 - it is the server's
        await asyncio.sleep(0.05)


async def waits(run: Run, times: int = 1) -> None:
    """Return once the run waits for a person, for the nth time."""
    await reached(run, "timer_started_event_attributes", times)


async def refused(run: Run, decision: Decision) -> str:
    """Why an update is refused."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await run.execute_update(ApprovalGateWorkflow.decide, decision)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.message


async def exported(run: Run) -> list[Span]:
    """The spans of the run's history, which has gone through its JSON."""
    [history] = read((await run.fetch_history(), str(run.first_execution_run_id)))
    assert isinstance(history, History)
    return to_spans(history, OFF)


UPDATED = """
RunWorkflow:ApprovalGateWorkflow SERVER
  StartActivity:search_web CLIENT
    RunActivity:search_web SERVER
  StartActivity:call_llm CLIENT
    RunActivity:call_llm SERVER
  HandleUpdate:decide SERVER ERROR
    * exception
  StartActivity:notify CLIENT
    RunActivity:notify SERVER
  Timer INTERNAL
    temporal.wait.answered_by: ('ada',)
    temporal.wait.answers: ('HandleUpdate:decide',)
    temporal.wait.for: 'person'
    temporal.wait.outcome: 'answered'
    -> HandleUpdate:decide
  HandleUpdate:decide SERVER ERROR
    * exception
  HandleUpdate:decide SERVER
  StartActivity:generate_report CLIENT
    RunActivity:generate_report SERVER
"""


async def test_an_update_decides_and_what_cannot_count_is_refused(gate: Gate) -> None:
    await gate.models.arm(Fault(kind="hold"))
    async with build_worker(gate.client, task_queue=gate.task_queue):
        run = await gate.start()
        await gate.models.wait(1, step="Synthesis 1 of 1", state="received")
        assert await refused(run, APPROVED) == "There is no draft yet to decide on."
        await gate.models.release()
        await waits(run)
        assert await run.query(ApprovalGateWorkflow.status) == GateStatus("waiting", "reviewer", DRAFT, None)
        assert await refused(run, Decision(NOBODY, approved=True)) == "A decision needs the name of its reviewer."
        with session(user="ada"):
            told = await run.execute_update(ApprovalGateWorkflow.decide, APPROVED)
        assert told == GateStatus("waiting", "reviewer", DRAFT, APPROVED)
        result = await run.result()
        assert await run.query(ApprovalGateWorkflow.status) == GateStatus("approved", None, DRAFT, APPROVED)

    assert (result.outcome, result.decision) == ("approved", APPROVED)
    assert (result.report or "").startswith(f"# Green tea\n\n{DRAFT}\n\n## Green tea\n")
    live, from_history = await gate.trace(run), await exported(run)
    assert_same(live, from_history, only_live={"HandleUpdate:decide": 2, "HandleQuery:status": 2})
    assert tree(live) == UPDATED


async def test_of_two_updates_that_come_together_the_first_counts(gate: Gate) -> None:
    run = await gate.start()
    async with build_worker(gate.client, task_queue=gate.task_queue):
        await waits(run)
    # Nobody polls: both are there when the next worker comes.
    decisions = [
        asyncio.ensure_future(run.execute_update(ApprovalGateWorkflow.decide, decision, id=f"decision-{number}"))
        for number, decision in enumerate((APPROVED, Decision(GRACE, approved=False)))
    ]
    async with build_worker(gate.client, task_queue=gate.task_queue):
        first, second = await asyncio.gather(*decisions, return_exceptions=True)
        result = await run.result()

    assert {isinstance(first, GateStatus), isinstance(second, GateStatus)} == {True, False}
    [said] = [error.cause for error in (first, second) if isinstance(error, WorkflowUpdateFailedError)]
    assert result.decision is not None
    assert str(said) == f"Undecidable: {result.decision.review.reviewer} has decided already."


async def test_a_signal_rejects_and_signals_that_cannot_count_are_ignored(gate: Gate) -> None:
    async with build_worker(gate.client, task_queue=gate.task_queue):
        run = await gate.start()
        await waits(run)
        await run.signal(ApprovalGateWorkflow.approve, NOBODY)
        await reached(run, "workflow_execution_signaled_event_attributes")
        await run.query(ApprovalGateWorkflow.status)  # answered once the signal has been handled
        await run.signal(ApprovalGateWorkflow.reject, GRACE)
        result = await run.result()

    assert result == GateResult("rejected", None, Decision(GRACE, approved=False))
    assert await gate.models.requests_per_step() == {"Synthesis 1 of 1": 1}
    live, from_history = await gate.trace(run), await exported(run)
    assert_same(live, from_history, only_live={"HandleQuery:status": 1})
    [timer] = [span for span in live if span.name == c.TIMER]
    assert (timer.attributes[c.WAIT_ANSWERS], timer.attributes[c.WAIT_ANSWERED_BY]) == (
        ("HandleSignal:reject",),
        ("desk",),
    )


async def test_a_worker_is_killed_while_it_waits_and_another_gets_the_answer(
    gate: Gate, temporal_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from agent.approval.workflow import TASK_QUEUE  # noqa: PLC0415 - the command polls the agent's own queue

    gate.task_queue = TASK_QUEUE
    worker = SupervisedProcess(
        "worker-1",
        [sys.executable, "-m", "agent.approval.worker", "--identity", "worker-1"],
        log=tmp_path / "worker-1.log",
        environ={**hermetic(), "TEMPORAL_ADDRESS": temporal_server, "OTEL_TRACES_EXPORTER": "none"},
    )
    with worker:
        run = await gate.start()
        await waits(run)
        described = await run.describe()
        assert not described.raw_description.pending_activities
        assert not described.raw_description.HasField("pending_workflow_task")  # nothing of it is anywhere at work
        worker.kill()
    await run.signal(ApprovalGateWorkflow.approve, ADA)
    async with build_worker(gate.client, task_queue=gate.task_queue, identity="worker-2"):
        result = await run.result()

    assert (result.outcome, result.decision) == ("approved", APPROVED)
    # Each paid once: the second worker read their results from the history.
    assert await gate.models.requests_per_step() == {"Synthesis 1 of 1": 1}
    live, from_history = await gate.trace(run), await exported(run)
    lost = {f"{kind}:{name}": 1 for kind in ("StartActivity", "RunActivity") for name in ("search_web", "notify")}
    assert_same(
        live,
        from_history,
        only_exported={**lost, "StartActivity:call_llm": 1, "RunActivity:call_llm": 1, "chat gpt-4o": 1},
    )
    [wait] = [span for span in live if span.name == c.TIMER]
    assert (wait.attributes[c.WAIT_OUTCOME], wait.attributes[c.WAIT_ANSWERED_BY]) == ("answered", ("desk",))
    assert (await replay(await run.fetch_history(), [ApprovalGateWorkflow])).outcome == "reproduced"

    assert command(["cost", str(write_trace(tmp_path, "run", from_history)), "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)["runs"]
    [waited] = told["person_waits"]
    assert (waited["outcome"], waited["answered_by"]) == ("answered", ["desk"])
    assert 0 < told["person_wait_s"] == waited["duration_s"] < told["duration_s"]


async def test_where_a_codec_encrypts_summaries_an_export_needs_it_to_know_that_a_person_was_waited_for(
    temporal_server: str, models: ControlClient
) -> None:
    encrypted = dataclasses.replace(DataConverter.default, payload_codec=Turning())
    with capture(OFF) as traces:
        client = await Client.connect(
            temporal_server, plugins=[traces.plugin], identity="desk", data_converter=encrypted
        )
        gate = Gate(client, traces, models, f"approval-{uuid.uuid4()}")
        async with build_worker(client, task_queue=gate.task_queue):
            run = await gate.start()
            await waits(run)
            await run.signal(ApprovalGateWorkflow.reject, GRACE)
            await run.result()
    [live] = [told(span) for span in await gate.trace(run) if span.name == c.TIMER]
    history = await fetch(client, run.id, run.first_execution_run_id)
    with Decoder(encrypted) as decoder:
        decoded = decoder.decode(history)

    assert [told(span) for span in to_spans(decoded, OFF) if span.name == c.TIMER] == [live]
    assert live == {
        "for": "person",
        "outcome": "answered",
        "answers": ("HandleSignal:reject",),
        "answered_by": ("desk",),
    }
    assert [told(span) for span in to_spans(history, OFF) if span.name == c.TIMER] == [{}]


def told(span: Span) -> dict[str, object]:
    """What a span tells of a wait."""
    return {key.rpartition(".")[2]: span.attributes[key] for key in c.WAIT_KEYS if key in span.attributes}


@pytest.fixture(scope="module")
def skipping_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of Temporal's test server, in which a day passes at once."""
    try:
        find_time_skipping()
    except ServerNotFoundError as error:
        pytest.skip(str(error))
    with start_time_skipping(tmp_path_factory.mktemp("time-skipping"), environ=hermetic()) as server:
        yield server.address


@dataclass
class Clock:
    """The test server's clock. It stands as it is, and goes as any clock does, unless time is skipped."""

    client: Client

    async def skip(self, time: timedelta) -> None:
        """Let time pass at once."""
        request = SleepRequest()
        request.duration.FromTimedelta(time)
        await self.client.service_client.test_service.unlock_time_skipping_with_sleep(request)

    async def stand(self) -> None:
        """Skip no time."""
        await self.client.service_client.test_service.lock_time_skipping(LockTimeSkippingRequest())

    @asynccontextmanager
    async def running_on(self) -> AsyncIterator[None]:
        """Skip all time in which nothing is done."""
        await self.client.service_client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
        yield
        await self.stand()


@pytest.fixture
async def skipping(skipping_server: str, models: ControlClient) -> AsyncIterator[tuple[Gate, Clock]]:
    """A worker on the test server, and the server's clock."""
    with capture(ON) as traces:
        client = await Client.connect(skipping_server, plugins=[traces.plugin], identity="desk")
        gate, clock = Gate(client, traces, models, f"approval-{uuid.uuid4()}"), Clock(client)
        await clock.stand()
        async with build_worker(client, task_queue=gate.task_queue):
            yield gate, clock
        await client.service_client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())


ESCALATED = """
RunWorkflow:ApprovalGateWorkflow SERVER
  StartActivity:search_web CLIENT
    RunActivity:search_web SERVER
  StartActivity:call_llm CLIENT
    RunActivity:call_llm SERVER
  StartActivity:notify CLIENT
    RunActivity:notify SERVER
  Timer INTERNAL
    temporal.summary: 'Waiting for a person: approval of the draft'
    temporal.wait.for: 'person'
    temporal.wait.outcome: 'timed_out'
  StartActivity:notify CLIENT
    RunActivity:notify SERVER
  Timer INTERNAL
    temporal.summary: 'Waiting for a person: decision after escalation'
    temporal.wait.answered_by: ('desk',)
    temporal.wait.answers: ('HandleSignal:approve',)
    temporal.wait.for: 'person'
    temporal.wait.outcome: 'answered'
    -> HandleSignal:approve
  HandleSignal:approve SERVER
  StartActivity:generate_report CLIENT
    RunActivity:generate_report SERVER
"""


async def test_after_a_day_without_an_answer_somebody_else_is_asked(skipping: tuple[Gate, Clock]) -> None:
    gate, clock = skipping
    run = await gate.start()
    await waits(run)
    await clock.skip(timedelta(hours=24))
    await waits(run, times=2)
    status = await run.query(ApprovalGateWorkflow.status)
    await run.signal(ApprovalGateWorkflow.approve, ADA)
    result = await run.result()
    from_history = await exported_with_content(run)

    assert status == GateStatus("escalated", "escalation contact", DRAFT, None)
    assert (result.outcome, result.decision) == ("approved", APPROVED)
    live = await gate.trace(run)
    assert_told_alike(live, from_history)
    assert tree(live) == ESCALATED
    assert notified(live) == ["reviewer", "escalation contact"]


async def test_where_nobody_answers_at_all_the_draft_is_rejected(
    skipping: tuple[Gate, Clock], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate, clock = skipping
    run = await gate.start()
    await waits(run)
    async with clock.running_on():
        result = await run.result()
    from_history = await exported_with_content(run)

    assert result == GateResult("timed_out", None, None)
    assert_told_alike(await gate.trace(run), from_history)
    assert command(["cost", str(write_trace(tmp_path, "run", from_history))]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    begin = lines.index("Waited for persons: 2.0 d of 2.0 d")
    assert lines[begin : begin + 3] == [
        "Waited for persons: 2.0 d of 2.0 d",
        "1.0 d: nobody answered in time · approval of the draft",
        "1.0 d: nobody answered in time · decision after escalation",
    ]


async def exported_with_content(run: Run) -> list[Span]:
    """The spans of the run's history, content shown."""
    [history] = read((await run.fetch_history(), str(run.first_execution_run_id)))
    assert isinstance(history, History)
    return to_spans(history, ON)


def assert_told_alike(live: Iterable[Span], from_history: Iterable[Span]) -> None:
    """Both readers tell of the same steps, and the same of waits. (The test server has other facts of activities.)"""
    first, second = (
        {
            (span.span_id, span.name): (span.start, span.attributes | {c.EVENT_IDS: ""}, span.links)
            if span.name == c.TIMER
            else None
            for span in spans
            if not span.name.startswith("HandleQuery")
        }
        for spans in (live, from_history)
    )
    assert first == second


def notified(spans: tuple[Span, ...]) -> list[str]:
    """Who was told that a draft waits."""
    given: list[Any] = [
        json.loads(str(span.attributes[c.INPUT_VALUE])) for span in spans if span.name == "StartActivity:notify"
    ]
    return [notice["to"] for notice in given]


def tree(spans: tuple[Span, ...]) -> str:
    """A trace without model calls and queries, with what it says of waits."""
    names = {f"trace {span.trace_id:032x} span {span.span_id:016x}": span.name for span in spans}
    shown = [span for span in spans if not span.name.startswith(("chat ", "HandleQuery"))]
    text = written(shown, c.SUMMARY, *c.WAIT_KEYS)
    for link, name in names.items():
        text = text.replace(link, name)
    return "\n".join(line for line in text.split("\n") if line.strip() != "temporal.summary: 'Synthesis 1 of 1'")

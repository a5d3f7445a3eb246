"""What users trace, count and log in workflow code: once each, below the run's span, whatever is replayed."""

from __future__ import annotations

import concurrent.futures
import contextlib
import gc
import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.opentelemetry import (
    ReplaySafeLoggerProvider,
    ReplaySafeMeterProvider,
    create_tracer_provider,
)
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from tests.e2e.company_workflows import COMPANY_ACTIVITIES, COMPANY_WORKFLOWS, Held, Logging, Planned
from tracing import TracingPlugin
from tracing.identity import run_span_id, run_trace_id
from tracing.live.workflows.replay_safe import sdk_provider
from tracing.testing import Trace, Traces, capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from opentelemetry.sdk.trace.sampling import Sampler

pytestmark = pytest.mark.e2e

QUEUE = "company"

PLANNED = """
RunWorkflow:Planned SERVER
  plan INTERNAL
  StartActivity:classify CLIENT
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
  Timer INTERNAL
  HandleSignal:note SERVER
  take note INTERNAL
  wrap up INTERNAL
"""

HELD = """
RunWorkflow:Held SERVER
  hold INTERNAL
  HandleSignal:look SERVER
  look INTERNAL
  HandleUpdate:held SERVER
  HandleSignal:release SERVER
"""


@dataclass
class Telemetry:
    """The application's own telemetry, as `configure()` sets it up, in memory."""

    traces: Traces
    metrics: InMemoryMetricReader
    logs: InMemoryLogRecordExporter

    def counted(self) -> int:
        """How often the workflow's code counted."""
        data = self.metrics.get_metrics_data()
        points = [
            point.value
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
            if metric.name == "plans"
        ]
        return sum(points)


@contextlib.contextmanager
def telemetry(monkeypatch: pytest.MonkeyPatch, sampler: Sampler | None = None) -> Iterator[Telemetry]:
    """Set OpenTelemetry's global providers, which can be set once in a process, for one test."""
    provider = create_tracer_provider(sampler=sampler, shutdown_on_exit=False)
    reader, exporter = InMemoryMetricReader(), InMemoryLogRecordExporter()
    logger_provider = LoggerProvider(shutdown_on_exit=False)
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    meter_provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", ReplaySafeMeterProvider(meter_provider))
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", ReplaySafeLoggerProvider(logger_provider))
    inner = sdk_provider(provider)
    with capture(provider=inner) as traces:
        yield Telemetry(traces, reader, exporter)


@contextlib.asynccontextmanager
async def worker(address: str, plugin: TracingPlugin, **options: Any) -> AsyncIterator[Client]:
    """Run a worker of the workflows; it has stopped gracefully when the block ends."""
    client = await Client.connect(address, plugins=[plugin])
    with concurrent.futures.ThreadPoolExecutor() as threads:
        async with Worker(
            client,
            task_queue=QUEUE,
            workflows=COMPANY_WORKFLOWS,
            activities=COMPANY_ACTIVITIES,
            activity_executor=threads,
            **options,
        ):
            yield client


async def start(client: Client, workflow: Any, *args: Any) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(workflow, args=args, id=f"run-{uuid.uuid4()}", task_queue=QUEUE)


async def planned(client: Client, traces: Traces) -> Trace:
    """Run `Planned` with a signal."""
    handle = await start(client, Planned.run, "cats")
    await handle.signal(Planned.note, "hurry")
    assert await handle.result() == "Re: cats; ['hurry']"
    return await traces.of(handle)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="cached"),
        pytest.param({"max_cached_workflows": 0}, id="replayed for each task"),
        pytest.param({"workflow_runner": UnsandboxedWorkflowRunner()}, id="no sandbox"),
    ],
)
async def test_it_is_there_once_below_the_run(
    options: dict[str, Any], temporal_server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temporalio.workflow")
    with telemetry(monkeypatch) as own:
        async with worker(temporal_server, own.traces.plugin, **options) as client:
            trace_ = await planned(client, own.traces)
        plan, wrap_up, root = trace_.span("plan"), trace_.span("wrap up"), trace_.span("RunWorkflow:Planned")
        assert sorted(f"\n{trace_}\n".split("\n")) == sorted(PLANNED.split("\n"))
        assert {span.parent_id for span in trace_.spans if span.scope == "app"} == {root.span_id}
        # Each in the user's own span, once.
        assert own.counted() == 1
        [said] = own.logs.get_finished_logs()
        assert (said.log_record.trace_id, said.log_record.span_id) == (root.trace_id, plan.span_id)
    lines = [r for r in caplog.records if r.name == "temporalio.workflow"]
    assert [(r.getMessage().partition(" (")[0], r.trace_id, r.span_id) for r in lines] == [
        ("planning cats", f"{root.trace_id:032x}", f"{plan.span_id:016x}"),
        ("done", f"{root.trace_id:032x}", f"{wrap_up.span_id:016x}"),
    ]


async def test_a_second_worker_that_replays_the_first_ones_part_repeats_nothing(
    temporal_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with telemetry(monkeypatch) as own:
        async with worker(temporal_server, own.traces.plugin) as client:
            handle = await start(client, Planned.run, "cats")
            asked = await handle.execute_update(Planned.ask, "why?")
            await handle.query(Planned.notes)
        first = {span.name for span in own.traces.spans if span.scope == "app"}
        async with worker(temporal_server, TracingPlugin(tracer_provider=own.traces.provider)) as client:
            await handle.signal(Planned.note, "hurry")
            await handle.result()
            trace_ = await own.traces.of(handle)
    assert (asked, "answer" in first, "wrap up" in first) == ("WHY?", True, False)
    assert sorted(span.name for span in trace_.spans if span.scope == "app") == [
        "answer",
        "plan",
        "take note",
        "wrap up",
    ]
    assert own.counted() == 1


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="sandbox"),
        pytest.param({"workflow_runner": UnsandboxedWorkflowRunner()}, id="no sandbox"),
    ],
)
async def test_spans_that_are_open_when_a_worker_stops_are_told_by_the_one_that_ends_them(
    options: dict[str, Any], temporal_server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with telemetry(monkeypatch) as own:
        async with worker(temporal_server, own.traces.plugin, **options) as client:
            handle = await start(client, Held.run)
            await handle.signal(Held.look)
            assert await handle.execute_update(Held.held)
        gc.collect()  # what is left of the run's code would end now, with its spans
        assert [span.name for span in own.traces.spans if span.scope == "app"] == []
        async with worker(temporal_server, TracingPlugin(tracer_provider=own.traces.provider), **options) as client:
            await handle.signal(Held.release)
            await handle.result()
            trace_ = await own.traces.of(handle)
    assert sorted(f"\n{trace_}\n".split("\n")) == sorted(HELD.split("\n"))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_queries_see_the_runs_span(temporal_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with telemetry(monkeypatch) as own:
        async with worker(temporal_server, own.traces.plugin) as client:
            handle = await start(client, Planned.run, "cats")
            await handle.signal(Planned.note, "hurry")
            await handle.result()
            seen = await handle.query(Planned.notes)
    assert seen == {"notes": ["hurry"], "span": f"{run_span_id(handle.first_execution_run_id or ''):016x}"}


async def test_of_a_run_that_is_not_sampled_nothing_is(temporal_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with telemetry(monkeypatch, ParentBased(ALWAYS_OFF)) as own:
        async with worker(temporal_server, own.traces.plugin) as client:
            handle = await start(client, Planned.run, "cats")
            await handle.signal(Planned.note, "hurry")
            await handle.result()
    assert own.traces.spans == ()


async def test_a_replayer_is_silent_also_where_the_history_ends_in_the_middle(
    temporal_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with telemetry(monkeypatch) as own:
        async with worker(temporal_server, own.traces.plugin) as client:
            trace_ = await planned(client, own.traces)
            run = trace_.span("RunWorkflow:Planned")
            handle = client.get_workflow_handle(str(run.attributes["temporalWorkflowID"]))
            history = await handle.fetch_history()
        before = len(own.traces.spans)
        replayer = Replayer(workflows=COMPANY_WORKFLOWS, plugins=[TracingPlugin()])
        for length in range(3, len(history.events) + 1):
            cut = WorkflowHistory(history.workflow_id, history.events[:length])
            await replayer.replay_workflow(cut, raise_on_replay_failure=False)
        assert len(own.traces.spans) == before


async def test_log_lines_of_activities_name_the_attempt(
    temporal_server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temporalio.activity")
    with telemetry(monkeypatch) as own:
        async with worker(temporal_server, own.traces.plugin) as client:
            handle = await start(client, Logging.run)
            await handle.result()
            trace_ = await own.traces.of(handle)
    attempts = [trace_.span("RunActivity:logs"), trace_.span("RunActivity:logs_in_a_thread")]
    lines = [r for r in caplog.records if r.name == "temporalio.activity"]
    assert [(r.trace_id, r.span_id) for r in lines] == [
        (f"{run_trace_id(handle.first_execution_run_id or ''):032x}", f"{attempt.span_id:016x}") for attempt in attempts
    ]

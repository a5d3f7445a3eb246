"""How does a run of the workflow go, and what do its history and its live spans say of it?"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final

from temporalio.client import Client, WorkflowHandle

from agent.demo.pairs import paired
from agent.demo.watching import completed_activities
from agent.failures.outcome import Durable
from agent.failures.worker import BUILD, TASK_QUEUE
from agent.research.workflow import ResearchAgentWorkflow
from tracing import TracingConfig, TracingPlugin, session
from tracing.cost import account
from tracing.history import History, read, to_spans
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from pathlib import Path

    from agent.failures.laboratory import Side
    from agent.research.settings import ResearchSettings
    from agent.servers.process import SupervisedProcess
    from agent.servers.temporal import TemporalServer
    from tracing.tracefile import Span

SERVICE_NAME: Final = "research-agent"
_READY_SECONDS: Final = 60.0
_PATIENCE_SECONDS: Final = 120.0


class DurableRun:
    """A run of the research agent on Temporal, and its workers, which are processes as pods are.

    Args:
        side: Its servers.
        question: What it is asked.
        settings: How it researches.
    """

    def __init__(self, side: Side, question: str, settings: ResearchSettings) -> None:
        self.side = side
        self.control = side.control
        self.server: TemporalServer = side.laboratory.temporal
        self.task_queue = side.name
        self._question = question
        self._settings = settings
        self._workers: list[SupervisedProcess] = []
        self._completed: frozenset[str] = frozenset()
        self._handle: WorkflowHandle[Any, str] | None = None

    async def client(self) -> Client:
        """Connect to the server, with the plugin."""
        return await Client.connect(self.server.address, plugins=[TracingPlugin(TracingConfig())])

    async def start_worker(self, name: str, *options: str, build: str = "first", **environ: str) -> SupervisedProcess:
        """Start a worker, and wait until it polls.

        Args:
            name: Its identity.
            options: More options of its command.
            build: What is deployed to it.
            environ: More variables.
        """
        worker = self.side.process(
            name,
            [sys.executable, "-m", "agent.failures.worker", "--identity", name, *options],
            {
                "TEMPORAL_ADDRESS": self.server.address,
                TASK_QUEUE: self.task_queue,
                BUILD: build,
                "OTEL_SERVICE_NAME": SERVICE_NAME,
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.side.laboratory.collector.otlp_http,
                # Spans leave soon, so that few are left for the end, when there is little time.
                "OTEL_BSP_SCHEDULE_DELAY": "200",
                # So that a killed worker loses no span, and says of which attempts it died.
                "DURABLE_TRACE_SPOOL": str(self.side.folder / "spool"),
                **environ,
            },
        )
        self._workers.append(worker)
        await asyncio.to_thread(_start, worker)
        return worker

    async def begin(self) -> None:
        """Start the run."""
        client = await self.client()
        with session(id=self.side.name):
            self._handle = await client.start_workflow(
                ResearchAgentWorkflow.run,
                args=[self._question, self._settings],
                id=self.side.name,
                task_queue=self.task_queue,
            )

    async def note_failure(self) -> None:
        """Note which activities have completed by now, when the failure hits."""
        history = await self._run().fetch_history()
        self._completed = frozenset(completed_activities(history.events))

    async def finish(self) -> Durable:
        """Wait for the report, stop the workers, which send what they have, and read both traces."""
        handle = self._run()
        report = await asyncio.wait_for(handle.result(), _PATIENCE_SECONDS)
        requests = await self.control.requests()
        for worker in self._workers:
            await asyncio.to_thread(worker.stop)
        run_id = handle.first_execution_run_id or (await handle.describe()).run_id
        [history] = read((await handle.fetch_history(), run_id), namespace="default")
        assert isinstance(history, History)  # the server's histories are whole
        spans = to_spans(history, TracingConfig())
        live = _live_spans(self.side.laboratory.collector.traces_file, spans[0].trace_id, self.side.folder)
        return Durable(
            report=report,
            requests=requests,
            completed=self._completed,
            spans=spans,
            pairs=paired(live, spans),
            account=account(spans),
        )

    def _run(self) -> WorkflowHandle[Any, str]:
        assert self._handle is not None  # the run has been started
        return self._handle


def _start(worker: SupervisedProcess) -> None:
    worker.start()
    worker.wait_until(lambda: "polls" in worker.log.read_text(), condition="polled", timeout_seconds=_READY_SECONDS)


def _live_spans(file: Path, trace_id: int, folder: Path) -> list[Span]:
    """The spans of one trace in the Collector's file, to which it may be writing those of others."""
    whole = folder / "live.otlp.jsonl"
    content = file.read_bytes()
    whole.write_bytes(content[: content.rfind(b"\n") + 1])
    return [span for span in read_trace(whole) if span.trace_id == trace_id]

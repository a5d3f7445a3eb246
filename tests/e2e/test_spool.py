"""Workers of the research agent with a spool: killed, or with a Collector that is away, they lose nothing."""

from __future__ import annotations

import io
import sys
import uuid
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client, WorkflowHandle

from agent.demo.stage import CONTENT, SERVICE_NAME, Stage
from agent.local.faults import Fault
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from agent.servers.progress import Progress
from tests.e2e.test_killed_worker import assert_live_is_exported, export
from tracing import conventions as c
from tracing.live.delivery.spool.records import Kind, scan
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.servers.process import SupervisedProcess
    from tests.e2e.conftest import Eventually
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

NEVER = "100000000"
"""Milliseconds until a worker exports: it is killed before."""
SOON = "50"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Temporal, the Collector, the model and search servers."""
    with Stage(tmp_path / "stage", Progress(io.StringIO()), with_phoenix=False) as stage:
        yield stage


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The folder that workers keep their spans in."""
    return tmp_path / "spool"


def start_worker(stage: Stage, name: str, spool: Path, *, export_every: str) -> SupervisedProcess:
    process = stage._process(
        name,
        [sys.executable, "-m", "agent.research.worker", "--identity", name],
        {
            "TEMPORAL_ADDRESS": stage.temporal.address,
            "OPENAI_BASE_URL": stage.model.url,
            "SEARCH_BASE_URL": stage.search.url,
            "OTEL_SERVICE_NAME": SERVICE_NAME,
            "OTEL_EXPORTER_OTLP_ENDPOINT": stage.collector.otlp_http,
            "OTEL_BSP_SCHEDULE_DELAY": export_every,
            "DURABLE_TRACE_SPOOL": str(spool),
            **CONTENT,
        },
    )
    process.wait_until(lambda: "polls" in process.log.read_text(), condition="polled its queue", timeout_seconds=60)
    return process


async def start_run(stage: Stage) -> WorkflowHandle[ResearchAgentWorkflow, str]:
    client = await Client.connect(stage.temporal.address)
    return await client.start_workflow(
        ResearchAgentWorkflow.run, "Is it durable?", id=f"research-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )


def arrived(stage: Stage) -> list[Span]:
    """The spans that the Collector has written so far."""
    file = stage.collector.traces_file
    return list(read_trace(file)) if file.exists() and file.stat().st_size else []


def kept(spool: Path) -> Counter[tuple[str, bool]]:
    """Records in the spool: what they say, and whether it has been dealt with."""
    found = [record for path in spool.glob("*.spool") for record in scan(path.read_bytes()).records]
    return Counter((record.kind.name, record.done) for record in found)


def left(spool: Path) -> list[str]:
    """Files in the spool."""
    return sorted(path.name for path in spool.iterdir())


def calls(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.name == "chat gpt-4o"]


def assert_each_once(spans: list[Span]) -> None:
    assert [span for span, times in Counter(span.span_id for span in spans).items() if times > 1] == []


async def test_a_worker_killed_before_any_export_loses_no_finished_span_and_what_was_open_is_told(
    stage: Stage, spool: Path, tmp_path: Path, eventually: Eventually
) -> None:
    control = stage.control()
    await control.arm(Fault(kind="hold", contains="# Synthesis 2 of 3"))
    worker = start_worker(stage, "worker-1", spool, export_every=NEVER)
    handle = await start_run(stage)
    await control.wait(step="Synthesis 2 of 3", state="received")  # two calls have ended, the third is open
    worker.kill()
    assert arrived(stage) == []
    assert kept(spool)[Kind.STARTED.name, False] == 2

    second = start_worker(stage, "worker-2", spool, export_every=SOON)
    await handle.result()
    eventually(lambda: len(calls(arrived(stage))), 6)
    second.stop()
    assert left(spool) == []
    live = arrived(stage)
    assert_each_once(live)

    lost = [span for span in live if span.attributes.get(c.ERROR_TYPE) == c.WORKER_LOST]
    [attempt] = [span for span in lost if c.ATTEMPT in span.attributes]
    [call] = [span for span in lost if c.ATTEMPT not in span.attributes]
    assert (attempt.name, call.name) == ("RunActivity:call_llm", "chat gpt-4o")
    assert (attempt.attributes[c.ACTIVITY_ID], attempt.attributes[c.ATTEMPT]) == ("6", 1)
    assert attempt.attributes[c.WORKER_IDENTITY] == "worker-1"
    assert (call.parent_id, call.trace_id) == (attempt.span_id, attempt.trace_id)
    assert attempt.end is not None
    assert call.end == attempt.end >= call.start >= attempt.start
    assert [key for key in call.attributes if "usage" in key or "cost" in key] == []

    # Every call that ended is there with its usage, and is the same in the export.
    exported = export(stage, handle.id, tmp_path / "exported")
    finished = [span for span in live if span not in lost]
    assert {span.span_id for span in calls(finished)} == {span.span_id for span in calls(exported)}
    assert_live_is_exported(finished, exported)
    # The step of the lost attempt is the other's, too.
    [retried] = [s for s in exported if s.attributes.get(c.ATTEMPT) == 2 and s.attributes[c.ACTIVITY_ID] == "6"]
    assert attempt.parent_id == retried.parent_id


async def test_two_workers_share_a_folder_and_the_one_that_lives_keeps_its_own(
    stage: Stage, spool: Path, eventually: Eventually
) -> None:
    control = stage.control()
    await control.arm(Fault(kind="hold", contains="# Synthesis 2 of 3"))
    first = start_worker(stage, "worker-1", spool, export_every=NEVER)
    handle = await start_run(stage)
    await control.wait(step="Synthesis 2 of 3", state="received")
    # It starts beside the first: nothing of that is lost, for it lives; nothing is sent twice.
    second = start_worker(stage, "worker-2", spool, export_every=SOON)
    await control.release()
    await handle.result()
    first.stop()
    second.stop()
    eventually(lambda: len(calls(arrived(stage))), 5)
    live = arrived(stage)
    assert_each_once(live)
    assert [span.name for span in live if span.attributes.get(c.ERROR_TYPE) == c.WORKER_LOST] == []
    assert left(spool) == []


async def test_a_collector_that_was_away_gets_everything(
    stage: Stage, spool: Path, tmp_path: Path, eventually: Eventually
) -> None:
    stage.collector.stop()
    worker = start_worker(stage, "worker-1", spool, export_every=SOON)
    handle = await start_run(stage)
    await handle.result()
    exported = export(stage, handle.id, tmp_path / "exported")
    eventually(lambda: "Spans do not arrive" in worker.log.read_text(), expected=True)
    assert kept(spool)[Kind.ENDED.name, False] > 0

    stage.collector.start()
    eventually(lambda: len(arrived(stage)), len(exported))
    worker.stop()
    live = arrived(stage)
    assert_each_once(live)
    assert_live_is_exported(live, exported)
    assert left(spool) == []

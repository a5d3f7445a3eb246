"""A real Phoenix that lacks spans of real runs gets exactly these: by export, by repair, by a watcher."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import urllib.request
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from agent.servers.phoenix_api import PhoenixReader
from tests.e2e.conftest import hermetic
from tracing import TracingConfig, TracingPlugin, llm_call
from tracing import conventions as c
from tracing.tracefile import read_trace, write_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.servers.phoenix_api import PhoenixSpan
    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
SHORT = timedelta(seconds=60)
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


@activity.defn
async def answer(question: str) -> str:
    with llm_call(model="gpt-4o", provider="openai", messages=[{"role": "user", "content": question}]) as call:
        call.usage(input_tokens=10, output_tokens=2)
    return "42"


@workflow.defn
class Checking:
    """A child: one activity."""

    @workflow.run
    async def run(self, said: str) -> str:
        return await workflow.execute_activity(answer, f"Is it {said}?", start_to_close_timeout=SHORT)


@workflow.defn
class Asking:
    """Two activities, a timer, a child."""

    @workflow.run
    async def run(self, question: str) -> str:
        said = await workflow.execute_activity(answer, question, start_to_close_timeout=SHORT)
        await workflow.sleep(0.01)
        await workflow.execute_child_workflow(Checking.run, said, id=f"{workflow.info().workflow_id}-child")
        return await workflow.execute_activity(answer, f"{question} Really?", start_to_close_timeout=SHORT)


@dataclass
class Losing(SpanProcessor):
    """Hands on those live spans that a seed lets through; the others are lost on their way."""

    inner: SpanProcessor
    chance: random.Random = field(default_factory=lambda: random.Random(17))
    lost: int = 0
    kept: set[str] = field(default_factory=set)

    def on_end(self, span: ReadableSpan) -> None:
        assert span.context
        if self.chance.random() < 0.5:
            self.lost += 1
            return
        self.kept.add(f"{span.context.span_id:016x}")
        self.inner.on_end(span)


@dataclass
class Stage:
    """A server, a Phoenix, and the command line for both."""

    address: str
    namespace: str
    phoenix: str
    folder: Path

    async def ask(self, plugin: TracingPlugin | None = None) -> WorkflowHandle[Asking, str]:
        """A run that has closed, as its child has; both are visible."""
        plugins = [plugin] if plugin else [TracingPlugin(TracingConfig(capture_content=True), tracer_provider=SILENT)]
        client = await Client.connect(self.address, namespace=self.namespace, plugins=plugins)
        async with Worker(
            client,
            task_queue="asking",
            workflows=[Asking, Checking],
            activities=[answer],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            handle = await client.start_workflow(Asking.run, "Why?", id=f"asking-{uuid.uuid4()}", task_queue="asking")
            assert await handle.result() == "42"
        query = f"WorkflowId STARTS_WITH '{handle.id}' AND ExecutionStatus = 'Completed'"
        while (await client.count_workflows(query)).count < 2:  # noqa: ASYNC110 - visibility tells nobody
            await asyncio.sleep(0.05)
        return handle

    def command(self, *arguments: str) -> str:
        """Run the command line; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "tracing.cli", *arguments],
            env=hermetic(
                TEMPORAL_ADDRESS=self.address,
                TEMPORAL_NAMESPACE=self.namespace,
                PHOENIX_COLLECTOR_ENDPOINT=self.phoenix,
                PYTHONPATH=str(ROOT),
                **CONTENT,
            ),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def export(self, handle: WorkflowHandle[Asking, str]) -> tuple[str, dict[str, str]]:
        """The whole trace in files: its ID, and the names of its spans by their IDs."""
        self.command("export", "--query", f"WorkflowId STARTS_WITH '{handle.id}'", "-o", "traces")
        spans = list(read_trace(self.folder / "traces"))
        [trace_id] = {span.trace_id for span in spans}
        return f"{trace_id:032x}", {f"{span.span_id:016x}": span.name for span in spans}

    def delete(self, kind: str, identifier: str) -> None:
        request = urllib.request.Request(f"{self.phoenix}/v1/{kind}/{identifier}", method="DELETE")
        with urllib.request.urlopen(request) as response:
            assert response.status == 204


SILENT = TracerProvider(shutdown_on_exit=False)

NAMES = Counter(
    {
        "RunWorkflow:Asking": 1,
        "StartActivity:answer": 3,
        "RunActivity:answer": 3,
        "chat gpt-4o": 3,
        "Timer": 1,
        "StartChildWorkflow:Checking": 1,
        "RunWorkflow:Checking": 1,
    }
)


@pytest.fixture
def stage(temporal_server: str, empty_namespace: str, phoenix: str, tmp_path: Path) -> Stage:
    return Stage(temporal_server, empty_namespace, phoenix, tmp_path)


@pytest.fixture
def reader(phoenix: str) -> Iterator[PhoenixReader]:
    with PhoenixReader(phoenix) as reader:
        yield reader


def each_once(spans: list[PhoenixSpan]) -> dict[str, str]:
    """Names by span ID, where no ID is there twice."""
    assert len({span.span_id for span in spans}) == len(spans)
    return {span.span_id: span.name for span in spans}


def assert_whole(spans: list[PhoenixSpan]) -> None:
    """One root, with the run's input and output, and no span whose parent is missing."""
    [root] = [span for span in spans if span.parent_id is None]
    assert root.name == "RunWorkflow:Asking"
    assert (root.attributes[c.INPUT_VALUE], root.attributes[c.OUTPUT_VALUE]) == ("Why?", "42")
    ids = {span.span_id for span in spans}
    assert [span.name for span in spans if span.parent_id not in {None, *ids}] == []


async def test_an_exported_trace_is_whole_in_a_phoenix_that_had_nothing(
    stage: Stage, reader: PhoenixReader, eventually: Eventually
) -> None:
    """Each run is sent by itself: the child is below its parent's step all the same."""
    handle = await stage.ask()
    trace_id, whole = stage.export(handle)
    assert Counter(whole.values()) == NAMES
    assert reader.spans(trace_id) == []
    stage.command("export", "--query", f"WorkflowId STARTS_WITH '{handle.id}'", "-o", "again", "--to", "phoenix")
    eventually(lambda: each_once(reader.spans(trace_id)), whole)
    assert_whole(reader.spans(trace_id))


async def test_a_trace_that_was_deleted_or_lost_by_half_is_put_back_each_span_once(
    stage: Stage, reader: PhoenixReader, eventually: Eventually
) -> None:
    trace_id, whole = stage.export(await stage.ask())
    stage.command("send", "traces", "--to", "phoenix")
    eventually(lambda: each_once(reader.spans(trace_id)), whole)

    stage.delete("traces", trace_id)
    eventually(lambda: reader.spans(trace_id), [])
    said = stage.command("send", "traces", "--to", "phoenix", "--repair")
    assert said.splitlines()[0] == f"{len(whole)} spans sent to Phoenix"
    eventually(lambda: each_once(reader.spans(trace_id)), whole)
    assert_whole(reader.spans(trace_id))

    for seed in (1, 2):
        lost = random.Random(seed).sample(sorted(whole), len(whole) // 2)
        for span_id in lost:
            stage.delete("spans", span_id)
        eventually(lambda lost=lost: reader.span_ids(trace_id) == whole.keys() - set(lost), expected=True)
        said = stage.command("send", "traces", "--to", "phoenix", "--repair")
        had = len(whole) - len(lost)
        assert said.splitlines()[0] == f"{len(lost)} spans sent to Phoenix; it had {had} already"
        eventually(lambda: each_once(reader.spans(trace_id)), whole)
        assert_whole(reader.spans(trace_id))

    said = stage.command("send", "traces", "--to", "phoenix", "--repair")
    assert said.splitlines()[0] == f"0 spans sent to Phoenix; it had {len(whole)} already"


async def test_what_was_never_sent_is_put_back_from_the_server(
    stage: Stage, reader: PhoenixReader, eventually: Eventually
) -> None:
    handle = await stage.ask()
    trace_id, whole = stage.export(handle)
    sent = random.Random(3).sample(sorted(whole), len(whole) // 2)
    spans = [span for span in read_trace(stage.folder / "traces") if f"{span.span_id:016x}" in sent]
    keep = write_trace(stage.folder / "some", "some", spans)
    stage.command("send", str(keep), "--to", "phoenix", "--repair")
    eventually(lambda: len(reader.span_ids(trace_id)) >= len(sent), expected=True)
    for workflow_id in (handle.id, f"{handle.id}-child"):
        stage.command("export", "--workflow-id", workflow_id, "-o", "again", "--to", "phoenix", "--repair")
    eventually(lambda: each_once(reader.spans(trace_id)), whole)


async def test_a_watcher_completes_what_a_worker_lost_on_the_way(
    stage: Stage, reader: PhoenixReader, eventually: Eventually
) -> None:
    losing = Losing(SimpleSpanProcessor(OTLPSpanExporter(f"{stage.phoenix}/v1/traces")))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(losing)
    handle = await stage.ask(TracingPlugin(TracingConfig(capture_content=True), tracer_provider=provider))
    provider.force_flush()
    trace_id, whole = stage.export(handle)
    assert losing.lost
    assert losing.kept
    eventually(lambda: reader.span_ids(trace_id), losing.kept)

    watch = ("export", "--watch", "--once", "--since", "1h", "--settle", "0", "--to", "phoenix")
    said = stage.command(*watch)
    missing, had = len(whole) - len(losing.kept), len(losing.kept)
    assert said.splitlines()[-1] == f"2 runs; {missing} spans sent to Phoenix; it had {had} already"
    eventually(lambda: each_once(reader.spans(trace_id)), whole)
    assert_whole(reader.spans(trace_id))
    assert stage.command(*watch) == "0 runs; 0 spans sent to Phoenix; it had 0 already\n"


async def test_a_watcher_tells_a_trace_that_nobody_saw(
    stage: Stage, reader: PhoenixReader, eventually: Eventually
) -> None:
    """The child closes first, and is sent first: it is below its parent's step all the same."""
    trace_id, whole = stage.export(await stage.ask())
    said = stage.command("export", "--watch", "--once", "--since", "1h", "--settle", "0", "--to", "phoenix")
    assert [line.partition(":")[2] for line in said.splitlines()] == [
        " Phoenix lacks 4 spans, has 0",
        f" Phoenix lacks {len(whole) - 4} spans, has 0",
        "",
    ]
    eventually(lambda: each_once(reader.spans(trace_id)), whole)
    assert_whole(reader.spans(trace_id))

"""What does live tracing cost? CPU of a worker per workflow task and activity, beside Temporal's own plugin."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from temporalio.client import Client
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from temporalio.converter import DataConverter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from benchmarks.worker import MeasuredWorker, Spent
from benchmarks.workflows import Chain, echo
from tracing import TracingConfig, TracingPlugin

ACTIVITIES = 50
ROUNDS = 40
WARM_UP = 3

NONE, THEIRS, OURS = "no tracing", "Temporal's OpenTelemetryPlugin", "durable-trace"
TASK, ACTIVITY = "a workflow task", "an activity"
TARGETS = (TASK, ACTIVITY)


@dataclass(frozen=True)
class Variant:
    """A way to trace: its name, the client's plugins, and how to wait for what they do beside."""

    name: str
    plugins: list[Any]
    settle: Callable[[], object] = lambda: None


def variants() -> list[Variant]:
    """No tracing, Temporal's own, ours. Each provider has one processor that does nothing."""
    ours, theirs = TracerProvider(shutdown_on_exit=False), create_tracer_provider()
    for provider in (ours, theirs):
        provider.add_span_processor(SpanProcessor())
    trace.set_tracer_provider(theirs)
    plugin = TracingPlugin(TracingConfig(capture_content=False), tracer_provider=ours)
    return [
        Variant(NONE, []),
        Variant(THEIRS, [OpenTelemetryPlugin(add_temporal_spans=True)]),
        Variant(OURS, [plugin], plugin.outbox.flush),
    ]


async def measure(address: str) -> dict[str, dict[str, list[float]]]:
    """µs of each variant, by what they are spent on: medians of a run, a value a round; the variants take turns."""
    ways = variants()
    results = await _rounds(
        {variant.name: await _worker(address, variant, SandboxedWorkflowRunner()) for variant in ways}
    )
    bare = await _rounds(
        {variant.name: await _worker(address, variant, UnsandboxedWorkflowRunner()) for variant in ways}
    )
    return results | {f"{TASK}, without the sandbox": bare[TASK]}


async def _rounds(workers: dict[str, MeasuredWorker]) -> dict[str, dict[str, list[float]]]:
    [argument] = await DataConverter.default.encode([ACTIVITIES])
    results: dict[str, dict[str, list[float]]] = {}
    for round_number in range(-WARM_UP, ROUNDS):
        # No variant is always the one behind the same other.
        names = list(workers) if round_number % 2 else list(reversed(workers))
        for name in names:
            gc.collect()
            spent = await workers[name].run("Chain", argument)
            if round_number >= 0:
                for on, value in _figures(spent).items():
                    results.setdefault(on, {}).setdefault(name, []).append(value / 1000)
    return {on: {name: values[name] for name in workers} for on, values in results.items()}


def _figures(spent: Spent) -> dict[str, float]:
    return {
        TASK: sum(spent.tasks) / len(spent.tasks),
        ACTIVITY: sum(spent.activities) / len(spent.activities),
        "both, with what is done in other threads": spent.run / len(spent.activities),
        "the first workflow task of a run": spent.start,
    }


async def _worker(address: str, variant: Variant, runner: WorkflowRunner) -> MeasuredWorker:
    client = await Client.connect(address, plugins=variant.plugins)
    queue = f"bench-{uuid.uuid4()}"
    handle = await client.start_workflow(Chain.run, 1, id=queue, task_queue=queue)
    history = await handle.fetch_history()
    await handle.terminate()
    headers = history.events[0].workflow_execution_started_event_attributes.header.fields
    worker = Worker(client, task_queue=queue, workflows=[Chain], activities=[echo], workflow_runner=runner)
    return MeasuredWorker(worker, dict(headers), variant.settle)

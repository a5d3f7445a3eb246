"""What does live tracing cost? CPU of client and worker, beside no tracing and Temporal's own plugin."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from tracing import TracingConfig, TracingPlugin

WORKFLOWS = 20
ACTIVITIES = 25
ROUNDS = 5


@activity.defn
async def echo(text: str) -> str:
    """The smallest activity: all that is measured is what surrounds it."""
    return text


@workflow.defn
class Chain:
    """Activities one after the other: as many workflow tasks as activities, and one more."""

    @workflow.run
    async def run(self, count: int) -> None:
        """Run so many activities."""
        for number in range(count):
            await workflow.execute_activity(echo, f"step {number}", start_to_close_timeout=timedelta(seconds=30))


@dataclass(frozen=True)
class Variant:
    """A way to trace: its name, and what makes the client's plugins."""

    name: str
    plugins: Callable[[], list[Any]]


def variants() -> list[Variant]:
    """No tracing, Temporal's own, ours. Each provider has one processor that does nothing."""
    ours, theirs = TracerProvider(), create_tracer_provider()
    for provider in (ours, theirs):
        provider.add_span_processor(SpanProcessor())
    trace.set_tracer_provider(theirs)
    config = TracingConfig(capture_content=False)
    return [
        Variant("no tracing", list),
        Variant("Temporal's OpenTelemetryPlugin", lambda: [OpenTelemetryPlugin(add_temporal_spans=True)]),
        Variant("durable-trace", lambda: [TracingPlugin(config, tracer_provider=ours)]),
    ]


async def cpu_per_activity(address: str, variant: Variant) -> float:
    """CPU of this process (client and worker, all threads) for each activity with its workflow task, in µs."""
    client = await Client.connect(address, plugins=variant.plugins())
    queue = f"bench-{uuid.uuid4().hex}"
    async with Worker(client, task_queue=queue, workflows=[Chain], activities=[echo]):
        await client.execute_workflow(Chain.run, 2, id=f"{queue}-warm", task_queue=queue)
        begun = time.process_time()
        await asyncio.gather(
            *(
                client.execute_workflow(Chain.run, ACTIVITIES, id=f"{queue}-{number}", task_queue=queue)
                for number in range(WORKFLOWS)
            )
        )
        spent = time.process_time() - begun
    return spent / (WORKFLOWS * ACTIVITIES) * 1e6


async def measure(address: str) -> dict[str, list[float]]:
    """µs per activity of each variant, a value a round; the variants take turns."""
    results: dict[str, list[float]] = {}
    ways = variants()
    for _ in range(ROUNDS):
        for variant in ways:
            results.setdefault(variant.name, []).append(await cpu_per_activity(address, variant))
    return results

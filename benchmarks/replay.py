"""What does a replay cost with the plugin, beside one without?"""

from __future__ import annotations

import gc
import time
import uuid
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, Worker

from benchmarks.workflows import Chain, echo
from tracing import TracingConfig, TracingPlugin

ACTIVITIES = 400
ROUNDS = 25

WITHOUT, WITH = "without the plugin", "with the plugin"


async def measure(address: str) -> dict[str, list[float]]:
    """CPU seconds of a replay, a value a round; the two take turns."""
    plugin = TracingPlugin(TracingConfig(capture_content=False), tracer_provider=TracerProvider(shutdown_on_exit=False))
    history = await recorded(address, plugin)
    results: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    for round_number in range(-1, ROUNDS):
        for name in (WITHOUT, WITH) if round_number % 2 else (WITH, WITHOUT):
            gc.collect()
            spent = await _replay(history, [plugin] if name == WITH else [])
            if round_number >= 0:  # the first round only warms up
                results[name].append(spent)
    return results


async def recorded(address: str, plugin: TracingPlugin) -> WorkflowHistory:
    """The history of a real run, made with the plugin: its headers and ledgers are in it."""
    client = await Client.connect(address, plugins=[plugin])
    queue = f"bench-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[Chain], activities=[echo]):
        handle = await client.start_workflow(Chain.run, ACTIVITIES, id=queue, task_queue=queue)
        await handle.result()
    return await handle.fetch_history()


async def _replay(history: WorkflowHistory, plugins: list[Any]) -> float:
    replayer = Replayer(workflows=[Chain], plugins=plugins)
    begun = time.process_time()
    await replayer.replay_workflow(history)
    return time.process_time() - begun

"""A client and a worker with the plugin, on a real server, and the traces that they leave."""

from __future__ import annotations

import concurrent.futures
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from tests.e2e.gates import SECONDS
from tests.e2e.live_workflows import ACTIVITIES, WORKFLOWS
from tests.rendering import REPEATED, render
from tracing import TracingConfig
from tracing.testing import Traces, capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from opentelemetry.sdk.trace import TracerProvider

    from tracing.spans.model import Span

ON, OFF = TracingConfig(capture_content=True), TracingConfig()

QUEUE = "support"

VOLATILE = {"temporal.queue_time", "temporal.history_length", "temporal.worker.build_id", "exception.stacktrace"}
"""Attributes whose values are another in each run; tests of their own look at them."""


@dataclass
class Live:
    """What a test works with."""

    client: Client
    traces: Traces

    async def start(self, workflow: Any, *args: Any, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start a run."""
        workflow_id = f"run-{uuid.uuid4()}"
        return await self.client.start_workflow(
            workflow, args=args, **{"id": workflow_id, "task_queue": QUEUE, **options}
        )


@asynccontextmanager
async def live(
    address: str,
    *,
    config: TracingConfig = ON,
    provider: TracerProvider | None = None,
    client_options: Mapping[str, Any] | None = None,
    **worker: Any,
) -> AsyncIterator[Live]:
    """Run a worker of all test workflows; it has stopped gracefully when the block ends."""
    with capture(config, provider=provider) as traces:
        client = await Client.connect(address, plugins=[traces.plugin], **(client_options or {}))
        async with worker_of(client, **worker):
            yield Live(client, traces)


@asynccontextmanager
async def worker_of(client: Client, **options: Any) -> AsyncIterator[None]:
    """Run a worker of all test workflows for a client."""
    with concurrent.futures.ThreadPoolExecutor() as threads:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=WORKFLOWS,
            activities=ACTIVITIES,
            activity_executor=threads,
            identity="worker-1",
            **options,
        )
        # Workflows stop at gates here: that is no deadlock, however slow the machine is.
        assert worker._workflow_worker
        worker._workflow_worker._deadlock_timeout_seconds = int(SECONDS)
        async with worker:
            yield


def written(spans: Iterable[Span], *only: str) -> str:
    """Spans as a tree without times: with the attributes of these keys, or all but those that are never the same."""
    return f"\n{render(spans, only=only or None, hide=REPEATED | VOLATILE, times=False)}\n"

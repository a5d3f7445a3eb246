"""A worker of the complete workflow as a process of its own, which kills itself in one of its workflow tasks.

python -m tests.e2e.complete_worker ADDRESS TASK_QUEUE OTLP_ENDPOINT TASK

Its spans go out one by one. It dies in the workflow task of that number, when the workflow's code has run and before
the server is told.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from temporalio.client import Client
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.e2e import complete
from tracing import TracingConfig, TracingPlugin
from tracing.activations import DelegatingInstance, DelegatingRunner


class _DyingRunner(DelegatingRunner):
    def __init__(self, task: int) -> None:
        super().__init__(SandboxedWorkflowRunner())
        self._task = task

    def create_instance(self, det: Any) -> Any:
        instance = super().create_instance(det)
        return _DyingInstance(instance, self._task) if det.info.workflow_type == "Complete" else instance


class _DyingInstance(DelegatingInstance):
    def __init__(self, inner: Any, task: int) -> None:
        super().__init__(inner)
        self._left = task
        self._last = -1

    def activate(self, act: Any) -> Any:
        completion = super().activate(act)
        is_eviction = any(job.HasField("remove_from_cache") for job in act.jobs)
        if not is_eviction and act.history_length != self._last:
            self._last = act.history_length
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
        return completion


async def main(address: str, task_queue: str, endpoint: str, task: int) -> None:
    """Work until killed."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    client = await Client.connect(address, plugins=[TracingPlugin(TracingConfig(), tracer_provider=provider)])
    async with complete.worker(
        client,
        task_queue,
        workflow_runner=_DyingRunner(task),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))

"""A worker of the workflow `One` with the plugin, and the comparison of its live spans with its history's."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from tests.e2e.activity_workflows import ASYNC, THREADED, Asked, One
from tests.e2e.gates import SECONDS, gates
from tracing import TracingConfig
from tracing.history import History, read, to_spans
from tracing.testing import Trace, Traces, capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tracing.spans.model import Span

_EXPORT_ONLY = {"temporal.event_ids", "durable.unrecorded", "temporal.last_failure.type"}
"""What history alone knows."""


@dataclass
class Running:
    """What a test works with."""

    client: Client
    traces: Traces
    config: TracingConfig
    queue: str

    async def start(self, activity: str, **asked: Any) -> WorkflowHandle[One, list[str]]:
        """Start a run of one activity."""
        return await self.client.start_workflow(
            One.run, Asked(activity, **asked), id=f"one-{uuid.uuid4()}", task_queue=self.queue
        )

    async def cancel(self, handle: WorkflowHandle[One, list[str]]) -> None:
        """Cancel its activity when it is at work."""
        await gates[f"{handle.id}/at work"].opened()
        await handle.signal(One.cancel)

    async def attempt(self, handle: WorkflowHandle[Any, Any], name: str) -> None:
        """Wait until an attempt has ended on its worker: the run need not wait for it."""
        deadline = time.monotonic() + SECONDS
        while not any(
            span.name == f"RunActivity:{name}" and span.attributes["temporalWorkflowID"] == handle.id
            for span in self.traces.spans
        ):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no attempt of {name} has ended")
            await asyncio.sleep(0.05)

    async def exported(self, handle: WorkflowHandle[Any, Any]) -> tuple[Span, ...]:
        """The run's spans by its history."""
        [history] = read((await handle.fetch_history(), handle.first_execution_run_id or ""))
        assert isinstance(history, History)
        return tuple(to_spans(history, self.config))


@asynccontextmanager
async def running(
    address: str, *, config: TracingConfig | None = None, activities: Any = None, **options: Any
) -> AsyncIterator[Running]:
    """Run a worker; it has stopped gracefully when the block ends."""
    config = config or TracingConfig()
    queue = f"one-{uuid.uuid4()}"
    with capture(config) as traces, concurrent.futures.ThreadPoolExecutor() as threads:
        client = await Client.connect(address, plugins=[traces.plugin])
        worker = Worker(
            client,
            **{
                "task_queue": queue,
                "workflows": [One],
                "activities": activities or [*ASYNC, *THREADED],
                "activity_executor": threads,
                "identity": "worker-1",
                "build_id": "build-7",
                **options,
            },
        )
        assert worker._workflow_worker
        worker._workflow_worker._deadlock_timeout_seconds = int(SECONDS)
        async with worker:
            yield Running(client, traces, config, queue)


SHOWN = (
    "durable.llm.calls",
    "durable.unclosed",
    "durable.unrecorded",
    "error.type",
    "temporal.attempt",
    "temporal.attempts",
    "temporal.heartbeats",
    "temporal.local",
    "temporal.timeout_type",
    "temporalActivityID",
)
"""Attributes that these tests show."""


def shown(trace: Trace | tuple[Span, ...], *more: str) -> str:
    """A trace as these tests show it: what is below the run's span."""
    trace = trace if isinstance(trace, Trace) else Trace(trace)
    [root] = [span for span in trace.spans if span.name == "RunWorkflow:One"]
    below = tuple(
        replace(span, parent_id=None if span.parent_id == root.span_id else span.parent_id)
        for span in trace.spans
        if span is not root
    )
    return f"\n{Trace(below).render(*SHOWN, *more)}\n"


def missing_or_other(trace: Trace, exported: tuple[Span, ...]) -> list[tuple[str, object, object]]:
    """What the export lacks of a live trace, or has otherwise: name, live, exported."""
    found = {span.span_id: span for span in exported}
    differences: list[tuple[str, object, object]] = []
    for live in trace.spans:
        span = found.get(live.span_id)
        if span is None:
            differences.append((_name(live), "live", None))
            continue
        unknown = _unknown(live, span)
        one, other = _comparable(live, unknown), _comparable(span, unknown)
        differences += [
            (f"{_name(live)}: {key}", one.get(key), other.get(key))
            for key in sorted({*one, *other})
            if one.get(key) != other.get(key)
        ]
    return differences


def _name(span: Span) -> str:
    attempt = span.attributes.get("temporal.attempt")
    return f"{span.name} {attempt}" if span.name.startswith("RunActivity") else span.name


def _unknown(live: Span, exported: Span) -> set[str]:
    """Attributes that only one of the readers can know."""
    unknown = set(_EXPORT_ONLY)
    if exported.attributes.get("durable.unrecorded"):
        unknown |= {"temporal.heartbeats", "temporal.worker.build_id"} | {k for k in live.attributes if ".llm." in k}
    if "temporal.attempts" not in live.attributes:
        # A worker reads it from the ledger.
        unknown.add("temporal.attempts")
    return unknown


def _comparable(span: Span, unknown: set[str]) -> dict[str, object]:
    """A span without its end: live, a step ends with the workflow task that saw it."""
    return {
        "place": (span.trace_id, span.parent_id, span.name, span.kind, span.scope),
        "start": span.start,
        **{key: value for key, value in span.attributes.items() if key not in unknown},
        "status": (span.status, span.status_message),
        "events": [(event.name, event.attributes) for event in span.events],
        "links": span.links,
    }

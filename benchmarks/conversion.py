"""How fast does a history become a trace file, or requests to a backend, beside what only parsing and writing takes?"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from temporalio.api.history.v1 import History as HistoryMessage
from temporalio.client import WorkflowHistory

from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.spans.model import Span
from tracing.tracefile import run_name, write_trace
from tracing.tracefile.batches import BATCH_SPANS
from tracing.tracefile.protobuf import RequestWriter

ACTIVITIES = 8_000
ROUNDS = 7

FROM_JSON = "WorkflowHistory.from_json"
FLOOR = "parse the history, write the requests"


def history(activities: int = ACTIVITIES) -> bytes:
    """A history in Temporal's JSON: activities one after the other, six events each, with inputs and results."""
    events: list[dict[str, Any]] = []

    def add(kind: str, **attributes: Any) -> str:
        number = len(events) + 1
        camel = "".join(word.capitalize() for word in kind.split("_"))
        events.append(
            {
                "eventId": str(number),
                "eventTime": f"2026-11-{1 + number // 86_400 % 28:02d}T{number // 3_600 % 24:02d}:"
                f"{number // 60 % 60:02d}:{number % 60:02d}.{number % 1000:03d}456789Z",
                "eventType": f"EVENT_TYPE_{kind.upper()}",
                "taskId": str(1_048_576 + number),
                f"{camel[0].lower()}{camel[1:]}EventAttributes": attributes,
            }
        )
        return str(number)

    payload = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJ0ZXh0IjogIiIr" + "YWJj" * 60 + "In0="}
    add(
        "workflow_execution_started",
        workflowType={"name": "Chain"},
        taskQueue={"name": "bench"},
        originalExecutionRunId="01a207bd-c10a-7ebc-9768-3610365db09e",
        firstExecutionRunId="01a207bd-c10a-7ebc-9768-3610365db09e",
        attempt=1,
        workflowId="bench",
    )
    for number in range(1, activities + 1):
        scheduled = add("workflow_task_scheduled", taskQueue={"name": "bench"}, attempt=1)
        started = add("workflow_task_started", scheduledEventId=scheduled, identity="worker")
        done = add("workflow_task_completed", scheduledEventId=scheduled, startedEventId=started, identity="worker")
        asked = add(
            "activity_task_scheduled",
            activityId=str(number),
            activityType={"name": "call_llm"},
            taskQueue={"name": "bench"},
            input={"payloads": [payload]},
            workflowTaskCompletedEventId=done,
            retryPolicy={"maximumAttempts": 3},
        )
        begun = add("activity_task_started", scheduledEventId=asked, identity="worker", attempt=1)
        add(
            "activity_task_completed",
            scheduledEventId=asked,
            startedEventId=begun,
            identity="worker",
            result={"payloads": [payload]},
        )
    return json.dumps({"events": events}, indent=1).encode()


def trace_files() -> dict[str, list[float]]:
    """CPU seconds of each way to a trace file, a value a round; the ways take turns."""
    data = history()
    binary = _binary(data)
    with TemporaryDirectory() as folder:

        def convert(source: bytes) -> None:
            write_trace(Path(folder), run_name("bench", "run"), _spans(source))

        return _rounds(
            {
                FROM_JSON: lambda: WorkflowHistory.from_json("bench", data.decode()),
                "binary history → trace file": lambda: convert(binary),
                "JSON history → trace file": lambda: convert(data),
            }
        )


def requests() -> dict[str, list[float]]:
    """CPU seconds of the way to OTLP requests, and of what protobuf alone takes to read and write the same bytes."""
    binary = _binary(history())
    messages = [ExportTraceServiceRequest.FromString(body) for body in _bodies(_spans(binary))]

    def floor() -> None:
        HistoryMessage.FromString(binary)
        for message in messages:
            message.SerializeToString()

    return _rounds({FLOOR: floor, "binary history → OTLP requests": lambda: _bodies(_spans(binary))})


def _binary(data: bytes) -> bytes:
    events = WorkflowHistory.from_json("bench", json.loads(data)).events
    return HistoryMessage(events=events).SerializeToString()


def _spans(source: bytes) -> list[Span]:
    [found] = read(source)
    assert isinstance(found, History)
    return to_spans(found, TracingConfig(capture_content=False))


def _bodies(spans: Sequence[Span]) -> list[bytes]:
    writer = RequestWriter()
    return [writer.request(spans[at : at + BATCH_SPANS]) for at in range(0, len(spans), BATCH_SPANS)]


def _rounds(ways: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    results: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(-1, ROUNDS):
        for name, way in ways.items():
            gc.collect()
            begun = time.process_time()
            way()
            if round_number >= 0:  # the first round only warms up
                results[name].append(time.process_time() - begun)
    return results

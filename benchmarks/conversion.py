"""How fast does a history become a trace file, beside what only parsing it takes?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.api.history.v1 import History as HistoryMessage
from temporalio.client import WorkflowHistory

from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.tracefile import run_name, write_trace

ACTIVITIES = 8_000
ROUNDS = 5


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


def measure() -> dict[str, list[float]]:
    """Seconds of each way, a value a round; the ways take turns."""
    data = history()
    binary = HistoryMessage(events=WorkflowHistory.from_json("bench", json.loads(data)).events).SerializeToString()
    config = TracingConfig(capture_content=False)
    results: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:

        def convert(source: bytes) -> None:
            for found in read(source):
                assert isinstance(found, History)
                write_trace(Path(folder), run_name("bench", found.run_id), to_spans(found, config))

        ways: dict[str, Callable[[], object]] = {
            "WorkflowHistory.from_json": lambda: WorkflowHistory.from_json("bench", data.decode()),
            "JSON history → trace file": lambda: convert(data),
            "binary history → trace file": lambda: convert(binary),
        }
        for _ in range(ROUNDS):
            for name, way in ways.items():
                begun = time.perf_counter()
                way()
                results.setdefault(name, []).append(time.perf_counter() - begun)
    return results

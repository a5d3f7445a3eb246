"""A history written by hand: real protobuf events, to be had as JSON, as bytes and as the SDK's object."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History as HistoryProto
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.client import WorkflowHistory

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import SpanReference, TraceHeader
from tracing.history import History, read, to_spans
from tracing.identity import StepKind, run_trace_id, step_span_id
from tracing.ledger import Ledger, LedgerSpan, encode_ledger
from tracing.spans.model import Span

START_US = 1_795_418_366_000_000
RUN_ID = "5f0e4f7e-0000-4000-8000-000000000001"
BASE_RUN_ID = "5f0e4f7e-0000-4000-8000-000000000000"
JSON = {"encoding": b"json/plain"}


class Recording:
    """Writes events, by default 1 ms apart."""

    def __init__(self, *, run_id: str = RUN_ID, workflow_id: str = "wf", **started: Any) -> None:
        self.run_id = run_id
        self.workflow_id = workflow_id
        self.events: list[HistoryEvent] = []
        self._ms = -1.0
        self.add(
            "workflow_execution_started",
            **{
                "workflow_type": {"name": "Research"},
                "task_queue": {"name": "queue"},
                "original_execution_run_id": run_id,
                "first_execution_run_id": run_id,
                "workflow_id": workflow_id,
                "attempt": 1,
                **started,
            },
        )

    def add(self, event: str, /, *, ms: float | None = None, summary: str = "", **attributes: Any) -> int:
        """Add an event by the name of its attributes, at ``ms`` after the start; returns its ID."""
        self._ms = self._ms + 1 if ms is None else ms
        time = Timestamp()
        time.FromNanoseconds(START_US * 1000 + round(self._ms * 1_000_000))
        named: dict[str, Any] = {f"{event}_event_attributes": attributes}
        if summary:
            named["user_metadata"] = UserMetadata(summary=payload(f'"{summary}"'))
        self.events.append(
            HistoryEvent(
                event_id=len(self.events) + 1,
                event_time=time,
                event_type=EventType.Value(f"EVENT_TYPE_{event.upper()}"),
                **named,
            )
        )
        return len(self.events)

    def task(self, *, ms: float | None = None) -> int:
        """Add a workflow task that is done 1 ms after it starts at ``ms``; returns the ID of its last event."""
        started = None if ms is None else ms - 1
        scheduled = self.add("workflow_task_scheduled", ms=started)
        started = self.add("workflow_task_started", scheduled_event_id=scheduled, identity="worker-1")
        return self.add(
            "workflow_task_completed", scheduled_event_id=scheduled, started_event_id=started, identity="worker-1"
        )

    def activity(self, task: int, activity_id: str = "1", *, ms: float | None = None, **attributes: Any) -> int:
        """Add an ACTIVITY_TASK_SCHEDULED event; returns its ID."""
        return self.add(
            "activity_task_scheduled",
            ms=ms,
            **{
                "activity_id": activity_id,
                "activity_type": {"name": "call_llm"},
                "task_queue": {"name": "queue"},
                "workflow_task_completed_event_id": task,
                "retry_policy": {"maximum_attempts": 3},
                **attributes,
            },
        )

    def attempt(self, scheduled: int, attempt: int = 1, *, ms: float | None = None, **attributes: Any) -> int:
        """Add an ACTIVITY_TASK_STARTED event; returns its ID."""
        return self.add(
            "activity_task_started",
            ms=ms,
            scheduled_event_id=scheduled,
            identity=f"worker-{attempt}",
            attempt=attempt,
            **attributes,
        )

    def complete_activity(self, scheduled: int, *results: Payload, ms: float | None = None) -> int:
        """Add an ACTIVITY_TASK_COMPLETED event; returns its ID."""
        return self.add(
            "activity_task_completed", ms=ms, scheduled_event_id=scheduled, result={"payloads": list(results)}
        )

    def reset(self, *, base: str = BASE_RUN_ID) -> int:
        """Add the WORKFLOW_TASK_FAILED event that marks a reset of a run; returns its ID."""
        scheduled = self.add("workflow_task_scheduled")
        started = self.add("workflow_task_started", scheduled_event_id=scheduled)
        return self.add(
            "workflow_task_failed",
            scheduled_event_id=scheduled,
            started_event_id=started,
            cause="WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW",
            failure={"message": "again", "reset_workflow_failure_info": {}},
            base_run_id=base,
            new_run_id=self.run_id,
        )

    def complete(self, *results: Payload, ms: float | None = None) -> int:
        """Add the WORKFLOW_EXECUTION_COMPLETED event; returns its ID."""
        return self.add("workflow_execution_completed", ms=ms, result={"payloads": list(results)})

    def proto(self) -> HistoryProto:
        """The history as a message."""
        return HistoryProto(events=self.events)

    def json(self) -> dict[str, Any]:
        """The history as JSON, in the spelling of current servers and SDKs."""
        document: dict[str, Any] = json.loads(MessageToJson(self.proto()))
        return document

    def sdk(self) -> WorkflowHistory:
        """The history as the SDK returns it."""
        return WorkflowHistory(self.workflow_id, self.events)

    def read(self) -> History:
        """The history as it is read, which is the same in all its forms."""
        forms = read(
            json.dumps(self.json()).encode(), self.proto().SerializeToString(), self.sdk(), (self.sdk(), self.run_id)
        )
        first, *others = forms
        assert isinstance(first, History), first
        for other in others:
            assert isinstance(other, History), other
            assert (other.workflow_id, other.run_id, other.namespace) == ("wf", first.run_id, "default")
            assert to_spans(other, TracingConfig(capture_content=True)) == to_spans(
                first, TracingConfig(capture_content=True)
            )
        return first

    def spans(self, *, content: bool = False) -> list[Span]:
        """The spans of the history."""
        return to_spans(self.read(), TracingConfig(capture_content=content))


def payload(data: str = '"x"', /, **metadata: bytes) -> Payload:
    """A JSON payload."""
    return Payload(metadata=JSON | metadata, data=data.encode())


def our_header(**fields: Any) -> dict[str, Any]:
    """A message header with ours in it."""
    return {"fields": {c.HEADER: Payload(metadata=JSON, data=TraceHeader(**fields).encode())}}


def step_header(
    key: str,
    run_id: str = RUN_ID,
    trace_id: int | None = None,
    *,
    kind: StepKind = "activity",
    sampled: bool = True,
    **fields: Any,
) -> dict[str, Any]:
    """The header that the live reader puts into a step."""
    span_id = step_span_id(run_id, kind, key, fields.get("nth", 1))
    reference = SpanReference(trace_id or run_trace_id(run_id), span_id, sampled)
    return our_header(**{"traceparent": str(reference), "resource": {"service.name": "agents"}, **fields})


def ledger(attempt: int, ms: float, duration_ms: float, *, run_id: str = RUN_ID, activity_id: str = "1") -> bytes:
    """A stored ledger of an attempt that started at ``ms`` and made one model call."""
    start = START_US * 1000 + round(ms * 1_000_000)
    call = LedgerSpan(
        span_id=f"{attempt:016x}",
        name="chat gpt-4o",
        kind=3,
        start=start + 1_000_000,
        end=start + 2_000_000,
        attributes={
            c.OPERATION: "chat",
            c.REQUEST_MODEL: "gpt-4o",
            c.USAGE_INPUT: 100 + attempt,
            c.USAGE_OUTPUT: 10 + attempt,
            c.COST: 0.25,
        },
    )
    return encode_ledger(
        Ledger(
            run=run_id,
            activity=activity_id,
            attempt=attempt,
            started=start // 1000,
            duration=round(duration_ms * 1_000_000),
            identity=f"worker-{attempt}",
            resource={"service.name": "agents"},
            spans=[call],
        )
    )


def failure(message: str, type_: str = "RateLimit", stored_ledger: bytes | None = None) -> dict[str, Any]:
    """An application failure, with a ledger where one is given."""
    if stored_ledger is None:
        return {"message": message, "application_failure_info": {"type": type_}}
    text = json.dumps({"message": message, "stack_trace": "at line 7"})
    return {
        "message": "Encoded failure",
        "encoded_attributes": payload(text, **{c.HEADER: stored_ledger}),
        "application_failure_info": {"type": type_},
    }


def tree(text: str) -> str:
    """A rendered trace as it stands in a test, without the margin."""
    return textwrap.dedent(text).strip("\n")

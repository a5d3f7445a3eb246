"""The run whose spans the tests of this folder write down."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tracing.config import TracingConfig
from tracing.payloads import Payload
from tracing.runs import Run
from tracing.spans.activity import Activity
from tracing.usage import Usage

if TYPE_CHECKING:
    from tracing.runs import Attributes

RUN_ID = "0199c0de-0000-7000-8000-000000000001"
TRACE = 0x0884FD559F037FEB254717F53BE6BB10
RUN_SPAN = 0xBA9A8C23FB2921D1
STEP_SPAN = 0xD1903EA4E88A9181
START = 1_763_884_800_123_456_000  # ns, of whole µs
SECOND = 1_000_000_000

RESOURCE = {"service.name": "agents"}
RUN = Run(
    namespace="default",
    workflow_id="research-1",
    run_id=RUN_ID,
    workflow_type="Research",
    trace_id=TRACE,
    session_id="chat-17",
    user_id="ada",
    tags=("beta",),
    resource=RESOURCE,
)
COMMON: Attributes = {
    "temporalWorkflowID": "research-1",
    "temporalRunID": RUN_ID,
    "temporal.namespace": "default",
    "temporal.workflow.type": "Research",
    "session.id": "chat-17",
    "gen_ai.conversation.id": "chat-17",
    "user.id": "ada",
    "tag.tags": ("beta",),
    "langfuse.trace.tags": ("beta",),
}
"""What each span of the run repeats."""

CALL_LLM = Activity(activity_id="1", activity_type="call_llm", task_queue="research", max_attempts=5)
STEP: Attributes = {
    "temporalActivityID": "1",
    "temporal.activity.type": "call_llm",
    "temporal.task_queue": "research",
    "temporal.max_attempts": 5,
    "openinference.span.kind": "CHAIN",
}
"""What the step and its attempts share."""

USAGE = Usage(calls=2, input_tokens=202, output_tokens=106, cached_tokens=26, reasoning_tokens=14, cost=Decimal("0.01"))
SUMS: Attributes = {
    "durable.llm.calls": 2,
    "durable.llm.input_tokens": 202,
    "durable.llm.output_tokens": 106,
    "durable.llm.cached_input_tokens": 26,
    "durable.llm.reasoning_tokens": 14,
    "durable.llm.unknown_cost_calls": 0,
    "durable.llm.cost": 0.01,
}

OFF, ON = TracingConfig(), TracingConfig(capture_content=True)


def json_payload(data: bytes) -> Payload:
    return Payload(data, {"encoding": b"json/plain"})


QUESTION, ANSWER = json_payload(b'"why?"'), json_payload(b'{"answer":"because"}')

"""An attempt without a worker: with a clock that stands still and a provider that keeps its spans."""

from __future__ import annotations

import dataclasses
import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from temporalio.common import RetryPolicy
from temporalio.testing import ActivityEnvironment

from tracing.config import TracingConfig
from tracing.ledger import read_ledger
from tracing.live.attempt import Attempt
from tracing.live.recorder import prepare_provider
from tracing.live.sdk_spans import from_sdk_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace.sampling import Sampler

    from tracing.headers import TraceHeader
    from tracing.ledger import Ledger
    from tracing.runs import Attributes
    from tracing.spans.model import Span

RUN_ID = "0199c0de-0000-7000-8000-000000000001"
STARTED = datetime(2025, 11, 23, 8, 0, 0, 123_456, tzinfo=UTC)
STARTED_NS = 1_763_884_800_123_456_000
ATTEMPT_SPAN = 0x3AD2377CCF84F419
STEP_SPAN = 0xD1903EA4E88A9181
DURATION_NS = 12_000_000

INFO = dataclasses.replace(
    ActivityEnvironment.default_info(),
    activity_id="1",
    activity_type="call_llm",
    attempt=1,
    scheduled_time=STARTED - timedelta(microseconds=7_440),
    started_time=STARTED,
    task_queue="research",
    retry_policy=RetryPolicy(maximum_attempts=5),
    workflow_id="research-1",
    workflow_run_id=RUN_ID,
    workflow_type="Research",
    workflow_namespace="default",
    namespace="default",
)

COMMON: Attributes = {
    "temporalWorkflowID": "research-1",
    "temporalRunID": RUN_ID,
    "temporal.namespace": "default",
    "temporal.workflow.type": "Research",
    "session.id": "research-1",
    "gen_ai.conversation.id": "research-1",
}
INNER: Attributes = COMMON | {"temporalActivityID": "1"}
"""What each span inside the attempt repeats."""


@dataclass
class WorkerAttempt:
    """One attempt of the activity `call_llm`."""

    config: TracingConfig = field(default_factory=TracingConfig)
    sampler: Sampler = ALWAYS_ON
    header: TraceHeader | None = None
    sampled: bool = True

    def __post_init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(
            sampler=self.sampler, resource=Resource({"service.name": "agents"}), shutdown_on_exit=False
        )
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        prepare_provider(self.provider)
        self.let_go: list[Span] = []
        self.attempt = Attempt(
            self.config,
            INFO,
            self.header,
            worker_identity="worker-1",
            resource={"service.name": "agents"},
            sampled=self.sampled,
            put=self.let_go.append,
            provider=self.provider,
            clock=itertools.count(0, DURATION_NS).__next__,
        )

    @contextmanager
    def inside(self) -> Iterator[None]:
        token = otel_context.attach(self.attempt.context())
        try:
            yield
        finally:
            otel_context.detach(token)

    def exported(self) -> list[Span]:
        return [from_sdk_span(span) for span in self._exporter.get_finished_spans()]

    def only(self) -> Span:
        """The one span that was exported."""
        [span] = self.exported()
        return span

    def ledger(self) -> Ledger:
        ledger = read_ledger(self.attempt.ledger(), run_id=RUN_ID, activity_id="1", attempt=1)
        assert ledger is not None
        return ledger

"""An attempt without a worker: with a clock that stands still and a provider that keeps its spans."""

from __future__ import annotations

import dataclasses
import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NoOpTracerProvider
from temporalio.common import RetryPolicy
from temporalio.testing import ActivityEnvironment

from tracing.config import TracingConfig
from tracing.ledger import read_ledger
from tracing.live.attempts.attempt import Attempt, AttemptWorker
from tracing.live.attempts.place import place_attempt
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.delivery.sdk_spans import from_sdk_span

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
LOCAL_STEP_SPAN = 0xC3A9E7985E63E59C
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
    info: dict[str, Any] = field(default_factory=dict)
    with_provider: bool = True

    def __post_init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(
            sampler=self.sampler, resource=Resource({"service.name": "agents"}), shutdown_on_exit=False
        )
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        prepare_provider(self.provider)
        self.let_go: list[Span] = []
        worker = AttemptWorker(
            self.config,
            self.let_go.append,
            identity="worker-1",
            build_id="build-7",
            resource={"service.name": "agents"},
            provider=self.provider if self.with_provider else NoOpTracerProvider(),
            clock=itertools.count(0, DURATION_NS).__next__,
        )
        info = dataclasses.replace(INFO, **self.info)
        place = place_attempt(self.config, info, self.header, resource=worker.resource, sampled=self.sampled)
        self.attempt = Attempt(worker, place, self.header.ledger_left if self.header else None)

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

    def ledger(self, attempt: int = 1) -> Ledger:
        ledger = read_ledger(self.attempt.ledger(), run_id=RUN_ID, activity_id="1", attempt=attempt)
        assert ledger is not None
        return ledger

"""The span of a Nexus operation, as its caller sees it: ``StartNexusOperation:S/O``, asked for until closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.identity import step_span_id
from tracing.payloads import PayloadMessage
from tracing.runs import Run
from tracing.spans.content import input_output, summary_of
from tracing.spans.model import Link, Span, SpanKind
from tracing.spans.step import Outcome, step_span


@dataclass(frozen=True, slots=True)
class NexusOperation:
    """What a workflow asked for.

    Attributes:
        endpoint: Nexus endpoint.
        service: Nexus service.
        operation: Nexus operation.
        span_id: Span ID where a header of ours carries it; else None, and it is computed.
        nth: Which call of this operation in the run, from 1.
    """

    endpoint: str
    service: str
    operation: str
    span_id: int | None = None
    nth: int = 1

    @property
    def key(self) -> str:
        """What identifies it in its run, beside the order of the calls."""
        return f"{self.endpoint}/{self.service}/{self.operation}"

    def step_id(self, run: Run) -> int:
        """Span ID of the step."""
        return self.span_id or step_span_id(run.run_id, "nexus_operation", self.key, self.nth)


def nexus_operation_span(
    config: TracingConfig,
    run: Run,
    operation: NexusOperation,
    *,
    start: int,
    outcome: Outcome,
    given: Sequence[PayloadMessage],
    summary: PayloadMessage | None = None,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a Nexus operation.

    Args:
        config: Settings.
        run: The caller's run.
        operation: The operation.
        start: Start of the workflow task that asked for it, in ns since the epoch.
        outcome: How it ended.
        given: Its input.
        summary: Summary that the workflow's code gave.
        links: To the base run's step, where reused.
    """
    return step_span(
        config,
        run,
        span_id=operation.step_id(run),
        name=c.start_nexus_operation(operation.service, operation.operation),
        kind=SpanKind.CLIENT,
        start=start,
        outcome=outcome,
        attributes={
            c.NEXUS_ENDPOINT: operation.endpoint,
            c.NEXUS_SERVICE: operation.service,
            c.NEXUS_OPERATION: operation.operation,
            **input_output(config, given, outcome.result),
            **summary_of(config, summary),
        },
        links=links,
    )

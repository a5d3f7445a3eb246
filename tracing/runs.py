"""Which trace does a run belong to, and what do all its spans repeat?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tracing import conventions as c
from tracing.headers import ClientStart, SpanReference, TraceHeader
from tracing.identity import run_span_id, run_trace_id

AttributeValue = str | bool | int | float | tuple[str, ...]
Attributes = dict[str, AttributeValue]


@dataclass(frozen=True)
class Run:
    """One execution with one run ID, as far as every span of it must know.

    Attributes:
        namespace: Namespace.
        workflow_id: Workflow ID.
        run_id: The real run ID.
        workflow_type: Workflow type.
        trace_id: Trace ID of all its spans.
        parent: The span that started it, where it continues a trace; None where it is a root.
        sampled: The sampling decision.
        session_id: Session; the workflow ID where none was set.
        user_id: User, or "".
        tags: Tags.
        resource: Resource attributes of the service that ran it.
        start: The client's StartWorkflow span, where the header carried it.
    """

    namespace: str
    workflow_id: str
    run_id: str
    workflow_type: str
    trace_id: int
    parent: int | None = None
    sampled: bool = True
    session_id: str = ""
    user_id: str = ""
    tags: tuple[str, ...] = ()
    resource: Mapping[str, AttributeValue] = field(default_factory=dict)
    start: ClientStart | None = None

    @property
    def span_id(self) -> int:
        """Span ID of the run's own span."""
        return run_span_id(self.run_id)

    def common_attributes(self) -> Attributes:
        """What every span of the run repeats, for backends aggregate per span."""
        session = self.session_id or self.workflow_id
        attributes: Attributes = {
            c.WORKFLOW_ID: self.workflow_id,
            c.RUN_ID: self.run_id,
            c.NAMESPACE: self.namespace,
            c.WORKFLOW_TYPE: self.workflow_type,
            c.SESSION_ID: session,
            c.CONVERSATION_ID: session,
        }
        if self.user_id:
            attributes[c.USER_ID] = self.user_id
        if self.tags:
            attributes[c.TAGS] = attributes[c.LANGFUSE_TAGS] = self.tags
        return attributes


def run_of(
    *,
    namespace: str,
    workflow_id: str,
    run_id: str,
    workflow_type: str,
    first_run_id: str,
    cron: bool,
    scheduled: bool,
    header: TraceHeader | None,
    resource: Mapping[str, AttributeValue],
    sampled: bool = True,
) -> Run:
    """Decide trace and session of a run from what its start says.

    Our header's ``traceparent`` decides only for the first run of a chain that no cron or schedule started: the server
    copies the first run's header into retries, cron runs and resets, and a schedule's header is fixed at creation.
    Every other run has a trace of its own, made of its run ID.

    Args:
        namespace: Namespace.
        workflow_id: Workflow ID.
        run_id: The real run ID.
        workflow_type: Workflow type.
        first_run_id: Run ID of the chain's first run.
        cron: Whether the run has a cron schedule.
        scheduled: Whether a schedule started it.
        header: Our header of its start event.
        resource: Resource attributes of the service.
        sampled: The sampler's decision, for a run whose header carries none.
    """
    continues: SpanReference | None = None
    if header is not None and run_id == first_run_id and not cron and not scheduled:
        continues = header.parent
    if header is not None and header.sampled is not None:
        sampled = header.sampled
    elif header is not None and header.parent is not None:
        # Of a retried or cron run as well: the decision is made once for a chain.
        sampled = header.parent.sampled
    return Run(
        namespace=namespace,
        workflow_id=workflow_id,
        run_id=run_id,
        workflow_type=workflow_type,
        trace_id=continues.trace_id if continues else run_trace_id(run_id),
        parent=continues.span_id if continues else None,
        sampled=sampled,
        session_id=header.session or "" if header else "",
        user_id=header.user or "" if header else "",
        tags=header.tags if header else (),
        resource=resource,
        start=header.start if header and continues else None,
    )

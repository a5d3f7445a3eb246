"""Which trace does a run belong to, and what do all its spans repeat?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final
from urllib.parse import quote

from tracing import conventions as c
from tracing.headers import ClientStart, SpanReference, TraceHeader
from tracing.identity import run_span_id, run_trace_id

AttributeValue = str | bool | int | float | tuple[str, ...]
Attributes = dict[str, AttributeValue]

SCHEDULED_BY: Final = "TemporalScheduledById"
"""Search attribute of a run that a schedule started."""


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
        environment: Environment that the user set at start, or "".
        ui_address: Address of Temporal's UI, or "".
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
    environment: str = ""
    ui_address: str = ""
    resource: Mapping[str, AttributeValue] = field(default_factory=dict)
    start: ClientStart | None = None

    @cached_property
    def span_id(self) -> int:
        """Span ID of the run's own span."""
        return run_span_id(self.run_id)

    def common_attributes(self) -> Mapping[str, AttributeValue]:
        """What every span of the run repeats, for backends aggregate per span."""
        return self._common

    @cached_property
    def _common(self) -> Attributes:
        return self._repeated()

    def _repeated(self) -> Attributes:
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
        if self.environment:
            attributes[c.ENVIRONMENT] = self.environment
        if self.ui_address:
            attributes[c.UI_URL] = self.ui_url()
        return attributes

    def left_out(self) -> Run:
        """The run, sampled out."""
        return replace(self, sampled=False)

    def ui_url(self) -> str:
        """Address of the run in Temporal's UI (its path since version 2.0)."""
        names = (quote(name, safe="") for name in (self.namespace, self.workflow_id, self.run_id))
        return "{}/namespaces/{}/workflows/{}/{}/history".format(self.ui_address.rstrip("/"), *names)


@dataclass(frozen=True)
class StandaloneRun(Run):
    """The run of a standalone activity, which a client started: no workflow is around it.

    ``run_id`` is the activity's own; ``session_id`` is the activity ID where no session was set.
    """

    def _repeated(self) -> Attributes:
        attributes = super()._repeated()
        attributes[c.ACTIVITY_RUN_ID] = attributes[c.RUN_ID]
        of_a_workflow = {c.WORKFLOW_ID, c.RUN_ID, c.WORKFLOW_TYPE, c.UI_URL}
        return {key: value for key, value in attributes.items() if key not in of_a_workflow}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """What the start of a run says, as both readers know it.

    Attributes:
        namespace: Namespace.
        workflow_id: Workflow ID.
        run_id: The real run ID.
        workflow_type: Workflow type.
        first_run_id: Run ID of the chain's first run.
        continued_run_id: Run ID of the run before in the chain, or "".
        cron: Whether the run has a cron schedule.
        scheduled: Whether a schedule started it.
        header: Our header of its start event.
        foreign: The span in the header of Temporal's own integration, where ours is not beside it.
    """

    namespace: str
    workflow_id: str
    run_id: str
    workflow_type: str
    first_run_id: str
    continued_run_id: str = ""
    cron: bool = False
    scheduled: bool = False
    header: TraceHeader | None = None
    foreign: SpanReference | None = None

    @property
    def parent(self) -> SpanReference | None:
        """The span that the run continues.

        Our header's ``traceparent`` decides only for the first run of a chain that no cron or schedule started: the
        server copies the first run's header into retries, cron runs and resets, and a schedule's header is fixed at
        creation. Every other run has a trace of its own, made of its run ID.
        """
        return self.first_parent if self.run_id == self.first_run_id else None

    @property
    def first_parent(self) -> SpanReference | None:
        """The span that the first run of the chain continues."""
        if self.header is None or self.cron or self.scheduled:
            return None
        return self.header.parent


def run_of(
    start: RunStart, *, resource: Mapping[str, AttributeValue], sampled: bool = True, ui_address: str = ""
) -> Run:
    """Decide trace, session and sampling of a run.

    Args:
        start: What its start says.
        resource: Resource attributes of the service.
        sampled: The sampler's decision, for a run whose header carries none.
        ui_address: Address of Temporal's UI, or "".
    """
    header, parent = start.header, start.parent
    if header is not None and header.sampled is not None:
        sampled = header.sampled
    elif header is not None and header.parent is not None and not start.scheduled:
        # Of a retried or cron run as well: the decision is made once for a chain. Of a scheduled run, the header is
        # that of the request which created the schedule, and says nothing of this run.
        sampled = header.parent.sampled
    return Run(
        namespace=start.namespace,
        workflow_id=start.workflow_id,
        run_id=start.run_id,
        workflow_type=start.workflow_type,
        trace_id=parent.trace_id if parent else run_trace_id(start.run_id),
        parent=parent.span_id if parent else None,
        sampled=sampled,
        session_id=header.session or "" if header else "",
        user_id=header.user or "" if header else "",
        tags=header.tags if header else (),
        environment=header.environment or "" if header else "",
        ui_address=ui_address,
        resource=resource,
        start=header.start if header and parent else None,
    )

"""What does a server send of a run, and how does it become a history?

It is kept as the bytes that were sent: small, and cheap to hand to another process, which decodes and converts it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History as HistoryProto
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowHistory

from tracing.history.documents import Document, Names, Unreadable, UnreadableError
from tracing.history.pending import pending_from_proto
from tracing.history.proto_events import events_from_proto
from tracing.history.source import History, history_of

CLOSING: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
"""Event types that close a run."""


@dataclass(frozen=True, slots=True)
class ServerRun:
    """A run on a server.

    Attributes:
        namespace: Namespace.
        workflow_id: Workflow ID.
        run_id: Run ID; "" is the latest.
        closed: Whether it has ended, where visibility told of it: its history changes no more.
    """

    namespace: str
    workflow_id: str
    run_id: str = ""
    closed: bool | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.workflow_id} {self.run_id}" if self.run_id else self.workflow_id


@dataclass(frozen=True, slots=True)
class Fetched:
    """A run as the server sent it.

    Attributes:
        run: The run, with its real run ID.
        events: Its events: a serialised ``temporal.api.history.v1.History``.
        pending: Its pending activities, of a run still open: a serialised ``DescribeWorkflowExecutionResponse`` that
            holds nothing else.
        open: Whether it had not ended.
    """

    run: ServerRun
    events: bytes
    pending: bytes = b""
    open: bool = False

    def history(self) -> History:
        """Decode it.

        Raises:
            UnreadableError: It does not begin with the start of a run.
        """
        names = Names(self.run.workflow_id, self.run.run_id, self.run.namespace)
        events = events_from_proto(HistoryProto.FromString(self.events).events)
        history = history_of(Document(events, [], names), names)
        if not self.pending:
            return history
        described = DescribeWorkflowExecutionResponse.FromString(self.pending)
        return replace(history, pending=pending_from_proto(described.pending_activities))

    def read(self) -> History | Unreadable:
        """Decode it, as `tracing.history.read` does a file."""
        try:
            return self.history()
        except UnreadableError as error:
            return Unreadable(str(self.run), str(error))

    def sdk(self) -> WorkflowHistory:
        """The history as the SDK has it: to be replayed, or written with ``tracing.tracefile.write_history``."""
        return WorkflowHistory(self.run.workflow_id, list(HistoryProto.FromString(self.events).events))

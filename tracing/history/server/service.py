"""Which requests does a server answer about runs: their events, how they stand, which there are?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.history.v1 import History as HistoryProto
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tracing.history.server.fetched import CLOSING, Fetched, ServerRun
from tracing.history.server.relations import relations
from tracing.history.server.requests import Requests

_LISTED: Final = 1_000
"""Runs asked for at once."""

_MAX_TRIES: Final = 3
"""How often an open run is fetched again that goes on meanwhile."""

_CLOSED: Final = frozenset(
    {
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
    }
)
"""Statuses of runs that have ended."""

_UNQUOTABLE: Final = frozenset('"\\')
"""What servers do not agree how to write in a query."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers about a run.

    Attributes:
        fetched: The run as it was sent.
        events: Its events.
        described: How it stands, where that was asked.
    """

    fetched: Fetched
    events: Sequence[HistoryEvent]
    described: DescribeWorkflowExecutionResponse | None = None


class Service:
    """A server's answers.

    Args:
        client: A connected client.
        requests: How requests are sent.
    """

    def __init__(self, client: Client, requests: Requests) -> None:
        self._workflows = client.workflow_service
        self._requests = requests

    async def named(self, run: ServerRun) -> ServerRun:
        """The run with its run ID; the latest run of its workflow ID where it has none."""
        if run.run_id:
            return run
        # The history of a run made by a reset names its base run: ask which run it is.
        info = (await self.describe(run)).workflow_execution_info
        return ServerRun(run.namespace, run.workflow_id, info.execution.run_id)

    async def fetch(self, run: ServerRun) -> Answer:
        """The events of a run; of a run still open, how it stands as well.

        Raises:
            RPCError: The server does not have it, or does not answer.
        """
        run = await self.named(run)
        for _ in range(_MAX_TRIES):
            answer = await self._events(run)
            if not answer.fetched.open:
                return answer
            described = await self.describe(run)
            pending = DescribeWorkflowExecutionResponse(pending_activities=described.pending_activities)
            fetched = Fetched(run, answer.fetched.events, pending.SerializeToString(), open=True)
            answer = Answer(fetched, answer.events, described)
            if described.workflow_execution_info.history_length <= len(answer.events):
                break
        return answer

    async def first_of(self, run: ServerRun) -> ServerRun:
        """The first run of the chain that a run belongs to."""
        page = await self._page(run, page_size=1)
        return relations(run, page.history.events).first

    async def resets_of(self, run: ServerRun, described: DescribeWorkflowExecutionResponse | None) -> list[ServerRun]:
        """The run that a run was last reset to, if it was."""
        try:
            described = described or await self.describe(run)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return []  # its history came from an archive
            raise
        reset = described.workflow_extended_info.reset_run_id
        return [ServerRun(run.namespace, run.workflow_id, reset)] if reset else []

    async def of_same_id(self, run: ServerRun) -> list[ServerRun]:
        """The runs of the same workflow ID that visibility knows."""
        workflow_id = run.workflow_id
        if not workflow_id.isprintable() or _UNQUOTABLE & set(workflow_id):
            return []
        query = "WorkflowId = '{}'".format(workflow_id.replace("'", "''"))
        return [found async for found in self.find(query, run.namespace) if found.workflow_id == workflow_id]

    async def describe(self, run: ServerRun) -> DescribeWorkflowExecutionResponse:
        """How a run stands."""
        request = DescribeWorkflowExecutionRequest(namespace=run.namespace, execution=_execution(run))
        return await self._requests.send(self._workflows.describe_workflow_execution, request)

    async def find(self, query: str, namespace: str) -> AsyncIterator[ServerRun]:
        """The runs that a visibility query finds, page by page."""
        request = ListWorkflowExecutionsRequest(namespace=namespace, query=query, page_size=_LISTED)
        while True:
            response = await self._requests.send(self._workflows.list_workflow_executions, request)
            for info in response.executions:
                yield ServerRun(namespace, info.execution.workflow_id, info.execution.run_id, info.status in _CLOSED)
            if not response.next_page_token:
                return
            request.next_page_token = response.next_page_token

    async def _events(self, run: ServerRun) -> Answer:
        pages: list[bytes] = []
        events: list[HistoryEvent] = []
        token = b""
        while True:
            page = await self._page(run, token=token)
            pages.append(page.history.SerializeToString())
            events += page.history.events
            token = page.next_page_token
            if not token:
                break
        # Serialised messages one after the other are one message with the events of all.
        is_open = bool(events) and events[-1].event_type not in CLOSING
        return Answer(Fetched(run, b"".join(pages), open=is_open), events)

    async def _page(
        self, run: ServerRun, *, token: bytes = b"", page_size: int = 0
    ) -> GetWorkflowExecutionHistoryResponse:
        """A page of a run's events, as large as the server allows where no size is given."""
        request = GetWorkflowExecutionHistoryRequest(
            namespace=run.namespace,
            execution=_execution(run),
            maximum_page_size=page_size,
            next_page_token=token,
        )
        page = await self._requests.send(self._workflows.get_workflow_execution_history, request)
        for blob in page.raw_history:  # some servers send events as they store them
            page.history.MergeFrom(HistoryProto.FromString(blob.data))
        return page


def _execution(run: ServerRun) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)

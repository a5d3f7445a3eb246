"""A Temporal server in memory: answers as the real one does, as far as histories are read from it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from temporalio.api.history.v1 import History
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryResponse,
    ListWorkflowExecutionsResponse,
)
from temporalio.service import RPCError, RPCStatusCode

from tests.history.recording import Recording
from tracing.history.server.fetched import CLOSING
from tracing.history.server.reader import Server
from tracing.history.server.requests import Requests

if TYPE_CHECKING:
    from datetime import timedelta

    from temporalio.client import Client

WORKFLOW_ID = "wf"


def run_id(number: int) -> str:
    """Run ID of a run by its number."""
    return f"5f0e4f7e-0000-4000-8000-{number:012}"


@dataclass
class MemoryServer:
    """A server, and its client.

    Attributes:
        page_size: Events of a page, runs of a page of a listing.
        hidden: Runs that visibility does not know.
        pending: Pending activities by run ID.
        resets: To which run a run was last reset.
        refusals: What the next requests of an RPC are answered with, by its name.
        asked: The requests, by RPC, workflow ID and run ID.
        gates: Requests about a run wait for its gate, by run ID.
        most: How many requests were under way at once.
    """

    namespace: str = "ns"
    page_size: int = 100
    hidden: set[str] = field(default_factory=set)
    pending: dict[str, list[Any]] = field(default_factory=dict)
    resets: dict[str, str] = field(default_factory=dict)
    refusals: defaultdict[str, list[RPCError]] = field(default_factory=lambda: defaultdict(list))
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    most: int = 0
    _runs: dict[tuple[str, str, str], Recording] = field(default_factory=dict)
    _under_way: int = 0

    @property
    def workflow_service(self) -> MemoryServer:
        """The client's service is the server itself."""
        return self

    def reader(self, **options: Any) -> Server:
        """A reader of this server that does not wait before it asks again."""

        async def at_once(_seconds: float) -> None:
            await asyncio.sleep(0)

        return Server(cast("Client", self), requests=Requests(sleep=at_once), **options)

    def add(self, recording: Recording, *, namespace: str = "ns", run: str | None = None) -> Recording:
        """Keep a run; ``run`` is its real run ID, where its history does not name it."""
        self._runs[namespace, recording.workflow_id, run or recording.run_id] = recording
        return recording

    def count(self, rpc: str) -> int:
        """How often something was asked."""
        return Counter(name for name, *_ in self.asked)[rpc]

    async def has_asked(self, rpc: str, count: int) -> None:
        """Wait until something was asked so often."""
        while self.count(rpc) < count:  # noqa: ASYNC110 - all that goes on goes on in this loop
            await asyncio.sleep(0)

    async def get_workflow_execution_history(
        self, request: Any, **_timeout: timedelta
    ) -> GetWorkflowExecutionHistoryResponse:
        recording, run = await self._find("history", request.namespace, request.execution)
        first = int(request.next_page_token or b"0")
        last = first + min(request.maximum_page_size or self.page_size, self.page_size)
        if run in self.gates:
            await self.gates[run].wait()
        self._under_way -= 1
        return GetWorkflowExecutionHistoryResponse(
            history=History(events=recording.events[first:last]),
            next_page_token=str(last).encode() if last < len(recording.events) else b"",
        )

    async def describe_workflow_execution(
        self, request: Any, **_timeout: timedelta
    ) -> DescribeWorkflowExecutionResponse:
        recording, run = await self._find("describe", request.namespace, request.execution)
        self._under_way -= 1
        response = DescribeWorkflowExecutionResponse(pending_activities=self.pending.get(run, []))
        response.workflow_execution_info.execution.run_id = run
        response.workflow_execution_info.history_length = len(recording.events)
        response.workflow_extended_info.reset_run_id = self.resets.get(run, "")
        return response

    async def list_workflow_executions(self, request: Any, **_timeout: timedelta) -> ListWorkflowExecutionsResponse:
        self._refuse("list", "", "")
        await asyncio.sleep(0)
        found = []
        for (namespace, workflow_id, run), recording in self._runs.items():
            if namespace != request.namespace or run in self.hidden:
                continue
            if request.query.startswith("WorkflowId") and request.query != f"WorkflowId = '{workflow_id}'":
                continue
            closed = recording.events[-1].event_type in CLOSING
            info = WorkflowExecutionInfo(status=2 if closed else 1)  # type: ignore[arg-type] # completed, running
            info.execution.workflow_id, info.execution.run_id = workflow_id, run
            found.append(info)
        first = int(request.next_page_token or b"0")
        last = first + self.page_size
        token = str(last).encode() if last < len(found) else b""
        return ListWorkflowExecutionsResponse(executions=found[first:last], next_page_token=token)

    async def _find(self, rpc: str, namespace: str, execution: Any) -> tuple[Recording, str]:
        self._refuse(rpc, execution.workflow_id, execution.run_id)
        runs = [key for key in self._runs if key[:2] == (namespace, execution.workflow_id)]
        named = [key for key in runs if execution.run_id in {"", key[2]}]
        if not named:
            raise RPCError(f"no run {execution.run_id}", RPCStatusCode.NOT_FOUND, b"")
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        await asyncio.sleep(0)
        return self._runs[named[-1]], named[-1][2]

    def _refuse(self, rpc: str, workflow_id: str, run: str) -> None:
        self.asked.append((rpc, workflow_id, run))
        if self.refusals[rpc]:
            raise self.refusals[rpc].pop(0)


def refused(status: RPCStatusCode, message: str = "no") -> RPCError:
    """A refusal."""
    return RPCError(message, status, b"")


def closed(number: int, *, workflow_id: str = WORKFLOW_ID, **started: Any) -> Recording:
    """A run that has returned."""
    recording = Recording(run_id=run_id(number), workflow_id=workflow_id, **started)
    recording.complete()
    return recording

"""Which runs have closed since some time?

Visibility answers, which a server fills a moment after a run has closed, or minutes after where its store is busy. So
what it says of the last minutes is never complete: it is asked for them again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from tracing.history import History, fetch
from tracing.history.server.requests import said

RPC_SECONDS: Final = 30.0
"""Longest wait for one answer of the server."""

_US: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class ClosedRun:
    """A run that has closed.

    Attributes:
        closed: When, in µs since the epoch.
        run_id: Run ID.
        workflow_id: Workflow ID.
    """

    closed: int
    run_id: str
    workflow_id: str


class RunSource(Protocol):
    """Where closed runs and their histories come from."""

    def closed(self, since: int, until: int | None) -> AsyncGenerator[ClosedRun]:
        """Runs that closed at `since` or later, and before `until` where it is given (µs since the epoch).

        Raises:
            temporalio.service.RPCError: The server cannot be asked, or does not understand the query.
        """

    async def history(self, run: ClosedRun) -> History:
        """The history of a run.

        Raises:
            temporalio.service.RPCError: The server has no such run, or cannot be asked.
            tracing.history.documents.UnreadableError: It is none.
        """


class TemporalRuns:
    """Closed runs of a namespace.

    Args:
        client: A connected client; its namespace is watched.
        query: A visibility query that narrows the runs; "" for all.
    """

    def __init__(self, client: Client, query: str = "") -> None:
        self._client = client
        self._query = query

    async def closed(self, since: int, until: int | None) -> AsyncGenerator[ClosedRun]:
        """See ``RunSource``."""
        query = closed_query(self._query, since, until)
        async for run in self._client.list_workflows(query, rpc_timeout=timedelta(seconds=RPC_SECONDS)):
            if (found := _closed(run)) is not None:
                yield found

    async def history(self, run: ClosedRun) -> History:
        """See ``RunSource``."""
        return await fetch(self._client, run.workflow_id, run.run_id)


def closed_query(query: str, since: int, until: int | None) -> str:
    """A visibility query for runs that closed within some time.

    Args:
        query: What narrows it further; "" for nothing.
        since: First close time, in µs since the epoch.
        until: Close time before which, in µs; None for no end.
    """
    parts = [f"({query})"] if query else []
    parts.append(f"CloseTime >= '{shown_time(since)}'")
    if until is not None:
        parts.append(f"CloseTime < '{shown_time(until)}'")
    return " AND ".join(parts)


def unlisted(error: RPCError) -> str:
    """Why closed runs cannot be listed, and how to mend it where waiting does not."""
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            mend = " Check the namespace."
        case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
            mend = " Check the API key or certificate, and the namespace."
        case _:
            mend = ""
    return f"Temporal cannot be asked for closed runs ({said(error)}).{mend}"


def shown_time(us: int) -> str:
    """A time in µs since the epoch as people and queries have it."""
    return (_EPOCH + us * _US).isoformat(timespec="microseconds").replace("+00:00", "Z")


def us_since_epoch(time: datetime) -> int:
    """A time in µs since the epoch."""
    return (time - _EPOCH) // _US


def _closed(run: WorkflowExecution) -> ClosedRun | None:
    if run.close_time is None:
        return None
    return ClosedRun(us_since_epoch(run.close_time), run.run_id, run.id)

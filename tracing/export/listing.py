"""Which runs of a server does a workflow ID, or a visibility query, mean?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from temporalio.service import RPCError, RPCStatusCode

from tracing.export.items import RunItem
from tracing.export.server import ServerConnection
from tracing.history.documents import Unreadable
from tracing.history.server.requests import refusal, said


class QueryError(Exception):
    """The server does not understand a query; the message says why."""


def one_run(server: ServerConnection, workflow_id: str, run_id: str | None) -> Iterator[RunItem]:
    """The run of a workflow ID: the latest where no run ID is given."""
    run = server.reader.run(workflow_id, run_id)
    with suppress(RPCError):  # whoever reads the run says what is wrong
        run = server.run(server.reader.named(run))
    yield RunItem(run.namespace, run.workflow_id, run.run_id)


def found_runs(server: ServerConnection, query: str, problems: list[str]) -> Iterator[RunItem]:
    """The runs that a visibility query finds, in the server's order, while they are listed.

    Args:
        server: The server.
        query: The query.
        problems: Gets a sentence where the server stops answering in the middle.

    Raises:
        QueryError: The server does not understand the query.
    """
    try:
        for run in server.each(server.reader.find(query)):
            yield RunItem(run.namespace, run.workflow_id, run.run_id)
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise QueryError(error.message) from error
        problems.append(f"--query {query!r}: {_breaking_off(error)}")


def _breaking_off(error: RPCError) -> str:
    """Why a listing broke off, and how to mend it."""
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return f"the server says: {said(error)}. Check the namespace."
        case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
            return refusal(error)
        case _:
            return f"the server says: {said(error)}. Runs may be missing: run it again."


def related_runs(
    server: ServerConnection, workflow_id: str, run_id: str | None, *, children: bool
) -> Iterator[RunItem | Unreadable]:
    """The runs of a chain: continued, retried, by a cron, reset; and, where asked for, the chains of the children."""
    for found in server.each(server.reader.chain(workflow_id, run_id, children=children)):
        if isinstance(found, Unreadable):
            yield found
        else:
            yield RunItem(found.run.namespace, found.run.workflow_id, found.run.run_id, found)


def count_runs(server: ServerConnection, query: str) -> int | None:
    """How many runs a query finds; None where the server does not say."""
    try:
        return server.run(server.client.count_workflows(query)).count
    except RPCError:
        return None  # listing tells what is wrong

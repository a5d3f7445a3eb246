"""How is the history of a run fetched from a server, with its real run ID?"""

from __future__ import annotations

from temporalio.client import Client

from tracing.history.documents import Document, Names
from tracing.history.events import events_from_proto
from tracing.history.source import History, history_of


async def fetch(client: Client, workflow_id: str, run_id: str | None = None) -> History:
    """Fetch the history of a run.

    Args:
        client: A connected client; its namespace is the run's.
        workflow_id: Workflow ID.
        run_id: Run ID; the latest run where None.

    Returns:
        The history. Payloads are as the server holds them.

    Raises:
        temporalio.service.RPCError: The server has no such run, or does not answer.
    """
    if run_id is None:
        # The history names the base run where this run was made by a reset: ask which run it is, and fetch just that.
        run_id = (await client.get_workflow_handle(workflow_id).describe()).run_id
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    history = await handle.fetch_history()
    names = Names(workflow_id, run_id, client.namespace)
    return history_of(Document(events_from_proto(history.events), [], names), names)

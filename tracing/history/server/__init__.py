"""How do histories come from a Temporal server: one run, a chain of runs, all runs of a query?"""

from temporalio.client import Client

from tracing.history.server.fetched import Fetched, ServerRun
from tracing.history.server.reader import Server
from tracing.history.source import History

__all__ = ["Fetched", "Server", "ServerRun", "fetch"]


async def fetch(client: Client, workflow_id: str, run_id: str | None = None) -> History:
    """Fetch the history of a run.

    Args:
        client: A connected client; its namespace is the run's.
        workflow_id: Workflow ID.
        run_id: Run ID; the latest run where None.

    Returns:
        The history. Payloads are as the server holds them. Of a run still open it is what has happened up to now,
        with its pending activities.

    Raises:
        temporalio.service.RPCError: The server has no such run, or does not answer.
    """
    server = Server(client)
    return (await server.fetch(server.run(workflow_id, run_id))).history()

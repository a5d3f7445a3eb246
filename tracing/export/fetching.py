"""How is a run of a server there when it is read, and why is there none?"""

from __future__ import annotations

from temporalio.service import RPCError

from tracing.export.items import RunItem
from tracing.export.server import Fetching, NotConnectedError, ServerConnection
from tracing.history.documents import Unreadable
from tracing.history.server.fetched import Fetched, ServerRun
from tracing.history.server.requests import refusal


class RunFetcher:
    """Fetches runs, some of them ahead: while others are converted.

    Args:
        server: The server that they are on.
    """

    def __init__(self, server: ServerConnection) -> None:
        self._server = server
        self._ahead: dict[RunItem, Fetching] = {}

    def prepare(self, item: RunItem) -> None:
        """Begin to fetch a run, unless it came with its item or is under way."""
        if item.fetched is None and item not in self._ahead:
            self._ahead[item] = self._server.fetch(ServerRun(item.namespace, item.workflow_id, item.run_id))

    def fetched(self, item: RunItem) -> Fetched | Unreadable:
        """Wait for a run; or why the server does not give it."""
        if item.fetched is not None:
            return item.fetched
        try:
            self.prepare(item)
            return self._server.fetched(self._ahead.pop(item))
        except RPCError as error:
            return Unreadable(item.workflow_id, refusal(error))
        except NotConnectedError as error:
            return Unreadable(item.workflow_id, f"The server cannot be reached: {error}")

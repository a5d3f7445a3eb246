"""How are workflows of a DBOS database listed and read?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import blake2b

from tracing.config import TracingConfig
from tracing.dbos import DatabaseError, Reader, connect, convert
from tracing.dbos.parts import goes_on
from tracing.dbos.serializers import loaded
from tracing.export.found import FoundRun, found_workflow
from tracing.export.items import WorkflowItem
from tracing.history.documents import Unreadable


class Workflows:
    """The workflows of a database, which is opened when it is needed.

    Args:
        url: URL of the system database.
        config: Settings of the conversion.
        serializer: ``module:object`` of the user's serialiser, for ledgers that it wrote; "" for none.
    """

    def __init__(self, url: str, config: TracingConfig, serializer: str = "") -> None:
        self._url = url
        self._serializer = serializer
        self._config = config
        self._open = ExitStack()
        self._rows: Reader | None = None

    def items(self, workflow_id: str | None = None) -> list[WorkflowItem]:
        """All workflows, in the order they were created, or that of an ID, whether it is there or not.

        Raises:
            DatabaseError: The database cannot be read.
            ValueError: There is no such serialiser.
        """
        reader = self._reader()
        ids = reader.workflow_ids() if workflow_id is None else [workflow_id]
        return [WorkflowItem(reader.name, each) for each in ids]

    def stamp(self, item: WorkflowItem) -> str:
        """What tells whether a workflow has changed since; "" while it goes on, and where that cannot be told."""
        try:
            reader = self._reader()
            row = reader.workflow(item.workflow_id, values=False)
            state = reader.state(item.workflow_id)
        except DatabaseError:
            return ""  # who reads it says what is wrong
        if row is None or goes_on(row):
            return ""
        return blake2b(repr(state).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def read(self, item: WorkflowItem) -> Iterator[FoundRun | Unreadable]:
        """A workflow, or why it cannot be read."""
        try:
            converted = convert(self._reader(), item.workflow_id, self._config)
        except DatabaseError as error:
            yield Unreadable(item.workflow_id, str(error))
            return
        if converted is None:
            yield Unreadable(item.workflow_id, "The database has no workflow of this ID.")
        else:
            yield found_workflow(converted)

    def close(self) -> None:
        """Close the database."""
        self._rows = None
        self._open.close()

    def _reader(self) -> Reader:
        if self._rows is None:
            serializer = loaded(self._serializer) if self._serializer else None
            self._rows = Reader(self._open.enter_context(connect(self._url)), serializer)
        return self._rows

"""What is to be exported: files, runs of a server, or workflows of a database?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click

from tracing.cli.connection import Connection
from tracing.cli.server_options import ServerOptions
from tracing.config import TracingConfig
from tracing.dbos import DatabaseError
from tracing.export.database import Workflows
from tracing.export.items import FileItem, Item, file_items
from tracing.export.listing import count_runs, found_runs, one_run, related_runs
from tracing.export.server import ServerConnection
from tracing.history.documents import Unreadable


@dataclass
class Asked:
    """What is to be exported.

    Attributes:
        items: Items, and what cannot be one.
        total: How many; None where nobody knows yet.
        size: How large they are together, in bytes, as far as that is known.
        server: The server that they are on.
    """

    items: Iterator[Item | Unreadable]
    total: int | None
    size: int = 0
    server: ServerConnection | None = None


@dataclass(frozen=True, slots=True)
class Which:
    """Which items a call names: files, runs of a server, or workflows of a database.

    Attributes:
        paths: Files, folders and URLs.
        workflow_id: A workflow ID.
        run_id: Which run of it.
        query: A visibility query.
        database: URL of a DBOS system database.
        serializer: ``module:object`` of a serialiser of the user's, for ledgers in that; "" for none.
    """

    paths: tuple[str, ...]
    workflow_id: str | None
    run_id: str | None
    query: str | None
    database: str | None
    serializer: str = ""

    def check(self, reading: ServerOptions, *of_temporal: tuple[str, object]) -> None:
        """See that it names one kind of items, and that all options go with that.

        Args:
            reading: Which runs beside the one that is named, and how fast they are read.
            of_temporal: Other options that are for histories of Temporal only, and what was given for them.

        Raises:
            click.UsageError: It does not.
        """
        if self.database is not None:
            given = (
                ("PATH", self.paths),
                ("--run-id", self.run_id),
                ("--query", self.query),
                ("--chain or --children", reading.related),
                *of_temporal,
            )
            if wrong := [name for name, value in given if value]:
                raise click.UsageError(f"--dbos reads a database of DBOS: {', '.join(wrong)} cannot be given with it.")
            return
        if self.serializer:
            raise click.UsageError("--serializer reads ledgers in a database of DBOS: give it with --dbos.")
        if bool(self.query) is bool(self.paths or self.workflow_id):
            raise click.UsageError("Give history files, or --workflow-id, or --query: one of the three.")
        if self.run_id and self.query:
            raise click.UsageError("--run-id names one run: give it with --workflow-id or one file, not with --query.")
        if (self.workflow_id or self.run_id) and len(list(islice(file_items(self.paths), 2))) > 1:
            raise click.UsageError("--workflow-id and --run-id name one run: of files, give one.")
        reading.check(None if self.paths else self.workflow_id)

    def ask(self, connection: Connection, reading: ServerOptions, folder: Path, problems: list[str]) -> Asked:
        """Look for them.

        Args:
            connection: How a server is reached.
            reading: Which runs beside the one that is named, and how fast they are read.
            folder: The output folder.
            problems: Gets a sentence where the server stops answering in the middle.

        Raises:
            click.ClickException: The database cannot be read.
            click.UsageError: There is no such serialiser.
        """
        if self.database is not None:
            return _workflows(self.database, self.workflow_id, self.serializer)
        return _files(self.paths, folder) if self.paths else self._runs(connection, reading, problems)

    def _runs(self, connection: Connection, reading: ServerOptions, problems: list[str]) -> Asked:
        server = ServerConnection(connection.connect, concurrency=reading.concurrency, rate=reading.rate)
        if self.workflow_id and reading.related:
            related = related_runs(server, self.workflow_id, self.run_id, children=reading.children)
            return Asked(related, None, server=server)
        if self.workflow_id:
            return Asked(one_run(server, self.workflow_id, self.run_id), 1, server=server)
        assert self.query
        return Asked(found_runs(server, self.query, problems), count_runs(server, self.query), server=server)


def _files(paths: tuple[str, ...], folder: Path) -> Asked:
    if any("://" in path for path in paths):
        return Asked(file_items(paths, folder), None)  # to list a bucket twice costs more than a process too many
    total = size = 0
    for item in file_items(paths, folder):
        total += 1
        with suppress(OSError):  # it is named when it is read
            size += Path(item.path).stat().st_size if isinstance(item, FileItem) else 0
    return Asked(file_items(paths, folder), total, size)


def _workflows(url: str, workflow_id: str | None, serializer: str) -> Asked:
    try:
        with closing(Workflows(url, TracingConfig(), serializer)) as workflows:
            items = workflows.items(workflow_id)
    except DatabaseError as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.UsageError(f"--serializer: {error}") from error
    return Asked(iter(items), len(items))

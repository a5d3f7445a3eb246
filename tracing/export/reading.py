"""How is an item read, in whichever process?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tracing.decoding import Decoder
from tracing.export.database import Workflows
from tracing.export.fetching import RunFetcher
from tracing.export.found import FoundRun, found_history
from tracing.export.items import FileItem, Item, RunItem, WorkflowItem
from tracing.export.server import ServerConnection
from tracing.export.settings import ExportSettings
from tracing.history.documents import Unreadable
from tracing.history.reading import read
from tracing.history.server.fetched import Fetched
from tracing.history.source import History
from tracing.history.sources.files import File
from tracing.history.sources.listing import files

CLOSED: Final = "closed"
"""Stamp of a run on a server that is over: its history does not change any more."""


class Reader:
    """Reads items, one history at a time."""

    def __init__(self, settings: ExportSettings, server: ServerConnection | None = None) -> None:
        if server is None and settings.connect is not None:
            server = ServerConnection(settings.connect, concurrency=settings.concurrency, rate=settings.rate)
        self._settings = settings
        self._server = server
        self._runs = RunFetcher(server) if server is not None else None
        self._decoder: Decoder | None = None
        self._workflows: Workflows | None = None
        if settings.database is not None:
            self._workflows = Workflows(settings.database, settings.config, settings.serializer)

    @property
    def ahead(self) -> int:
        """How many items may be at hand: runs are fetched while others are converted, files are read one by one."""
        return self._settings.held if self._settings.connect is not None else 1

    def prepare(self, item: Item) -> None:
        """Begin to fetch a run, so that it is there when it is read."""
        if isinstance(item, RunItem):
            self._fetcher().prepare(item)

    def stamp(self, item: Item) -> str:
        """What tells whether the item has changed since; "" where that cannot be told without reading it."""
        if isinstance(item, RunItem):
            return CLOSED if item.run_id else ""
        if isinstance(item, WorkflowItem):
            return self._database().stamp(item)
        file = next(files(item.path), None)
        return file.stamp() if isinstance(file, File) else ""

    def read(self, item: Item) -> Iterator[FoundRun | Unreadable]:
        """The runs of an item, or why there is none."""
        if isinstance(item, WorkflowItem):
            yield from self._database().read(item)
            return
        for each in self._histories(item):
            yield each if isinstance(each, Unreadable) else found_history(each)

    def _histories(self, item: FileItem | RunItem) -> Iterator[History | Unreadable]:
        settings = self._settings
        if isinstance(item, FileItem):
            found = read(
                item.path,
                namespace=settings.namespace,
                workflow_id=settings.workflow_id,
                run_id=settings.run_id,
                raw=settings.with_history,
                beside=True,
            )
            yield from (self._decoded(each) for each in found)
        else:
            fetched = self._fetcher().fetched(item)
            yield fetched if isinstance(fetched, Unreadable) else self._decoded(self._with_raw_events(fetched))

    def close(self) -> None:
        """End the connection to the server or database, if there is one, and those of codec and external storage."""
        if self._server is not None:
            self._server.close()
        if self._decoder is not None:
            self._decoder.close()
        if self._workflows is not None:
            self._workflows.close()

    def _database(self) -> Workflows:
        assert self._workflows is not None  # who lists workflows knows their database
        return self._workflows

    def _decoded(self, history: History | Unreadable) -> History | Unreadable:
        decoding = self._settings.decoding
        if not decoding or isinstance(history, Unreadable):
            return history
        if self._decoder is None:
            self._decoder = decoding.open()
        return self._decoder.decode(history)

    def _fetcher(self) -> RunFetcher:
        assert self._runs is not None  # who lists runs can connect
        return self._runs

    def _with_raw_events(self, fetched: Fetched) -> History | Unreadable:
        history = fetched.read()
        if not self._settings.with_history or isinstance(history, Unreadable):
            return history
        [raw] = read((fetched.sdk(), history.run_id), namespace=history.namespace, raw=True)
        return raw if isinstance(raw, Unreadable) else replace(history, raw_events=raw.raw_events)

"""What are the runs of an input, and the spans of each?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tracing.config import TracingConfig
from tracing.decoding import Decoder
from tracing.export.fetching import RunFetcher
from tracing.export.items import FileItem, RunItem
from tracing.export.server import ServerConnection
from tracing.fleet.inputs import Input, SpanTable, TraceFile
from tracing.history import History, Unreadable, read, to_spans
from tracing.history.losses import named_defects
from tracing.history.server.reader import CONCURRENCY
from tracing.tables.grouping import Group, grouped, groups
from tracing.tables.parquet import TablesError
from tracing.tables.read import table_groups
from tracing.tracefile.defects import Defect


class Readers:
    """Reads inputs of every kind, one run in memory at a time; of a trace file of many runs, that file.

    Args:
        config: Settings of the conversion of histories.
        decoder: Decodes histories whose payloads are encoded, or stored elsewhere.
        server: The server that runs are on.
        namespace: Namespace of histories in files, instead of what they say; "" for what they say.
        ahead: Most runs of the server that are fetched at once.
        content: Whether inputs and outputs of steps are wanted: a comparison aligns by them, an account needs none.
    """

    def __init__(
        self,
        config: TracingConfig,
        *,
        decoder: Decoder | None = None,
        server: ServerConnection | None = None,
        namespace: str = "",
        content: bool = False,
        ahead: int = CONCURRENCY,
    ) -> None:
        self._config = config
        self._decoder = decoder
        self._runs = RunFetcher(server) if server is not None else None
        self._namespace = namespace or None
        self._content = content
        self._ahead = ahead
        self._scratch = Path(tempfile.gettempdir())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what decodes."""
        if self._decoder is not None:
            self._decoder.close()

    def ahead(self, item: Input) -> int:
        """How many inputs like this may be at hand: runs of a server are fetched while others are read."""
        return self._ahead if isinstance(item, RunItem) else 1

    def prepare(self, item: Input) -> None:
        """Begin to fetch a run of the server, so that it is there when it is read."""
        if isinstance(item, RunItem):
            self._fetcher().prepare(item)

    def groups(self, item: Input, failures: list[str]) -> Iterator[Group]:
        """The runs of an input; spans of no run are a group with the run ID "".

        Args:
            item: The input.
            failures: Gets a sentence for each thing that cannot be read; the rest is.
        """
        if isinstance(item, TraceFile):
            defects: list[Defect] = []
            yield from groups(item.path, self._scratch, defects)
            failures += [str(defect) for defect in defects]
        elif isinstance(item, SpanTable):
            try:
                yield from table_groups(item.path, content=self._content)
            except TablesError as error:
                failures.append(str(error))
        else:
            for history in self._in_file(item) if isinstance(item, FileItem) else self._on_server(item):
                if isinstance(history, Unreadable):
                    if not (history.foreign and isinstance(item, FileItem) and item.found):
                        failures.append(str(history))
                else:
                    yield from self._of_history(history, failures)

    def _of_history(self, history: History, failures: list[str]) -> Iterator[Group]:
        if self._decoder is not None:
            history = self._decoder.decode(history)
        name = history.source or history.workflow_id  # a run of a server has no file
        failures += [f"{name}: {defect}" for defect in named_defects(history)]
        yield from grouped(to_spans(history, self._config))

    def _in_file(self, item: FileItem) -> Iterator[History | Unreadable]:
        return read(item.path, namespace=self._namespace, beside=True)

    def _on_server(self, item: RunItem) -> Iterator[History | Unreadable]:
        fetched = self._fetcher().fetched(item)
        yield fetched if isinstance(fetched, Unreadable) else fetched.read()

    def _fetcher(self) -> RunFetcher:
        assert self._runs is not None  # who lists runs has a connection
        return self._runs

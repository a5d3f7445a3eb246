"""Which runs does an argument of `cost`, `compare` or `report` mean?"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from temporalio.service import RPCError

from tracing.cli.connection import Connection, TemporalUnreachableError
from tracing.config import TracingConfig
from tracing.cost.tree import SpanTree
from tracing.decoding import Decoder
from tracing.export.items import RunItem
from tracing.export.server import ServerConnection
from tracing.fleet.inputs import Input, inputs
from tracing.fleet.reading import Readers
from tracing.history import Unreadable
from tracing.history.server.requests import refusal
from tracing.history.sources.files import SUFFIXES
from tracing.spans.model import Span
from tracing.tables.grouping import Group, merged

_AS_CONFIGURED: Final = Connection()
_FILES: Final = (*SUFFIXES, ".jsonl", ".parquet", ".gz", ".zst", ".html")
"""How names end that are no workflow ID's."""

RUN_HELP = (
    "a trace file, a history file, a Parquet export, a folder of any of these, s3:// or gs://, or a workflow ID on the "
    "server"
)


@dataclass
class Loaded:
    """Spans of the runs that were meant, and why others were not read."""

    spans: list[Span] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def load(argument: str, decoder: Decoder | None = None, connection: Connection = _AS_CONFIGURED) -> Loaded:
    """The spans of a few runs, all in memory: of files, a folder, a bucket, or a workflow ID on the server.

    A run that is there twice (its trace and its history, exported while it was open and again) is there once, told as
    late in its life as any of them tells it.

    Args:
        argument: Which.
        decoder: Decodes histories whose payloads are encoded, or stored elsewhere.
        connection: The server; its namespace is also that of histories in files, instead of what they say.
    """
    loaded = Loaded()
    server = ServerConnection(connection.connect)
    readers = Readers(
        TracingConfig.from_environment(),
        decoder=decoder,
        server=server,
        namespace=connection.namespace,
        content=True,
    )
    copies: defaultdict[bytes, list[Group]] = defaultdict(list)
    try:
        for item in named(argument, server, loaded.failures):
            for group in readers.groups(item, loaded.failures):
                copies[group.key].append(group)
    finally:
        server.close()
    # Once each: what is wrong with a history is wrong with each file that holds a page of it.
    loaded.failures = list(dict.fromkeys(loaded.failures))
    loaded.spans = [span for of_run in copies.values() for span in SpanTree(merged(of_run)).spans]
    return loaded


def named(argument: str, server: ServerConnection, failures: list[str]) -> Iterator[Input]:
    """What an argument names: paths first, else a workflow ID on the server.

    Args:
        argument: The argument.
        server: The server.
        failures: Gets a sentence for each thing that cannot be read.
    """
    if not argument:  # of an unset variable; pathlib would take it for the current folder
        failures.append("An argument is empty: check what it was made from.")
        return
    # A workflow ID may be longer than a path can be, which pathlib's question does not survive.
    if "://" in argument or os.path.exists(argument):  # noqa: PTH110
        for item in inputs(argument):
            if isinstance(item, Unreadable):
                failures.append(str(item))
            else:
                yield item
        return
    if _is_path(argument):
        failures.append(
            f"{argument}: there is no such file or folder: check the path. Of a workflow ID that looks like one, give "
            "what `durable-trace export --workflow-id` writes."
        )
        return
    try:
        run = server.run(server.reader.named(server.reader.run(argument)))
    except RPCError as error:
        failures.append(f"{argument}: there is no such file or folder, and as a workflow ID {refusal(error)}")
    except TemporalUnreachableError as error:
        failures.append(f"{argument}: no such file. As a workflow ID: {error.message}")
    else:
        yield RunItem(run.namespace, run.workflow_id, run.run_id)


def _is_path(argument: str) -> bool:
    """Whether an argument looks like a path, so that no server is asked. Workflow IDs have slashes, too."""
    folder, slash, name = argument.rpartition("/")
    beside = bool(folder) and os.path.isdir(folder)  # noqa: PTH112 - as above
    begins = argument.startswith(("/", "./", "../", "~/"))
    return argument.lower().endswith(_FILES) or begins or beside or (bool(slash) and not name)

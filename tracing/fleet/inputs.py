"""Which files does a path name that runs can be read from?

A file, or a folder with all below it: trace files, histories, the tables of `durable-trace tables`; or a bucket with
histories. An input is only a description, small enough to be sent to a worker process, which reads it there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracing.export.items import FileItem, RunItem, file_items, printable
from tracing.folders import Barred, files_below
from tracing.history.documents import Unreadable
from tracing.history.sources.files import is_history, unreadable
from tracing.tables.read import span_tables
from tracing.tracefile.listing import is_trace_file
from tracing.tracefile.names import HISTORY_SUFFIX, TRACE_SUFFIX

_COMPRESSED: Final = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A trace file.

    Attributes:
        path: The file.
    """

    path: Path


@dataclass(frozen=True, slots=True)
class SpanTable:
    """A file of the table of spans.

    Attributes:
        path: The file.
    """

    path: Path


Input = TraceFile | SpanTable | FileItem | RunItem
"""What runs are read from: a trace file, a Parquet file, a history file, a run of a server."""


def inputs(path: str) -> Iterator[Input | Unreadable]:
    """What a path or URL names, in the order of the names.

    In a folder, the history beside a run's trace (NAME.history.json, NAME.otlp.jsonl) is left out: the trace is enough.
    Tables are read where a folder holds nothing else. Links to folders are not followed.

    Args:
        path: A file or folder, or the URL of a bucket.
    """
    local = Path(path)
    if "://" in path:
        yield from file_items([path])
    elif local.is_dir():
        yield from _in_folder(local)
    else:
        yield _file(local)


def _file(path: Path) -> Input:
    if path.suffix == ".parquet":
        return SpanTable(path)
    return TraceFile(path) if is_trace_file(str(path)) else FileItem(str(path))


def _in_folder(folder: Path) -> Iterator[Input | Unreadable]:
    found = False
    for each in _below(folder):
        found = True
        yield each
    tables = [] if found else [SpanTable(file) for file in span_tables(folder)]
    yield from tables
    if not found and not tables:
        yield Unreadable(
            printable(str(folder)),
            f"The folder holds no trace (NAME{TRACE_SUFFIX}), no history (NAME.json, .bin, or of Temporal Cloud's "
            "export) and no tables (spans/part-00000.parquet): give one that does.",
        )


def _below(folder: Path) -> Iterator[Input | Unreadable]:
    for found in files_below(folder, _chosen):
        if isinstance(found, Barred):
            why = unreadable(found)
            yield Unreadable(printable(why.source), why.reason)
        else:
            yield TraceFile(Path(found)) if is_trace_file(found) else FileItem(found, found=True)


def _chosen(paths: list[str]) -> Iterator[str]:
    """Of the files of a folder, those with runs; of a run's trace and its history, the trace."""
    traced = {_stem(path) for path in paths if is_trace_file(path)}
    return (path for path in paths if is_trace_file(path) or (_is_history(path) and not _is_traced(path, traced)))


def _is_history(path: str) -> bool:
    return is_history(os.path.abspath(path).replace(os.sep, "/"))  # noqa: PTH100 - links stay


def _is_traced(name: str, traced: set[str]) -> bool:
    """Whether a file is the history of a run whose trace is beside it."""
    return _plain(name).endswith(HISTORY_SUFFIX) and _stem(name) in traced


def _stem(name: str) -> str:
    plain = _plain(name)
    return plain.removesuffix(TRACE_SUFFIX) if plain.endswith(TRACE_SUFFIX) else plain.removesuffix(HISTORY_SUFFIX)


def _plain(name: str) -> str:
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    return name

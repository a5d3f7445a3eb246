"""Which runs does an argument of `cost`, `compare` or `report` mean?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.service import RPCError

from tracing.cli.connection import TemporalUnreachableError, connect
from tracing.config import TracingConfig
from tracing.history import Unreadable, fetch, read, to_spans
from tracing.spans.model import Span
from tracing.tracefile.read import read_trace

RUN_HELP = "a trace file, a history file, a folder of either, or a workflow ID on the server"


@dataclass
class Loaded:
    """Spans of the runs that were meant, and why others were not read."""

    spans: list[Span] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def load(argument: str) -> Loaded:
    """The spans of a trace file, a history file, a folder of either, or a workflow ID on the server."""
    path = Path(argument)
    if not path.exists():
        return _from_server(argument)
    if path.is_dir():
        return _merged([_from_file(file) for file in sorted(path.iterdir()) if _kind(file)], argument)
    return _from_file(path)


def _kind(path: Path) -> str:
    name = path.name.removesuffix(".gz").removesuffix(".zst")
    if name.endswith(".otlp.jsonl"):
        return "trace"
    return "history" if name.endswith((".json", ".bin")) else ""


def _from_file(path: Path) -> Loaded:
    if _kind(path) == "trace":
        reading = read_trace(path)
        return Loaded(list(reading), [str(defect) for defect in reading.defects])
    loaded = Loaded()
    config = TracingConfig.from_environment()
    for history in read(path):
        if isinstance(history, Unreadable):
            loaded.failures.append(str(history))
        else:
            loaded.spans += to_spans(history, config)
            loaded.failures += [f"{path}: {defect}" for defect in history.defects]
    return loaded


def _merged(parts: list[Loaded], folder: str) -> Loaded:
    if not parts:
        return Loaded(failures=[f"{folder}: the folder holds neither trace files nor histories."])
    # A folder of an export holds a run's trace and its history: the trace, read first by name, is enough.
    merged, seen = Loaded(), set()
    for part in parts:
        merged.failures += part.failures
        for span in part.spans:
            if (span.trace_id, span.span_id) not in seen:
                seen.add((span.trace_id, span.span_id))
                merged.spans.append(span)
    return merged


def _from_server(workflow_id: str) -> Loaded:
    async def spans() -> list[Span]:
        client = await connect()
        return to_spans(await fetch(client, workflow_id), TracingConfig.from_environment())

    try:
        return Loaded(asyncio.run(spans()))
    except RPCError as error:
        return Loaded(failures=[f"{workflow_id}: no such file, and the server says: {error.message}."])
    except TemporalUnreachableError as error:
        return Loaded(failures=[f"{workflow_id}: no such file. As a workflow ID: {error.message}"])

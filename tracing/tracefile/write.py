"""How are a run's spans and its history put into files?

``NAME.otlp.jsonl`` obeys the content switch and the redaction that its spans were built with. ``NAME.history.json`` is
raw: payloads as the server holds them, without which nothing can be replayed. It is private to the user.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from tracing.history.source import History
from tracing.history.sources.raw_messages import message_json
from tracing.spans.model import Span
from tracing.tracefile.atomic import atomic_writer
from tracing.tracefile.compression import SUFFIX, Compression, compressing
from tracing.tracefile.encode import encode_lines
from tracing.tracefile.names import HISTORY_SUFFIX, TRACE_SUFFIX, check_name

_PRIVATE: Final = 0o600


class SdkHistory(Protocol):
    """What is needed of ``temporalio.client.WorkflowHistory``."""

    @property
    def workflow_id(self) -> str:
        """Workflow ID."""

    @property
    def events(self) -> Sequence[Any]:
        """Its ``temporal.api.history.v1.HistoryEvent`` messages."""


def write_trace(folder: Path, name: str, spans: Iterable[Span], *, compression: Compression | None = None) -> Path:
    """Write spans to ``NAME.otlp.jsonl``, one ``ExportTraceServiceRequest`` a line.

    The same spans in the same order give the same bytes. The file appears when it is complete.

    Args:
        folder: Where; made if it is missing.
        name: Name from ``run_name``.
        spans: Spans; read once, a few hundred held at a time.
        compression: "gzip", "zstd" (needs the extra ``zstd``) or None.

    Returns:
        The file.

    Raises:
        ValueError: When the name is none that ``run_name`` gives, or zstd is not installed.
        OSError: When the file cannot be written.
    """
    path = folder / f"{check_name(name)}{TRACE_SUFFIX}{SUFFIX[compression]}"
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path) as file, compressing(file, compression) as stream:
        for line in encode_lines(spans):
            stream.write(line)
    return path


def write_history(
    folder: Path,
    name: str,
    history: History | SdkHistory | Mapping[str, Any] | bytes,
    *,
    run_id: str = "",
    namespace: str = "",
    workflow_id: str = "",
    compression: Compression | None = None,
) -> Path:
    """Write a history to ``NAME.history.json``, readable by ``WorkflowHistory.from_json``, the CLI and the UI.

    Beside the events it holds workflow ID, run ID and namespace, which Temporal's JSON lacks. It is private to the
    user.

    Args:
        folder: Where; made if it is missing.
        name: Name from ``run_name``.
        history: What ``tracing.history.read(…, raw=True)`` gave, whatever the shape of its source; it says whose it is,
            and its defects name what the file lacks. Or the SDK's ``WorkflowHistory``, or Temporal's JSON
            ``{"events": […]}``, parsed or not, which is written as it is.
        run_id: The real run ID; for a reset run, the SDK's history names its base run. Needed unless ``read`` gave it.
        namespace: Namespace. Needed unless ``read`` gave it.
        workflow_id: Workflow ID; ``read`` and the SDK's history know it.
        compression: "gzip", "zstd" (needs the extra ``zstd``) or None.

    Returns:
        The file.

    Raises:
        ValueError: When the history has no events, no workflow ID, run ID or namespace is known, the name is none that
            ``run_name`` gives, or zstd is not installed.
        OSError: When the file cannot be written.
    """
    path = folder / f"{check_name(name)}{HISTORY_SUFFIX}{SUFFIX[compression]}"
    pieces = history_pieces(name, history, run_id=run_id, namespace=namespace, workflow_id=workflow_id)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path, mode=_PRIVATE) as file, compressing(file, compression) as stream:
        for piece in pieces:
            stream.write(piece)
    return path


def history_pieces(
    name: str,
    history: History | SdkHistory | Mapping[str, Any] | bytes,
    *,
    run_id: str = "",
    namespace: str = "",
    workflow_id: str = "",
) -> Iterator[bytes]:
    """What `write_history` writes, in pieces: a long history is never in memory a second time.

    Raises:
        ValueError: As `write_history` does.
    """
    if isinstance(history, History):
        workflow_id, run_id = workflow_id or history.workflow_id, run_id or history.run_id
        namespace = namespace or history.namespace
    elif not isinstance(history, (bytes, Mapping)):
        workflow_id = workflow_id or history.workflow_id
    events = _events(name, history)
    # A history of an old server has no workflow ID anywhere.
    known_as = workflow_id or isinstance(history, History)
    for called, argument, value in (
        ("workflow ID", "workflow_id", known_as),
        ("run ID", "run_id", run_id),
        ("namespace", "namespace", namespace),
    ):
        if not value:
            raise ValueError(f"The history for {name} does not say its {called}: give it as {argument}.")
    head = json.dumps({"workflowId": workflow_id, "runId": run_id, "namespace": namespace})
    return chain((head[:-1].encode() + b', "events": ',), events, (b"}",))


def _events(name: str, history: History | SdkHistory | Mapping[str, Any] | bytes) -> Iterable[bytes]:
    """The list of events as JSON, in pieces.

    Raises:
        ValueError: There are none.
    """
    if isinstance(history, History):
        if history.raw_events is None:
            raise ValueError(f"The history for {name} was read without its events as JSON: give read() raw=True.")
        return _listed(history.raw_events)
    if isinstance(history, bytes):
        events: Any = _raw_events(history)
        pieces: Iterable[bytes] = (events,)
    elif isinstance(history, Mapping):
        events = history.get("events")
        # The standard library's JSON, for it writes back whatever number or text it has read.
        pieces = _listed(json.dumps(event).encode() for event in events or ())
    else:
        events = history.events
        pieces = _listed(message_json(message)[0] for message in events)
    if not events:
        raise ValueError(f'The history for {name} has no events: give Temporal\'s JSON, {{"events": […]}}.')
    return pieces


def _listed(events: Iterable[bytes]) -> Iterator[bytes]:
    before = b"["
    for event in events:
        yield before + event
        before = b", "
    yield b"]"


class _RawHistory(msgspec.Struct):
    events: msgspec.Raw = msgspec.Raw()


def _raw_events(history: bytes) -> bytes:
    """The events as they stand: they are not parsed, so no number in them can change."""
    try:
        events = bytes(msgspec.json.decode(history, type=_RawHistory).events)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parsed_events(history)
    return events if events[:1] == b"[" and events[1:].lstrip()[:1] == b"{" else b""


def _parsed_events(history: bytes) -> bytes:
    """The events of JSON that only the standard library reads: text with surrogates that stand alone."""
    try:
        content = json.loads(history)
    except (ValueError, RecursionError):
        return b""
    events = content.get("events") if isinstance(content, dict) else None
    return json.dumps(events).encode() if events else b""

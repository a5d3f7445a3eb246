"""How are a run's spans and its history put into files?

``NAME.otlp.jsonl`` obeys the content switch and the redaction that its spans were built with. ``NAME.history.json`` is
raw: payloads as the server holds them, without which nothing can be replayed. It is private to the user.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

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

    def to_json_dict(self) -> dict[str, Any]:
        """The history as Temporal's JSON."""


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
    history: SdkHistory | Mapping[str, Any] | bytes,
    *,
    run_id: str,
    namespace: str,
    workflow_id: str = "",
    compression: Compression | None = None,
) -> Path:
    """Write a history to ``NAME.history.json``, readable by ``WorkflowHistory.from_json``, the CLI and the UI.

    Beside the events it holds workflow ID, run ID and namespace, which Temporal's JSON lacks. It is private to the
    user.

    Args:
        folder: Where; made if it is missing.
        name: Name from ``run_name``.
        history: The SDK's ``WorkflowHistory``, or Temporal's JSON ``{"events": […]}``, parsed or not.
        run_id: The real run ID; for a reset run, the SDK's history names its base run.
        namespace: Namespace.
        workflow_id: Workflow ID; the SDK's history knows it.
        compression: "gzip", "zstd" (needs the extra ``zstd``) or None.

    Returns:
        The file.

    Raises:
        ValueError: When the history has no events, no workflow ID is known, the name is none that ``run_name`` gives,
            or zstd is not installed.
        OSError: When the file cannot be written.
    """
    path = folder / f"{check_name(name)}{HISTORY_SUFFIX}{SUFFIX[compression]}"
    if isinstance(history, bytes):
        events = _raw_events(history)
    elif isinstance(history, Mapping):
        events = _events(history)
    else:
        events, workflow_id = _events(history.to_json_dict()), workflow_id or history.workflow_id
    if not events:
        raise ValueError(f'The history for {name} has no events: give Temporal\'s JSON, {{"events": […]}}.')
    if not workflow_id:
        raise ValueError(f"The history for {name} does not say its workflow ID: give it as workflow_id.")
    head = json.dumps({"workflowId": workflow_id, "runId": run_id, "namespace": namespace})
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path, mode=_PRIVATE) as file, compressing(file, compression) as stream:
        stream.write(head[:-1].encode() + b', "events": ' + events + b"}")
    return path


def _events(history: Mapping[str, Any]) -> bytes:
    # The standard library's JSON, for it writes back whatever number or text it has read.
    return json.dumps(events).encode() if (events := history.get("events")) else b""


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
    return _events(content) if isinstance(content, dict) else b""

"""Trace files: written, read, sent, repaired."""

from __future__ import annotations

from tracing.spans.model import Span
from tracing.tracefile.defects import Defect
from tracing.tracefile.folder import FolderIndex
from tracing.tracefile.names import run_name
from tracing.tracefile.read import read_trace, read_traces
from tracing.tracefile.repair import Lacking, lacking, repair
from tracing.tracefile.send import SendResult, send
from tracing.tracefile.write import write_history, write_trace

__all__ = [
    "Defect",
    "FolderIndex",
    "Lacking",
    "SendResult",
    "Span",
    "lacking",
    "read_trace",
    "read_traces",
    "repair",
    "run_name",
    "send",
    "write_history",
    "write_trace",
]

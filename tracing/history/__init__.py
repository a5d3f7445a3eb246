"""Reader 2: past histories into the spans that were live."""

from tracing.history.conversion import to_spans
from tracing.history.server import fetch
from tracing.history.source import History, Source, Unreadable, read

__all__ = ["History", "Source", "Unreadable", "fetch", "read", "to_spans"]

"""Reader 2: past histories into the spans that were live."""

from tracing.history.conversion import to_spans
from tracing.history.documents import Unreadable
from tracing.history.reading import Source, distinct, read
from tracing.history.server import Fetched, Server, ServerRun, fetch
from tracing.history.source import History

__all__ = [
    "Fetched",
    "History",
    "Server",
    "ServerRun",
    "Source",
    "Unreadable",
    "distinct",
    "fetch",
    "read",
    "to_spans",
]

"""Which histories are in a file, whatever its shape and compression?"""

from __future__ import annotations

import io
from collections.abc import Iterator

from tracing.history.documents import Document, UnreadableError
from tracing.history.sources.binary import binary_kind, executions, history_document
from tracing.history.sources.compression import decompressed
from tracing.history.sources.limits import read_all
from tracing.history.sources.pages import joined
from tracing.history.sources.shapes import json_documents


def documents(file: io.BufferedReader, *, raw: bool = False) -> Iterator[Document | UnreadableError]:
    """Find the histories in a file. Objects of Temporal Cloud's export are read one history at a time.

    Args:
        file: Its content.
        raw: Whether to keep the events as JSON, too.

    Yields:
        A history, or why one of many cannot be read.

    Raises:
        UnreadableError: It holds none, is broken, or too large.
        OSError: It cannot be read.
    """
    file = decompressed(file)
    kind = binary_kind(file)
    if kind == "executions":
        yield from executions(file, raw=raw)
    elif kind == "history":
        yield history_document(read_all(file), raw=raw)
    else:
        yield from joined(list(json_documents(read_all(file), raw=raw)))

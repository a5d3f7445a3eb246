"""Which histories are in a file, whatever its shape and compression?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from tracing.history.documents import Document, UnreadableError
from tracing.history.sources.binary import binary_kind, executions, history_document
from tracing.history.sources.compression import decompressed
from tracing.history.sources.files import File
from tracing.history.sources.limits import read_all
from tracing.history.sources.pages import joined
from tracing.history.sources.shapes import json_documents


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at one place of a file.

    Attributes:
        file: The file.
        position: Which of what it holds, from 1.
        name: How it is called in messages: the position is named where the file holds several.
        document: A history, or a page of one; or why there is none.
    """

    file: File
    position: int
    name: str
    document: Document | UnreadableError


def found_in(file: File, *, raw: bool) -> Iterator[Found]:
    """Find what is in a file, one after the other; a file that cannot be read holds the reason.

    Args:
        file: The file.
        raw: Whether to keep the events as JSON, too.
    """
    found = enumerate(_all(file, raw=raw), 1)
    ahead = next(found, None)
    several = False
    while ahead is not None:
        (position, document), ahead = ahead, next(found, None)
        several = several or ahead is not None
        yield Found(file, position, f"{file.name}[{position}]" if several else file.name, document)


def _all(file: File, *, raw: bool) -> Iterator[Document | UnreadableError]:
    try:
        with file.open() as stream:
            yield from documents(stream, raw=raw)
    except UnreadableError as error:
        yield error
    except OSError as error:
        yield UnreadableError(f"It cannot be read ({error.strerror or error}): check its permissions.")


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

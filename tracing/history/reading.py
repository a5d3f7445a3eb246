"""How are histories read, from wherever they are, one at a time?"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import chain
from pathlib import Path

import msgspec
from temporalio.client import WorkflowHistory

from tracing.history.documents import Document, ForeignError, Names, Unreadable, UnreadableError
from tracing.history.source import History, history_of
from tracing.history.sources.binary import message_document
from tracing.history.sources.cloud_export import namespace_of
from tracing.history.sources.contents import Found, found_in
from tracing.history.sources.files import File
from tracing.history.sources.listing import files
from tracing.history.sources.waiting import WaitingPages

Source = str | Path | bytes | WorkflowHistory | tuple[WorkflowHistory, str]
"""A path or URL, a file's bytes, or an SDK history, best with the real run ID: not every run's history has it."""


def read(
    *sources: Source,
    namespace: str | None = None,
    workflow_id: str | None = None,
    run_id: str | None = None,
    raw: bool = False,
    beside: bool = False,
) -> Iterator[History | Unreadable]:
    """Read histories, one at a time. A source that cannot be read does not stop the others.

    Args:
        sources: Files (JSON in any shape that Temporal's tools write, binary, objects of Temporal Cloud's export; gzip,
            Zstandard), folders, ``s3://`` and ``gs://`` objects and prefixes, bytes of a file, SDK histories. Pages of
            one history, in one file or in one folder, are put together; where that takes several files, it comes last.
        namespace: Namespace; else what the file says, or its path in an export of Temporal Cloud, else "default".
        workflow_id: Workflow ID, where the history does not name it; only with one source of one history.
        run_id: Real run ID, where the history does not name it; only with one source of one history.
        raw: Whether to keep each event as JSON, which ``tracing.tracefile.write_history`` needs; takes more time, and
            memory for the one history.
        beside: Whether to look for the other pages of a history in the folder of a page: for who reads a folder's
            files one by one, in several processes.

    Returns:
        Histories, and the reason why a source has none. Temporal Cloud exports some runs twice: see ``distinct``.

    Raises:
        ValueError: An ID was given for several sources.
        TypeError: Something is none of all that.
    """
    given = Names(workflow_id or "", run_id or "", namespace or "")
    reading = Reading(given, raw=raw, beside=beside)
    found = chain(reading.whole(sources), reading.paged())
    if not given.workflow_id and not given.run_id:
        return found
    if len(sources) != 1:
        raise ValueError("workflow_id and run_id name one run: give them with one source")
    return _single(found, _name(sources[0]))


def distinct(histories: Iterable[History | Unreadable]) -> Iterator[History | Unreadable]:
    """Leave out runs that came before, by namespace, workflow ID and real run ID, as Temporal Cloud's export has them.

    Args:
        histories: What ``read`` gives. Of each run, a few bytes are remembered.
    """
    seen = set()
    for history in histories:
        if isinstance(history, History):
            key = msgspec.json.encode((history.namespace, history.workflow_id, history.run_id))
            digest = blake2b(key, digest_size=16).digest()
            if digest in seen:
                continue
            seen.add(digest)
        yield history


def _single(found: Iterable[History | Unreadable], source: str) -> Iterator[History | Unreadable]:
    """What was found, if it is one history at most: IDs that are given cannot be those of two."""
    items: list[History | Unreadable] = []
    for item in found:
        items.append(item)
        if sum(isinstance(each, History) for each in items) > 1:
            yield Unreadable(source, "It holds several histories: give IDs only with a file of one.")
            return
    yield from items


class Reading:
    """One call of ``read``: first what stands in one file, then what several files hold."""

    def __init__(self, given: Names, *, raw: bool, beside: bool) -> None:
        """Begin.

        Args:
            given: Names that are given.
            raw: As for ``read``.
            beside: As for ``read``.
        """
        self._given = given
        self._raw = raw
        self._waiting = WaitingPages(raw=raw, beside=beside)

    @property
    def pages(self) -> bool:
        """Whether ``whole`` came across pages, which ``paged`` puts together."""
        return bool(self._waiting)

    def whole(self, sources: Iterable[Source]) -> Iterator[History | Unreadable]:
        """Read histories that stand in one file each."""
        for source in sources:
            if isinstance(source, str) and _is_text(source):
                yield Unreadable(_name(source), "A str is a path, and this is a history's text: give its bytes.")
            elif isinstance(source, (str, Path)):
                for file in files(source):
                    yield from (file,) if isinstance(file, Unreadable) else self._in_file(file)
            elif isinstance(source, bytes):
                yield from self._in_file(File(_name(source), "", _opener(source)))
            elif not isinstance(source, (WorkflowHistory, tuple)):
                raise TypeError(f"read() takes paths, bytes and WorkflowHistory, not {type(source).__name__}")
            else:
                history, run_id = source if isinstance(source, tuple) else (source, self._given.run_id)
                document = message_document(history.events, Names(history.workflow_id), raw=self._raw)
                given = msgspec.structs.replace(self._given, run_id=run_id)
                yield _readable(document, given, _name(source))

    def paged(self) -> Iterator[History | Unreadable]:
        """Read histories of the pages that ``whole`` came across, each once."""
        yield from map(self._history, self._waiting.put_together())

    def _in_file(self, file: File) -> Iterator[History | Unreadable]:
        for found in found_in(file, raw=self._raw):
            if not self._waiting.take(found):
                yield self._history(found)

    def _history(self, found: Found) -> History | Unreadable:
        document = found.document
        if isinstance(document, UnreadableError):
            return Unreadable(found.name, str(document), foreign=isinstance(document, ForeignError))
        namespace = document.names.namespace or namespace_of(found.file.path)
        names = msgspec.structs.replace(document.names, namespace=namespace)
        return _readable(replace(document, names=names), self._given, found.name)


def _is_text(source: str) -> bool:
    """Whether a str is what ``WorkflowHistory.to_json()`` gives, and no path."""
    return source.lstrip().startswith(("{", "[")) and not os.path.exists(source)  # noqa: PTH110 - however long it is


def _name(source: Source) -> str:
    if isinstance(source, str) and _is_text(source):
        return f"{len(source)} characters"
    if isinstance(source, (str, Path)):
        return str(source)
    if isinstance(source, bytes):
        return f"{len(source)} bytes"
    history = source[0] if isinstance(source, tuple) else source
    return f"history of {history.workflow_id}"


def _opener(data: bytes) -> Callable[[], io.BufferedReader]:
    return lambda: io.BufferedReader(io.BytesIO(data))


def _readable(document: Document, given: Names, name: str) -> History | Unreadable:
    try:
        return history_of(document, given, name)
    except UnreadableError as error:
        return Unreadable(name, str(error))

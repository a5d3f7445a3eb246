"""How are histories read, from wherever they are, one at a time?"""

from __future__ import annotations

import io
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from temporalio.client import WorkflowHistory

from tracing.history.documents import Document, ForeignError, Names, Unreadable, UnreadableError
from tracing.history.source import History, history_of
from tracing.history.sources.binary import message_document
from tracing.history.sources.buckets import bucket_files
from tracing.history.sources.cloud_export import namespace_of
from tracing.history.sources.contents import documents
from tracing.history.sources.files import File, local_files, local_path, scheme_of
from tracing.history.sources.pages import Page, chains, join, page_of

_MAX_BESIDE: Final = 1000
"""Files of a folder that are searched for pages."""

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
    found = _Reading(given, raw=raw, beside=beside).read(sources)
    if not given.workflow_id and not given.run_id:
        return found
    if len(sources) != 1:
        raise ValueError("workflow_id and run_id name one run: give them with one source")
    return _single(found, _name(sources[0]))


def files(source: str | Path) -> Iterator[File | Unreadable]:
    """The files that a path or URL names: itself, or the histories below it, listed while they are read.

    The ``name`` of each is a source for ``read``.
    """
    if source == "":  # of an unset variable; pathlib would take it for the current folder
        return iter([Unreadable("", "The path is empty: check what it was made from.")])
    scheme = "" if isinstance(source, Path) else scheme_of(source)
    if scheme == "file":
        source = local_path(str(source))
    elif scheme or "://" in str(source):
        return bucket_files(str(source))
    return local_files(Path(source))


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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A page that may be continued by another file, or continue one: its events are not kept, it is read again."""

    page: Page
    file: File
    position: int
    name: str


class _Reading:
    """One call of ``read``."""

    def __init__(self, given: Names, *, raw: bool, beside: bool) -> None:
        self._given = given
        self._raw = raw
        self._beside = beside
        self._waiting: defaultdict[str, list[_Waiting]] = defaultdict(list)

    def read(self, sources: Iterable[Source]) -> Iterator[History | Unreadable]:
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
        for folder, waiting in self._waiting.items():
            asked = {each.file.path for each in waiting}
            if self._beside and folder:
                waiting.extend(self._pages_beside(folder, asked))
            yield from self._put_together(waiting, asked)

    def _pages_beside(self, folder: str, asked: Collection[str]) -> Iterator[_Waiting]:
        found = (file for file in files(folder) if isinstance(file, File) and file.folder == folder)
        for file in islice(found, _MAX_BESIDE):
            if file.path not in asked:
                for position, document in enumerate(_documents(file, raw=False), 1):
                    page = page_of(document) if isinstance(document, Document) else None
                    if page is not None:
                        yield _Waiting(page, file, position, f"{file.name}[{position}]" if position > 1 else file.name)

    def _in_file(self, file: File) -> Iterator[History | Unreadable]:
        found = enumerate(_documents(file, raw=self._raw), 1)
        ahead = next(found, None)
        many = False
        while ahead is not None:
            (position, document), ahead = ahead, next(found, None)
            many = many or ahead is not None
            name = f"{file.name}[{position}]" if many else file.name
            if isinstance(document, UnreadableError):
                yield Unreadable(name, str(document), foreign=isinstance(document, ForeignError))
            elif page := page_of(document):
                self._waiting[file.folder].append(_Waiting(page, file, position, name))
            else:
                yield _readable(_in_export(document, file), self._given, name)

    def _put_together(self, waiting: list[_Waiting], asked: Collection[str]) -> Iterator[History | Unreadable]:
        for chain in chains([each.page for each in waiting]):
            parts = [waiting[position] for position in chain.positions]
            if not any(part.file.path in asked for part in parts):
                continue
            name = " + ".join(part.name for part in parts)
            if chain.problem:
                yield Unreadable(name, chain.problem)
                continue
            try:
                document = join([self._again(part) for part in parts])
            except UnreadableError as error:
                yield Unreadable(name, str(error))
                continue
            yield _readable(_in_export(document, parts[0].file), self._given, name)

    def _again(self, waiting: _Waiting) -> Document:
        for position, document in enumerate(_documents(waiting.file, raw=self._raw), 1):
            if isinstance(document, UnreadableError):
                raise document
            if position == waiting.position:
                return document
        raise UnreadableError("It has changed while it was read: try again.")


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


def _documents(file: File, *, raw: bool) -> Iterator[Document | UnreadableError]:
    try:
        with file.open() as stream:
            yield from documents(stream, raw=raw)
    except UnreadableError as error:
        yield error
    except OSError as error:
        yield UnreadableError(f"It cannot be read ({error.strerror or error}): check its permissions.")


def _in_export(document: Document, file: File) -> Document:
    """The document, with the namespace that its path names where it names none itself."""
    namespace = document.names.namespace or namespace_of(file.path)
    return replace(document, names=msgspec.structs.replace(document.names, namespace=namespace))


def _readable(document: Document, given: Names, name: str) -> History | Unreadable:
    try:
        return history_of(document, given, name)
    except UnreadableError as error:
        return Unreadable(name, str(error))

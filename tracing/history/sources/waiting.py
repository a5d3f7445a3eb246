"""Which pages stand in other files than the rest of their history? They wait until all files were read."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from tracing.history.documents import Document, ForeignError, UnreadableError
from tracing.history.sources.contents import Found, found_in
from tracing.history.sources.files import File
from tracing.history.sources.listing import files
from tracing.history.sources.pages import Page, chains, join, page_of

_MAX_BESIDE: Final = 1000
"""Files of a folder that are searched for pages."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A page: its events are not kept, it is read again."""

    page: Page
    file: File
    position: int
    name: str


@dataclass(slots=True)
class _Folder:
    """What was found in one folder: its pages by their places, and whether there was anything else."""

    pages: dict[object, _Waiting] = field(default_factory=dict)
    whole: bool = False
    damaged: bool = False

    def take(self, found: Found) -> bool:
        """Note what was found; whether it is a page, which waits."""
        document = found.document
        page = page_of(document) if isinstance(document, Document) else None
        if page is not None:
            # A file may be named twice, by its folder and by itself; bytes are in no file.
            place = (found.file.path, found.position) if found.file.path else len(self.pages)
            self.pages.setdefault(place, _Waiting(page, found.file, found.position, found.name))
            return True
        if isinstance(document, UnreadableError):
            self.damaged = self.damaged or not isinstance(document, ForeignError)
        elif any(event.id > 0 for event in document.events):
            self.whole = True
        else:
            self.damaged = True
        return False


class WaitingPages:
    """Pages of one history may lie in several files of one folder."""

    def __init__(self, *, raw: bool, beside: bool) -> None:
        """Begin without any.

        Args:
            raw: Whether to keep the events as JSON, too.
            beside: Whether to look for other pages in the folder of a page, in files that nobody named.
        """
        self._raw = raw
        self._beside = beside
        self._folders: defaultdict[str, _Folder] = defaultdict(_Folder)
        self._within: list[str] = []

    def __bool__(self) -> bool:
        """Whether any waits."""
        return any(folder.pages for folder in self._folders.values())

    def take(self, found: Found) -> bool:
        """Have it wait, where it is a page; whether it is one."""
        path = found.file.folder
        self._leave_for(path)
        return self._folders[path].take(found)

    def put_together(self) -> Iterator[Found]:
        """The histories of the pages that wait, each once, as if it stood where its first page does."""
        for path, folder in self._folders.items():
            asked = {each.file.path for each in folder.pages.values()}
            if self._beside and path and asked:
                _look_beside(path, folder)
            waiting = list(folder.pages.values())
            for chain in chains([each.page for each in waiting], whole=folder.whole, damaged=folder.damaged):
                parts = [waiting[position] for position in chain.positions]
                if any(part.file.path in asked for part in parts):
                    document = UnreadableError(chain.problem) if chain.problem else self._joined(parts)
                    yield Found(parts[0].file, parts[0].position, " + ".join(part.name for part in parts), document)

    def _leave_for(self, path: str) -> None:
        """Forget folders that are done and in which no page waits: there may be very many."""
        while self._within and not f"{path}/".startswith(f"{self._within[-1]}/"):
            left = self._within.pop()
            if not self._folders[left].pages:
                del self._folders[left]
        if self._within[-1:] != [path]:
            self._within.append(path)

    def _joined(self, parts: list[_Waiting]) -> Document | UnreadableError:
        try:
            return join([self._again(part) for part in parts])
        except UnreadableError as error:
            return error

    def _again(self, waiting: _Waiting) -> Document:
        for found in found_in(waiting.file, raw=self._raw):
            if isinstance(found.document, UnreadableError):
                raise found.document
            if found.position == waiting.position:
                return found.document
        raise UnreadableError("It has changed while it was read: try again.")


def _folder_of(file: File) -> str:
    """The folder of a file as it was named, with what stands before the file's own name."""
    return file.name.removesuffix(posixpath.basename(file.path))


def _look_beside(path: str, folder: _Folder) -> None:
    """Note what lies in a folder, also in files that nobody named."""
    named = {each.file.path: each.file for each in folder.pages.values()}
    spelled = _folder_of(next(iter(named.values())))
    found = (file for file in files(path) if isinstance(file, File) and file.folder == path)
    for file in islice(found, _MAX_BESIDE):
        if file.path not in named:
            for each in found_in(replace(file, name=spelled + posixpath.basename(file.path)), raw=False):
                folder.take(each)
        if len(folder.pages) > 1 and all(each.page.empty for each in folder.pages.values()):
            return  # several empty pages end none, and a folder may hold very many

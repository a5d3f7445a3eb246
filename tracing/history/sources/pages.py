"""Which pages are one history? A server gives long histories in pages, and people keep each in a file.

Only the first page says whose history it is. Another continues it where it begins with the next event, and nothing else
could be meant. The last page may be empty: a server that has filled one does not know yet whether there is more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracing.history.documents import Document, ForeignError, Names, UnreadableError

CLOSING: Final = frozenset(
    f"WorkflowExecution{ending}"
    for ending in ("Completed", "Failed", "TimedOut", "Canceled", "Terminated", "ContinuedAsNew")
)
"""Types of the event that closes a run, after which there is none."""

_WHOSE_END: Final = (
    "It is a page without events, and nothing says of which history it is the last: put it into a folder with the "
    "other pages of that history alone, or export the history again."
)


@dataclass(frozen=True, slots=True)
class Page:
    """What decides which history a page belongs to.

    Attributes:
        first: ID of its first event; 0 of an empty page.
        last: ID of its last event; 0 of an empty page.
        closed: Whether the run ends with it.
        names: Whose it says that it is.
        more: Whether it says that there is another.
    """

    first: int
    last: int
    closed: bool
    names: Names
    more: bool = False

    @property
    def empty(self) -> bool:
        """Whether it has no events."""
        return not self.first


@dataclass(frozen=True, slots=True)
class Chain:
    """Pages that are one history.

    Attributes:
        positions: Positions of the pages, in the order of their events.
        problem: Why it is not clear what a page belongs to, and how to mend it, or "".
    """

    positions: tuple[int, ...]
    problem: str = ""


def page_of(document: Document) -> Page | None:
    """What decides which history a page belongs to; None where a document is no page, but a whole history."""
    if not document.more and document.events and document.events[0].id == 1:
        return None  # as nearly all are, and long ones need not be searched
    page = _page(document)
    return None if page is None or (page.first == 1 and not page.more) else page


def _page(document: Document) -> Page | None:
    """The page that a document is, or a whole history would be; None where no event of it has an ID."""
    if document.empty:
        return Page(0, 0, closed=False, names=document.names)
    events = [event for event in document.events if event.id > 0]
    if not events:
        return None
    last = max(events, key=lambda event: event.id)
    return Page(min(event.id for event in events), last.id, last.type in CLOSING, document.names, document.more)


def chains(pages: Sequence[Page], *, whole: bool = False, damaged: bool = False) -> list[Chain]:
    """Put pages of one history together, where just one page ends before another begins.

    An empty page ends the only history that it can be of, where nothing was lost that could be between them.

    Args:
        pages: The pages of one place.
        whole: Whether there are whole histories, too. The empty page may then be all that was saved of yet another: it
            ends only pages that say that there is one more.
        damaged: Whether something there cannot be read. It may be the page before the empty one, which then ends none.
    """
    found = _continued(pages)
    empty = [position for position, page in enumerate(pages) if page.empty]
    if len(found) == len(empty) == 1 and not damaged:
        [chain], [end] = found, empty
        fits = all(_may_be_one(pages[position].names, pages[end].names) for position in chain.positions)
        if fits and (pages[chain.positions[-1]].more or not whole):
            return [Chain((*chain.positions, end))]
    return found + [Chain((position,), _WHOSE_END) for position in empty]


def _continued(pages: Sequence[Page]) -> list[Chain]:
    """The chains of the pages with events."""
    ends = defaultdict(list)
    for position, page in enumerate(pages):
        if not page.closed and not page.empty:
            ends[page.last].append(position)
    before = {
        position: [end for end in ends[page.first - 1] if _may_be_one(pages[end].names, page.names)]
        for position, page in enumerate(pages)
        if page.first > 1
    }
    after = defaultdict(list)
    for position, candidates in before.items():
        for end in candidates:
            after[end].append(position)
    found = []
    for position, page in enumerate(pages):
        if page.empty:
            continue
        candidates = before.get(position, [])
        if len(candidates) == 1 and len(after[candidates[0]]) == 1:
            continue  # it is in the chain of that one
        chain = [position]
        while len(follower := after[chain[-1]]) == 1 and len(before[follower[0]]) == 1:
            chain += follower
        problem = _unclear(page, len(candidates), len(after[candidates[0]])) if candidates else ""
        found.append(Chain(tuple(chain), problem))
    return found


def join(parts: Sequence[Document]) -> Document:
    """One history of several pages, in their order."""
    names = Names(
        *(next((name for part in parts if (name := getattr(part.names, key))), "") for key in Names.__struct_fields__)
    )
    raw = None if any(part.raw is None for part in parts) else [event for part in parts for event in part.raw or ()]
    defects = list(dict.fromkeys(defect for part in parts for defect in part.defects))
    events = [event for part in parts for event in part.events]
    return Document(events, defects, names, parts[-1].more, raw, empty=all(part.empty for part in parts))


def joined(found: Sequence[Document | UnreadableError]) -> list[Document | UnreadableError]:
    """What was found in one file, with the pages of each history put together."""
    documents = [document for document in found if isinstance(document, Document)]
    if len(documents) == 1 or all(document.empty or not page_of(document) for document in documents):
        return list(found)
    numbered = [(document, page) for document in documents if (page := _page(document))]
    taken = {id(document) for document, _ in numbered}
    rest = [each for each in found if id(each) not in taken]
    damaged = any(not isinstance(each, ForeignError) for each in rest)
    for chain in chains([page for _, page in numbered], damaged=damaged):
        parts = [numbered[position][0] for position in chain.positions]
        if chain.problem and not parts[0].empty:  # an empty page may still be of a history in another file
            rest.append(UnreadableError(chain.problem))
        else:
            rest.append(join(parts))
    return rest


def _may_be_one(one: Names, other: Names) -> bool:
    pairs = ((getattr(one, key), getattr(other, key)) for key in Names.__struct_fields__)
    return all(not a or not b or a == b for a, b in pairs)


def _unclear(page: Page, before: int, rivals: int) -> str:
    what = f"It is a page of a history, events {page.first}-{page.last}, and it is not clear whose: "
    if before > 1:
        what += f"{before} pages end with event {page.first - 1}"
    else:
        what += f"{rivals} pages go on after the one that ends with event {page.first - 1}"
    return f"{what}. Keep the pages of each history in a folder of its own, each page once."

"""Which pages are one history? A server gives long histories in pages, and people keep each in a file.

Only the first page says whose history it is. Another continues it where it begins with the next event, and nothing else
could be meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracing.history.documents import Document, Names, UnreadableError
from tracing.history.events import Event

CLOSING: Final = frozenset(
    f"WorkflowExecution{ending}"
    for ending in ("Completed", "Failed", "TimedOut", "Canceled", "Terminated", "ContinuedAsNew")
)
"""Types of the event that closes a run, after which there is none."""


@dataclass(frozen=True, slots=True)
class Page:
    """What decides which history a page belongs to.

    Attributes:
        first: ID of its first event.
        last: ID of its last event.
        closed: Whether the run ends with it.
        names: Whose it says that it is.
    """

    first: int
    last: int
    closed: bool
    names: Names


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
    events = [event for event in document.events if event.id > 0]
    if not events or (min(event.id for event in events) == 1 and not document.more):
        return None
    return _page(document.names, events)


def _page(names: Names, events: Sequence[Event]) -> Page:
    last = max(events, key=lambda event: event.id)
    return Page(min(event.id for event in events), last.id, last.type in CLOSING, names)


def chains(pages: Sequence[Page]) -> list[Chain]:
    """Put pages of one history together, where just one page ends before another begins."""
    ends = defaultdict(list)
    for position, page in enumerate(pages):
        if not page.closed:
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
    return Document([event for part in parts for event in part.events], defects, names, parts[-1].more, raw)


def joined(found: Sequence[Document | UnreadableError]) -> list[Document | UnreadableError]:
    """What was found in one file, with the pages of each history put together."""
    documents = [document for document in found if isinstance(document, Document)]
    if len(documents) == 1 or not any(page_of(document) for document in documents):
        return list(found)
    numbered = [document for document in documents if any(event.id > 0 for event in document.events)]
    pages = [_page(document.names, [event for event in document.events if event.id > 0]) for document in numbered]
    taken = {id(document) for document in numbered}
    rest = [each for each in found if id(each) not in taken]
    return rest + [
        UnreadableError(chain.problem) if chain.problem else join([numbered[position] for position in chain.positions])
        for chain in chains(pages)
    ]


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

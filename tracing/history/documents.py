"""What is a history as it was found, before anybody asks whose it is?"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tracing.history.events import Event

RawEvent = tuple[int, bytes]
"""An event ID, and the whole event as Temporal's JSON in the spelling of current servers."""


class UnreadableError(Exception):
    """A source that is refused; the message is the reason and says how to mend it."""


class ForeignError(UnreadableError):
    """A source that is a whole JSON document, but of another kind."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A source that was refused.

    Attributes:
        source: Its path, or what it was.
        reason: Why, and how to mend it.
        foreign: Whether it is a whole JSON document of another kind. Named by somebody, that is a mistake; in a folder
            of histories it is just another file.
    """

    source: str
    reason: str
    foreign: bool = False

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


class Names(msgspec.Struct, frozen=True, rename="camel"):
    """Whose a history is, as far as somebody says; "" where nobody does.

    Attributes:
        workflow_id: Workflow ID.
        run_id: The real run ID.
        namespace: Namespace.
    """

    workflow_id: str = ""
    run_id: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One history, or some pages of one, as it was found.

    Attributes:
        events: Its events, in any order.
        defects: What is wrong with it, a sentence each.
        names: What stands beside the events.
        more: Whether a page says that later events are on another.
        raw: Its events as JSON, in any order; None unless asked for.
        empty: Whether it is a whole page without events, as the last page of a history may be.
    """

    events: list[Event]
    defects: list[str]
    names: Names
    more: bool = False
    raw: list[RawEvent] | None = None
    empty: bool = False

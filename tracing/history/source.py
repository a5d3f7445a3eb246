"""Whose history is it? What is known of a run, whatever its history was read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tracing.history.attributes.workflow import WorkflowExecutionStarted
from tracing.history.documents import Document, Names, UnreadableError
from tracing.history.events import Event, in_order
from tracing.history.pending import PendingActivity
from tracing.history.resets import last_reset
from tracing.history.sources.pages import CLOSING

DEFAULT_NAMESPACE: Final = "default"
"""Namespace of a history that does not name its own, as with ``Client.connect``."""


@dataclass(frozen=True, slots=True)
class History:
    """The history of one run.

    Attributes:
        namespace: Namespace.
        workflow_id: Workflow ID; "" where nobody says.
        run_id: The real run ID, also of reset runs.
        events: Events in the order of their IDs.
        defects: What is wrong with it, a sentence each.
        decoded: Whether a codec decoded payloads of it, which the server holds encoded (``tracing.decoding``).
        undecoded: How many payloads were to be decoded and could not: what is exported of it may change.
        source: Where it was read: the path of its file, or what it was.
        raw_events: Each event as Temporal's JSON, in the order of IDs, for ``write_history``; None unless ``read`` was
            asked to keep them.
        more: Whether it is only a part: a page says that later events are on another, which was not there.
        pending: Activities that the run waits for, where a server told of them: no event does.
    """

    namespace: str
    workflow_id: str
    run_id: str
    events: tuple[Event, ...] = field(repr=False)  # asyncio writes out what a task gave, thousands of events
    defects: tuple[str, ...] = ()
    decoded: bool = False
    undecoded: int = 0
    more: bool = False
    pending: tuple[PendingActivity, ...] = ()
    source: str = field(default="", compare=False)
    raw_events: tuple[bytes, ...] | None = field(default=None, compare=False, repr=False)

    @property
    def started(self) -> WorkflowExecutionStarted:
        """What the run was started with."""
        attributes = self.events[0].attributes
        assert isinstance(attributes, WorkflowExecutionStarted)  # `history_of` lets no other in
        return attributes


def history_of(document: Document, given: Names, source: str = "") -> History:
    """Put a history together. Names that are given win over those in the document, these over those in its events.

    Raises:
        UnreadableError: It does not begin with the start of a run, or nobody says its run ID.
    """
    events, defects = in_order(document.events)
    defects = [*document.defects, *defects]
    # A server may say that there is another page, and that is empty.
    more = document.more and not (events and events[-1].type in CLOSING)
    if more:
        defects.append("It is one page of the history: later events are missing. Read it with the other pages.")
    if not events:
        raise UnreadableError("No event has an ID and a time: export the history again.")
    started = events[0].attributes
    if not isinstance(started, WorkflowExecutionStarted):
        first = f"{events[0].id} ({events[0].type})"
        wrong = f"event {first} is damaged ({events[0].defect})" if events[0].defect else f"first event is {first}"
        raise UnreadableError(
            f"Its {wrong}, but event 1 (WorkflowExecutionStarted) says whose history it is: export it again, whole."
        )
    reset = last_reset(events)
    beside = document.names
    run_id = given.run_id or beside.run_id or (reset.new_run_id if reset else "") or started.original_execution_run_id
    if not run_id:
        raise UnreadableError(
            "It does not name its run, as histories of old servers do not: export it with --run-id (in Python: "
            "run_id=)."
        )
    workflow_id = given.workflow_id or beside.workflow_id or started.workflow_id
    if not workflow_id:
        defects.append(
            "It does not name its workflow, as histories of old servers do not: export it with --workflow-id (in "
            "Python: workflow_id=)."
        )
    namespace = given.namespace or beside.namespace or DEFAULT_NAMESPACE
    raw = None if document.raw is None else tuple(_raw_in_order(document.raw))
    return History(
        namespace, workflow_id, run_id, tuple(events), tuple(defects), more=more, source=source, raw_events=raw
    )


def _raw_in_order(events: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    previous = 0
    for event_id, event in sorted(events, key=lambda item: item[0]):
        if event_id > previous:  # of two with one ID the first is kept, as `in_order` does
            yield event
        previous = event_id

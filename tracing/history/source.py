"""Where do histories come from, and whose are they?

Files, folders, bytes, and the SDK's ``WorkflowHistory`` as ``handle.fetch_history()`` returns it. Servers:
``tracing.history.server``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.client import WorkflowHistory

from tracing.history.attributes.workflow import WorkflowExecutionStarted
from tracing.history.documents import MAX_BYTES, Document, Names, UnreadableError, documents
from tracing.history.events import Event, events_from_proto, in_order
from tracing.history.resets import last_reset

DEFAULT_NAMESPACE: Final = "default"
"""Namespace of a history that does not name its own, as with ``Client.connect``."""

SUFFIXES: Final = (".json", ".json.gz", ".json.zst", ".bin")
"""Endings of the files that are read from a folder. A file that is named itself may have any."""

Source = str | Path | bytes | WorkflowHistory | tuple[WorkflowHistory, str]
"""A path, a file's bytes, or an SDK history, best with the real run ID: it is not in the history of every run."""


@dataclass(frozen=True, slots=True)
class History:
    """The history of one run.

    Attributes:
        namespace: Namespace.
        workflow_id: Workflow ID; "" where nobody says.
        run_id: The real run ID, also of reset runs.
        events: Events in the order of their IDs.
        defects: What is wrong with it, a sentence each.
    """

    namespace: str
    workflow_id: str
    run_id: str
    events: tuple[Event, ...]
    defects: tuple[str, ...] = ()

    @property
    def started(self) -> WorkflowExecutionStarted:
        """What the run was started with."""
        attributes = self.events[0].attributes
        assert isinstance(attributes, WorkflowExecutionStarted)  # `history_of` lets no other in
        return attributes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A source that was refused.

    Attributes:
        source: Its path, or what it was.
        reason: Why, and how to mend it.
    """

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


def read(
    *sources: Source, namespace: str | None = None, workflow_id: str | None = None, run_id: str | None = None
) -> Iterator[History | Unreadable]:
    """Read histories, one at a time. A source that cannot be read does not stop the others.

    Args:
        sources: Files (JSON in any shape that Temporal's tools write, binary, gzip, Zstandard), folders, bytes of a
            file, SDK histories.
        namespace: Namespace; else what the file says, else "default".
        workflow_id: Workflow ID, where the history does not name it; only with one source.
        run_id: Real run ID, where the history does not name it; only with one source.

    Yields:
        A history, or the reason why a source has none.

    Raises:
        ValueError: An ID was given for several sources.
    """
    if (workflow_id is not None or run_id is not None) and len(sources) != 1:
        raise ValueError("workflow_id and run_id name one run: give them with one source")
    given = Names(workflow_id or "", run_id or "", namespace or "")
    for source in sources:
        yield from _read(source, given)


def history_of(document: Document, given: Names) -> History:
    """Put a history together. Names that are given win over those in the document, these over those in its events.

    Raises:
        UnreadableError: It does not begin with the start of a run, or nobody says its run ID.
    """
    events, defects = in_order(event for event in document.events if event.id > 0)
    defects = [*document.defects, *defects]
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
        raise UnreadableError("It does not name its run, as histories of old servers do not: give the run ID with it.")
    workflow_id = given.workflow_id or beside.workflow_id or started.workflow_id
    if not workflow_id:
        defects.append(
            "It does not name its workflow, as histories of old servers do not: give the workflow ID with it."
        )
    namespace = given.namespace or beside.namespace or DEFAULT_NAMESPACE
    return History(namespace, workflow_id, run_id, tuple(events), tuple(defects))


def _read(source: Source, given: Names) -> Iterator[History | Unreadable]:
    if isinstance(source, (str, Path)):
        yield from _read_path(Path(source), given)
    elif isinstance(source, bytes):
        yield from _read_bytes(source, f"{len(source)} bytes", given)
    else:
        history, run_id = source if isinstance(source, tuple) else (source, given.run_id)
        document = Document(events_from_proto(history.events), [], Names(history.workflow_id))
        given = Names(given.workflow_id, run_id, given.namespace)
        yield _readable(document, given, f"history of {history.workflow_id}")


def _read_path(path: Path, given: Names) -> Iterator[History | Unreadable]:
    if not path.is_dir():
        yield from _read_file(path, given)
        return
    files = [
        Path(folder, name) for folder, _, names in os.walk(path) for name in names if name.lower().endswith(SUFFIXES)
    ]
    if not files:
        yield Unreadable(str(path), f"No file in this folder ends in {', '.join(SUFFIXES)}: give one that does.")
    for file in sorted(files):
        yield from _read_file(file, given)


def _read_file(path: Path, given: Names) -> Iterator[History | Unreadable]:
    try:
        if not path.exists():
            yield Unreadable(str(path), "It does not exist: check the path.")
        elif not path.is_file():
            yield Unreadable(str(path), "It is neither a file nor a folder.")
        elif path.stat().st_size > MAX_BYTES:
            yield Unreadable(str(path), f"It is larger than {MAX_BYTES >> 20} MiB, and no history is.")
        else:
            yield from _read_bytes(path.read_bytes(), str(path), given)
    except OSError as error:
        yield Unreadable(str(path), f"It cannot be read ({error.strerror}): check its permissions.")


def _read_bytes(data: bytes, name: str, given: Names) -> Iterator[History | Unreadable]:
    try:
        found = documents(data)
    except UnreadableError as error:
        yield Unreadable(name, str(error))
        return
    if len(found) > 1 and (given.run_id or given.workflow_id):
        yield Unreadable(name, f"It holds {len(found)} histories: give IDs only with a file of one.")
        return
    for position, document in enumerate(found, 1):
        yield _readable(document, given, name if len(found) == 1 else f"{name}[{position}]")


def _readable(document: Document, given: Names, name: str) -> History | Unreadable:
    try:
        return history_of(document, given)
    except UnreadableError as error:
        return Unreadable(name, str(error))

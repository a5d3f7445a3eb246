"""Which events does the SDK's replayer need, and whose run are they?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from google.protobuf.json_format import ParseError
from temporalio.api.history.v1 import History as HistoryMessage
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tracing.history import History, Source, Unreadable, read
from tracing.tracefile.compression import decompressed


@dataclass(frozen=True, slots=True)
class Recording:
    """A history that can be replayed.

    Attributes:
        history: For the SDK, with the real workflow ID: IDs that the code derives from another one would differ.
        namespace: Namespace of the run.
        run_id: The real run ID. The SDK replays with the run ID of the start event, which of a reset run is the base
            run's: random numbers in workflow code depend on that one.
        workflow_type: Workflow type.
    """

    history: WorkflowHistory
    namespace: str
    run_id: str
    workflow_type: str


def recording(
    source: Source, *, workflow_id: str | None = None, run_id: str | None = None, namespace: str | None = None
) -> Recording:
    """Read a history for a replay.

    Args:
        source: A history file (JSON or binary, compressed or not), its bytes (not compressed), or what
            ``handle.fetch_history()`` returned.
        workflow_id: Workflow ID, where the history does not name it.
        run_id: Real run ID, where the history does not name it.
        namespace: Namespace; else what the file says, else "default".

    Raises:
        ValueError: It is no history, not a whole one, or not one alone; the message says what to do.
    """
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        raise ValueError(f"{source} is a folder: a replay takes one history, give its file.")
    found = list(read(source, namespace=namespace, workflow_id=workflow_id, run_id=run_id))
    problem = next((each for each in found if isinstance(each, Unreadable)), None)
    if problem is not None:
        raise ValueError(str(problem))
    histories = [each for each in found if isinstance(each, History)]
    if len(histories) != 1:
        raise ValueError(f"It holds {len(histories)} histories: a replay takes one, give them one by one.")
    known = histories[0]
    name = str(source) if isinstance(source, (str, Path)) else "The history"
    if not known.workflow_id:
        raise ValueError(f"{name} does not name its workflow ID: give it, for IDs that the code derives depend on it.")
    # Core stops answering, for ever, when it is given a history with a hole in it, or the start alone.
    if known.defects:
        raise ValueError(f"{name} cannot be replayed: {known.defects[0]} Export the whole history again.")
    if len(known.events) == 1:
        raise ValueError(f"{name} holds only the start of a run: there is nothing to replay yet.")
    events = sorted(_events(source, name), key=lambda event: event.event_id)
    return Recording(
        history=WorkflowHistory(known.workflow_id, events),
        namespace=known.namespace,
        run_id=known.run_id,
        workflow_type=events[0].workflow_execution_started_event_attributes.workflow_type.name,
    )


def _events(source: Source, name: str) -> Sequence[HistoryEvent]:
    if isinstance(source, WorkflowHistory):
        return source.events
    if isinstance(source, tuple):
        return source[0].events
    if isinstance(source, bytes):
        data = source
    else:
        with decompressed(Path(source)) as file:
            data = file.read()
    text = data.lstrip()
    try:
        if text[:1] not in {b"{", b"["} or data.startswith(b"\n"):
            return HistoryMessage.FromString(data).events
        return WorkflowHistory.from_json("", {"events": _listed(text)}).events
    except (ParseError, ValueError) as error:
        raise ValueError(f"{name} has events that the SDK cannot read ({error}): export the history again.") from None


def _listed(text: bytes) -> list[object]:
    """The events of a JSON history, in any of its shapes that hold one run."""
    document = msgspec.json.decode(text)
    if isinstance(document, list) and len(document) == 1 and "eventId" not in document[0]:
        document = document[0]
    while isinstance(document, dict):
        document = document.get("events", document.get("history"))
    if not isinstance(document, list):
        raise ValueError("it is not a list of events")  # noqa: TRY004 - a defect of the file, not of the call
    return document

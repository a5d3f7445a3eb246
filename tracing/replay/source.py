"""Which events does the SDK's replayer need, and whose run are they?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.json_format import ParseError
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tracing.history import History, Source, Unreadable, read


@dataclass(frozen=True, slots=True)
class Recording:
    """A history that can be replayed.

    Attributes:
        history: For the SDK, with the real workflow ID: IDs that the code derives from another one would differ.
        namespace: Namespace of the run.
        run_id: The real run ID. The SDK replays with the run ID of the start event, which of a reset run is the base
            run's: random numbers in workflow code depend on that one.
        workflow_type: Workflow type.
        known: The same history, for ``to_spans``.
        source: Where it was read.
    """

    history: WorkflowHistory
    namespace: str
    run_id: str
    workflow_type: str
    known: History = field(repr=False)
    source: str = ""


def recording(
    source: Source, *, workflow_id: str | None = None, run_id: str | None = None, namespace: str | None = None
) -> Recording:
    """Read a history for a replay.

    Args:
        source: A history file in any shape that ``tracing.history.read`` takes, its bytes, or what
            ``handle.fetch_history()`` returned.
        workflow_id: Workflow ID, where the history does not name it.
        run_id: Real run ID, where the history does not name it.
        namespace: Namespace; else what the file says, else "default".

    Raises:
        ValueError: It is no history, not a whole one, or not one alone; the message says what to do.
    """
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        raise ValueError(f"{source} is a folder: a replay takes one history, give its file.")
    found = list(read(source, namespace=namespace, workflow_id=workflow_id, run_id=run_id, raw=True))
    problem = next((each for each in found if isinstance(each, Unreadable)), None)
    if problem is not None:
        raise ValueError(str(problem))
    histories = [each for each in found if isinstance(each, History)]
    if len(histories) != 1:
        raise ValueError(f"It holds {len(histories)} histories: a replay takes one, give them one by one.")
    name = str(source) if isinstance(source, (str, Path)) else "The history"
    try:
        return _recording(histories[0], source)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def recordings(source: Source, *, namespace: str | None = None) -> Iterator[Recording | Unreadable]:
    """Read the histories of a file or folder for replays, one at a time.

    Args:
        source: As for ``tracing.history.read``.
        namespace: Namespace; else what the file says, else "default".

    Returns:
        Recordings, and the reason why something is none.
    """
    for found in read(source, namespace=namespace, raw=True, beside=True):
        yield recorded(found, source)


def recorded(found: History | Unreadable, source: Source) -> Recording | Unreadable:
    """What was read, for a replay.

    Args:
        found: What ``tracing.history.read`` gave of the source, asked for the raw events.
        source: The source.
    """
    if isinstance(found, Unreadable):
        return found
    try:
        return _recording(found, source)
    except ValueError as error:
        return Unreadable(found.source, str(error))


def _recording(known: History, source: Source) -> Recording:
    if not known.workflow_id:
        raise ValueError(
            "It does not name its workflow ID, on which IDs depend that the code derives: "
            'write "workflowId" beside its "events", or in a program give workflow_id.'
        )
    # Core stops answering, for ever, when it is given a history with a hole in it, or the start alone.
    if known.defects:
        raise ValueError(f"It cannot be replayed: {known.defects[0]} Export the whole history again.")
    if len(known.events) == 1:
        raise ValueError("It holds only the start of a run: there is nothing to replay yet.")
    events = _sdk_events(known, source)
    return Recording(
        history=WorkflowHistory(known.workflow_id, events),
        namespace=known.namespace,
        run_id=known.run_id,
        workflow_type=events[0].workflow_execution_started_event_attributes.workflow_type.name,
        known=known,
        source=known.source,
    )


def _sdk_events(known: History, source: Source) -> Sequence[HistoryEvent]:
    """The events of one whole history, as the SDK has them, in order."""
    if isinstance(source, (tuple, WorkflowHistory)):
        history = source[0] if isinstance(source, tuple) else source
        return sorted(history.events, key=lambda event: event.event_id)
    assert known.raw_events is not None  # asked for above
    try:
        return WorkflowHistory.from_json("", {"events": [json.loads(event) for event in known.raw_events]}).events
    except (ParseError, ValueError) as error:
        raise ValueError(f"It has events that the SDK cannot read ({error}): export the history again.") from None

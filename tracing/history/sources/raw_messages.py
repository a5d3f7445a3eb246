"""What are the events of a binary history, or of a server's, as Temporal's JSON of today?

The same in each process, and without what JSON cannot hold: fields that nobody here knows, times that are none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.history.v1 import HistoryEvent

from tracing.history.documents import RawEvent


def raw_messages(messages: Iterable[Any]) -> tuple[list[RawEvent], list[str]]:
    """``temporal.api.history.v1.HistoryEvent`` messages as JSON, and a sentence on all that JSON cannot hold."""
    events, lost = [], []
    for message in messages:
        text, unknown, dropped = message_json(message)
        events.append((message.event_id, text))
        if unknown:
            lost.append(
                f"Event {message.event_id} has fields that the installed Temporal API does not know, and JSON cannot "
                "hold them: the history file is without; upgrade temporalio to have them."
            )
        if dropped:
            lost.append(
                f"Event {message.event_id}: {', '.join(dropped)} cannot be written as JSON, and the history file is "
                "without: export the history again."
            )
    return events, lost


def message_json(message: Any) -> tuple[bytes, bool, list[str]]:
    """One ``HistoryEvent`` message as JSON.

    Returns:
        The JSON; whether the message has fields that the installed API does not know; names of times and durations
        that are none, but for the event's own.
    """
    known = HistoryEvent()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    unknown = known.ByteSize() < message.ByteSize()
    dropped: list[str] = []
    try:
        text = _json(known)
    except (SerializeToJsonError, ValueError):  # a time that is none
        dropped = [name for name in _without_broken_times(known) if name != "eventTime"]
        text = _json(known)
    return text.encode(), unknown, dropped


def _json(message: HistoryEvent) -> str:
    """JSON of a message, the same in each process: in each, protobuf gives the entries of a map in another order."""
    fields = MessageToDict(message).items()
    return f"{{{', '.join(f'{json.dumps(name)}: {json.dumps(value, sort_keys=True)}' for name, value in fields)}}}"


def _without_broken_times(message: Any) -> Iterator[str]:
    """Take times and durations out of a message that JSON cannot hold; their names."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inside = list(value.values()) if field.message_type.fields_by_name["value"].message_type else []
        else:
            inside = list(value) if field.is_repeated else [value]
        for each in inside:
            if not isinstance(each, (Timestamp, Duration)):
                yield from _without_broken_times(each)
            elif not _is_written(each):
                message.ClearField(field.name)
                yield field.json_name
                break


def _is_written(time: Timestamp | Duration) -> bool:
    try:
        time.ToJsonString()
    except ValueError:
        return False
    return True

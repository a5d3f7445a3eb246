"""Which histories are in a binary file?

``temporal.api.history.v1.History`` is one. What Temporal Cloud exports, ``temporal.api.export.v1.WorkflowExecutions``,
holds many, and is read one by one: an object may be larger than memory. Both are a list in field 1; what the items
begin with tells them apart, and both from JSON.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final, Literal

from google.protobuf.message import DecodeError
from temporalio.api.export.v1 import WorkflowExecution
from temporalio.api.history.v1 import History, HistoryEvent

from tracing.history.documents import Document, Names, UnreadableError
from tracing.history.proto_events import events_from_proto
from tracing.history.sources import limits
from tracing.history.sources.raw_messages import raw_messages

Kind = Literal["history", "executions"]

_LIST: Final = 0x0A  # field 1, length-delimited
_EVENT_STARTS: Final = (0x08, 0x12)  # event ID; time, in an event without ID
_ACTIVITIES: Final = 0x12  # field 2 of ExportedExecutions, which is WorkflowExecutions with one field more
_LENGTH_DELIMITED: Final = 2
_PREFIX: Final = 64
_VARINT_BYTES: Final = 10


def binary_kind(file: io.BufferedReader) -> Kind | None:
    """Which message a file holds; None where it is none of ours. Nothing is taken from the file."""
    start = io.BytesIO(file.peek(_PREFIX)[:_PREFIX])
    try:
        while start.read(1) == bytes([_LIST]):
            if _varint(start) == 0:  # an empty item says nothing
                continue
            first = start.read(1)[0]
            if first in _EVENT_STARTS:
                return "history"
            if first == _LIST:
                if _varint(start) == 0:  # a run without events
                    return "executions"
                if start.read(1)[0] == _LIST and (_varint(start) == 0 or start.read(1)[0] in _EVENT_STARTS):
                    return "executions"
            return None
    except (EOFError, IndexError):
        return None
    return None


def message_document(messages: Iterable[Any], names: Names, *, raw: bool) -> Document:
    """The history that consists of ``temporal.api.history.v1.HistoryEvent`` messages."""
    if not raw:
        return Document(events_from_proto(messages), [], names)
    kept = list(messages)
    found, defects = raw_messages(kept)
    return Document(events_from_proto(kept), defects, names, raw=found)


def history_document(data: bytes, *, raw: bool) -> Document:
    """The history of a ``History`` message; events that cannot be decoded are left out and counted.

    Raises:
        UnreadableError: None can be decoded.
    """
    try:
        return message_document(History.FromString(data).events, Names(), raw=raw)
    except DecodeError:
        pass
    messages, broken = [], 0
    defects = []
    try:
        for tag, item in _fields(io.BytesIO(data)):
            if tag == _LIST:
                try:
                    messages.append(HistoryEvent.FromString(item))
                except DecodeError:
                    broken += 1
    except EOFError:
        defects.append("It ends in the middle of an event: copy the file again.")
    if not messages:
        raise UnreadableError("It begins as a binary history, but none of its events can be decoded: copy it again.")
    if broken:
        defects.append(f"{broken} of its events cannot be decoded and are left out: copy the file again.")
    document = message_document(messages, Names(), raw=raw)
    return Document(document.events, defects + document.defects, document.names, raw=document.raw)


def executions(file: BinaryIO, *, raw: bool) -> Iterator[Document | UnreadableError]:
    """Read the runs of an object of Temporal Cloud's history export, one at a time.

    Yields:
        A history, or why one of them cannot be read; a broken one does not stop the others.
    """
    position = activities = 0
    try:
        for tag, item in _fields(file):
            if tag == _ACTIVITIES:
                activities += 1
            if tag != _LIST:
                continue
            position += 1
            try:
                yield message_document(WorkflowExecution.FromString(item).history.events, Names(), raw=raw)
            except DecodeError:
                yield UnreadableError("It cannot be decoded: copy the object again.")
    except EOFError:
        yield UnreadableError(f"The object ends in the middle of run {position + 1}: copy it again.")
    if activities:
        yield UnreadableError(
            f"{activities} standalone activities in this object have no history of events and are left out."
        )


def _fields(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a message: tag and content.

    Raises:
        EOFError: It ends in the middle of one, or goes on with what is none.
    """
    while first := file.read(1):
        tag = _varint(io.BytesIO(first + file.read(1))) if first[0] & 0x80 else first[0]
        size = _varint(file)
        if tag & 7 != _LENGTH_DELIMITED:
            raise EOFError
        limits.check(size)
        content = file.read(size)
        if len(content) < size:
            raise EOFError
        yield tag, content


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 7 * _VARINT_BYTES, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004 - the bit that says that more follow
            return value
    raise EOFError

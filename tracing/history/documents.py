"""Where in a file are the events of a history? In which of the shapes that Temporal's tools write?

``{events: […]}`` (command line, SDKs, our own files with ``workflowId``, ``runId`` and ``namespace`` beside the
events), a bare list (the Web UI's download), ``[{events}]``, ``{history: {events}, nextPageToken}`` (the HTTP API), one
event alone, a map of events; and the binary message ``temporal.api.history.v1.History``. Compression is recognised by
its first bytes.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError
from temporalio.api.history.v1 import History as HistoryProto

from tracing.history.events import Event, JsonEvents, events_from_proto

MAX_BYTES: Final = 512 << 20
"""A history of more bytes is refused, also after decompression. (Temporal's own limit is 50 MB of protobuf.)"""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_PROTOBUF_EVENTS: Final = b"\x0a"  # field 1 of History; in JSON, a line feed
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")  # PowerShell's `>` writes UTF-16
_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class UnreadableError(Exception):
    """A source that is refused; the message is the reason and says how to mend it."""


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
    """One history as it was found.

    Attributes:
        events: Its events, in any order.
        defects: What is wrong with it, a sentence each.
        names: What stands beside the events.
    """

    events: list[Event]
    defects: list[str]
    names: Names


def documents(data: bytes) -> list[Document]:
    """Find the histories in the bytes of a file.

    Raises:
        UnreadableError: They hold none, are broken, or too large.
    """
    data = _decompressed(data)
    if data.startswith(_PROTOBUF_EVENTS):
        document = _binary(data)
        if document is not None:
            return [document]
    if data.startswith(_UTF16_MARKS):
        data = data.decode("utf-16", "replace").encode()
    text = data.removeprefix(_UTF8_MARK).lstrip()
    if not text:
        raise UnreadableError("It is empty: export the history again.")
    if text[:1] not in {b"{", b"["}:
        raise UnreadableError(
            "It is neither JSON nor a binary history: give a file of `temporal workflow show --output json`, of the "
            "Web UI's download, or a serialised temporal.api.history.v1.History."
        )
    try:
        return [_json(items, names, more=more) for items, names, more in _lists(text)]
    except RecursionError:
        raise UnreadableError("Its JSON is nested too deeply for a history.") from None
    except _BROKEN as error:
        raise UnreadableError(f"Its JSON is broken ({error}): export the history again.") from None


def _json(items: list[msgspec.Raw], names: Names, *, more: bool) -> Document:
    reader = JsonEvents()
    events = reader.read(items)
    defects = reader.lost
    if reader.plain_payloads:
        defects.append(
            "Plain values stand in the place of payloads (a download of decoded events): inputs and outputs are shown "
            "as they are; what was recorded beside them is lost."
        )
    if more:
        defects.append("It is one page of the history: later events are missing.")
    return Document(events, defects, names)


def _binary(data: bytes) -> Document | None:
    try:
        message = HistoryProto.FromString(data)
    except DecodeError:
        return None
    return Document(events_from_proto(message.events), [], Names())


_Found = tuple[list[msgspec.Raw], Names, bool]


def _lists(text: bytes) -> list[_Found]:
    if text.startswith(b"["):
        items = msgspec.json.decode(text, type=list[msgspec.Raw])
        if not items:
            raise UnreadableError("Its list of events is empty: export the history again.")
        if not _keys(items[0]).keys() & {"events", "history"}:
            return [(items, Names(), False)]
        return [_in_object(_keys(item)) for item in items]
    return [_in_object(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))]


def _in_object(keys: dict[str, msgspec.Raw]) -> _Found:
    names = Names(_text(keys.get("workflowId")), _text(keys.get("runId")), _text(keys.get("namespace")))
    if "events" in keys:
        return _events(keys["events"]), names, _more(keys)
    if "history" in keys:
        inner = _keys(keys["history"])
        if "events" in inner:
            return _events(inner["events"]), names, _more(keys)
    if "eventId" in keys:
        return [msgspec.Raw(msgspec.json.encode(keys))], names, False
    items = list(keys.values())
    if items and all("eventId" in _keys(item) for item in items):
        return items, names, False
    raise UnreadableError("It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.")


def _events(raw: msgspec.Raw) -> list[msgspec.Raw]:
    items = msgspec.json.decode(raw, type=list[msgspec.Raw] | None) or []
    if not items:
        raise UnreadableError("Its list of events is empty: export the history again.")
    return items


def _keys(raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
    if bytes(memoryview(raw)[:1]) != b"{":
        return {}
    return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])


def _text(raw: msgspec.Raw | None) -> str:
    value: Any = msgspec.json.decode(raw) if raw is not None else None
    return value if isinstance(value, str) else ""


def _more(keys: dict[str, msgspec.Raw]) -> bool:
    return bool(_text(keys.get("nextPageToken")))


def _decompressed(data: bytes) -> bytes:
    try:
        if data.startswith(_GZIP):
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_BYTES + 1)
        elif data.startswith(_ZSTD):
            data = _read_zstd(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(f"Its compression is broken ({error}): copy the file again.") from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"It is larger than {MAX_BYTES >> 20} MiB, and no history is.")
    return data


def _read_zstd(data: bytes) -> bytes:
    try:
        import zstandard  # noqa: PLC0415 - an extra: only those who have such files need it
    except ImportError:
        raise UnreadableError("It is compressed with Zstandard: install durable-trace[zstd] to read it.") from None
    try:
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as stream:
            return stream.read(MAX_BYTES + 1)
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from None

"""Where in a JSON file are the events of a history? In which of the shapes that Temporal's tools write?

``{events: […]}`` (command line, SDKs, our own files with ``workflowId``, ``runId`` and ``namespace`` beside the
events), a bare list (the Web UI's download), ``[{events}]``, ``{history: {events}, rawHistory, nextPageToken}`` (the
HTTP API, whose events may be in ``rawHistory`` alone, as serialised batches), ``{items: [{history}]}`` (an object of
Temporal Cloud's export, as JSON), one event alone, a map of events.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError
from temporalio.api.history.v1 import History

from tracing.history.documents import Document, ForeignError, Names, UnreadableError
from tracing.history.json_events import JsonEvents
from tracing.history.sources.binary import message_document
from tracing.history.sources.raw_events import raw_items

BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on JSON that is none."""

_STATUS: Final = {"code", "message"}
"""Keys of an error that the HTTP API answers."""
_BESIDE: Final = {"nextPageToken", "archived", "workflowId", "runId", "namespace"}
"""Keys beside the events of a page."""
_NOTHING: Final[dict[str, tuple[object, ...]]] = {
    "events": (None, []),
    "history": (None, {}, {"events": None}, {"events": []}),
    "rawHistory": (None, []),
}
"""Keys of a page that hold its events, and what they hold where there is none."""
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")  # PowerShell's `>` writes UTF-16
_ESCAPES: Final = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_PROTO3: Final = (1, "Proto3", "PROTO3", "ENCODING_TYPE_PROTO3", "1")
_JSON: Final = (2, "Json", "JSON", "ENCODING_TYPE_JSON", "2")
_PLAIN: Final = (
    "Plain values stand in the place of payloads (a download of decoded events): inputs and outputs are shown as they "
    "are; what was recorded beside them is lost."
)

_HALVES: Final = "Halves of characters (surrogates that stand alone) are shown as “?”."

_Keys = dict[str, msgspec.Raw]
_NULL: Final = msgspec.Raw(b"null")


def json_documents(data: bytes, *, raw: bool) -> Iterator[Document | UnreadableError]:
    """Find the histories, and pages of histories, in the text of a file.

    Yields:
        A history, or why one of many cannot be read.

    Raises:
        UnreadableError: It holds none, or is broken.
    """
    if data.startswith(_UTF16_MARKS):
        data = data.decode("utf-16", "replace").encode()
    text = data.removeprefix(_UTF8_MARK).lstrip()
    if not text:
        raise UnreadableError("It is empty: export the history again.")
    if text[:1] not in {b"{", b"["}:
        raise UnreadableError(
            "It is neither JSON nor a binary history: give a file of `temporal workflow show --output json`, of the "
            "Web UI's download, a serialised temporal.api.history.v1.History, or an object of Temporal Cloud's export."
        )
    try:
        yield from _documents(text, raw=raw)
    except BROKEN as error:
        mended = _without_half_characters(text)
        if mended is None:
            raise _broken(error) from None
        yield from _mended(mended, raw=raw)


def _mended(text: bytes, *, raw: bool) -> Iterator[Document | UnreadableError]:
    try:
        for document in _documents(text, raw=raw):
            if isinstance(document, Document):
                document.defects.append(_HALVES)
            yield document
    except BROKEN as error:
        raise _broken(error) from None


def _broken(error: Exception) -> UnreadableError:
    if isinstance(error, RecursionError):
        return UnreadableError("Its JSON is nested too deeply for a history.")
    return UnreadableError(f"Its JSON is broken ({error}): export the history again.")


def _without_half_characters(text: bytes) -> bytes | None:
    """Text without surrogates that stand alone, as other parsers let pass; None where there are none."""
    found = False

    def kept(escape: re.Match[bytes]) -> bytes:
        nonlocal found
        if len(escape[0]) != len(rb"\ud83d"):
            return escape[0]
        found = True
        return b"?"

    mended = _ESCAPES.sub(kept, text)
    return mended if found else None


def _documents(text: bytes, *, raw: bool) -> Iterator[Document | UnreadableError]:
    if text.startswith(b"["):
        items = msgspec.json.decode(text, type=list[msgspec.Raw])
        if not items:
            raise UnreadableError("Its list of events is empty: export the history again.")
        if not _keys(items[0]).keys() & {"events", "history", "rawHistory"}:
            yield _document(items, Names(), raw=raw)
            return
        yield from _each(items, raw=raw, pages=True)
        return
    keys = msgspec.json.decode(text, type=_Keys)
    if "items" in keys and "events" not in keys:
        yield from _each(_list(keys["items"]), raw=raw, pages=False)
    else:
        yield _page(keys, raw=raw)


def _each(items: list[msgspec.Raw], *, raw: bool, pages: bool) -> Iterator[Document | UnreadableError]:
    for item in items:
        try:
            yield (_page if pages else _in_object)(_keys(item), raw=raw)
        except UnreadableError as error:
            yield error
        except BROKEN as error:
            yield _broken(error)


def _page(keys: _Keys, *, raw: bool) -> Document:
    """The history, or page of one, in an object. A page may be empty."""
    try:
        return _in_object(keys, raw=raw)
    except UnreadableError:
        if not _is_empty_page(keys):
            raise
        return Document([], [], _names(keys), raw=[] if raw else None, empty=True)


def _is_empty_page(keys: _Keys) -> bool:
    """Whether it is a last page as servers answer it, whole, and without events.

    (A binary one has no bytes, as a file that was cut off has none: only JSON tells them apart.)
    """
    held = keys.keys() & _NOTHING.keys()
    if not held or keys.keys() - _NOTHING.keys() - _BESIDE or msgspec.json.decode(keys.get("nextPageToken", _NULL)):
        return False
    return all(msgspec.json.decode(keys[key]) in _NOTHING[key] for key in held)


def _names(keys: _Keys) -> Names:
    return Names(_text(keys.get("workflowId")), _text(keys.get("runId")), _text(keys.get("namespace")))


def _in_object(keys: _Keys, *, raw: bool) -> Document:
    names = _names(keys)
    more = bool(_text(keys.get("nextPageToken")))
    if "events" in keys:
        return _document(_list(keys["events"]), names, more=more, raw=raw)
    inner = _keys(keys.get("history"))
    blobs = msgspec.json.decode(keys["rawHistory"]) if "rawHistory" in keys else None
    if blobs and not (inner.get("events") and msgspec.json.decode(inner["events"], type=list[msgspec.Raw] | None)):
        return _batches(blobs, names, more=more, raw=raw)
    if "events" in inner:
        return _document(_list(inner["events"]), names, more=more, raw=raw)
    if "eventId" in keys:
        return _document([msgspec.Raw(msgspec.json.encode(keys))], names, raw=raw)
    items = list(keys.values())
    if items and all("eventId" in _keys(item) for item in items):
        return _document(items, names, raw=raw)
    # What a server answers instead of a history, saved as one, is a history that is missing.
    kind = UnreadableError if not keys or keys.keys() >= _STATUS else ForeignError
    raise kind("It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.")


def _document(items: list[msgspec.Raw], names: Names, *, more: bool = False, raw: bool) -> Document:
    reader = JsonEvents()
    events = reader.read(items)
    kept, lost = raw_items(items) if raw else (None, [])
    defects = [*reader.lost, *([_PLAIN] if reader.plain_payloads else ()), *lost]
    return Document(events, defects, names, more, kept)


def _batches(blobs: Any, names: Names, *, more: bool, raw: bool) -> Document:
    """The history of a page whose events are in serialised batches, as the server stores them."""
    joined = Document([], [], names, more, [] if raw else None)
    for position, blob in enumerate(blobs if isinstance(blobs, list) else [blobs], 1):
        try:
            part = _batch(blob, names, raw=raw)
        except (DecodeError, Base64Error, ValueError, TypeError, UnreadableError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            joined.defects.append(f"Batch {position} of rawHistory cannot be decoded ({reason}): fetch the page again.")
            continue
        joined.events.extend(part.events)
        joined.defects.extend(part.defects)
        if joined.raw is not None and part.raw is not None:
            joined.raw.extend(part.raw)
    if not joined.events:
        raise UnreadableError(joined.defects[0] if joined.defects else "Its rawHistory is empty: fetch the page again.")
    return joined


def _batch(blob: Any, names: Names, *, raw: bool) -> Document:
    encoding = blob.get("encodingType", 1) if isinstance(blob, dict) else 1
    data = b64decode((blob.get("data") or "") if isinstance(blob, dict) else blob, validate=True)
    if encoding in _PROTO3:
        return message_document(History.FromString(data).events, names, raw=raw)
    if encoding in _JSON:
        return _in_object(_keys(msgspec.Raw(data)), raw=raw)
    raise ValueError(f"its encoding is {str(encoding)[:40]!r}, not ENCODING_TYPE_PROTO3")


def _list(raw: msgspec.Raw) -> list[msgspec.Raw]:
    items = msgspec.json.decode(raw, type=list[msgspec.Raw] | None) or []
    if not items:
        raise UnreadableError("Its list of events is empty: export the history again.")
    return items


def _keys(raw: msgspec.Raw | None) -> _Keys:
    if raw is None or bytes(memoryview(raw)[:1]) != b"{":
        return {}
    return msgspec.json.decode(raw, type=_Keys)


def _text(raw: msgspec.Raw | None) -> str:
    value: Any = msgspec.json.decode(raw) if raw is not None else None
    return value if isinstance(value, str) else ""

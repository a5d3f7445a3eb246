"""What are the events of a history as Temporal's JSON of today, whatever shape they came in?

Enums are spelled as current servers spell them, and plain values that stand in the place of payloads become payloads
again. All else is kept as it is, byte for byte: payloads, numbers, and what a newer server wrote and nobody here knows.
So ``WorkflowHistory.from_json`` reads the result, and it is the same history.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import HistoryEvent

from tracing.history.documents import RawEvent
from tracing.history.enums import pascal_case
from tracing.history.sources.accepted import accepted
from tracing.history.sources.standard import is_standard
from tracing.history.values import JsonValues, StoredPayload
from tracing.history.values import Payloads as PayloadsValue

_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_MAX_ID: Final = 1 << 63

_Rewrite = Callable[[msgspec.Raw], msgspec.Raw]


class _Id(msgspec.Struct, frozen=True, rename="camel"):
    event_id: int = 0


_ID: Final = msgspec.json.Decoder(_Id, strict=False)
_KEYS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


def raw_items(items: Sequence[msgspec.Raw]) -> tuple[list[RawEvent], list[str]]:
    """Items of a JSON list of events, and a sentence on all that the SDK would refuse; what is no event is left out."""
    events, lost = [], []
    for item in items:
        try:
            event_id = _ID.decode(item).event_id
            text, dropped = _rewritten(item, event_id)
        except _BROKEN:
            continue
        if not 0 < event_id < _MAX_ID:
            continue
        events.append((event_id, text))
        if dropped:
            lost.append(
                f"Event {event_id}: the SDK cannot read {', '.join(dropped)}, and the history file is without: export "
                "the history again."
            )
    return events, lost


def _rewritten(item: msgspec.Raw, event_id: int) -> tuple[bytes, list[str]]:
    if is_standard(item):
        return bytes(item), []
    text = bytes(item)
    try:
        text.decode()
    except UnicodeDecodeError:
        text = text.decode("utf-8", "replace").encode()
    text = bytes(_message(msgspec.Raw(text), HistoryEvent.DESCRIPTOR))
    return (text, []) if is_standard(text) else accepted(text, event_id)


def _message(raw: msgspec.Raw, descriptor: Descriptor) -> msgspec.Raw:
    if not _begins(raw, b"{"):
        return raw
    keys = _KEYS.decode(raw)
    rewrites = _rewrites(descriptor)
    changed = False
    for key in keys.keys() & rewrites.keys():
        new = rewrites[key](keys[key])
        changed = changed or new is not keys[key]
        keys[key] = new
    return msgspec.Raw(msgspec.json.encode(keys)) if changed else raw


@cache
def _rewrites(descriptor: Descriptor) -> dict[str, _Rewrite]:
    """What is done with which field of a message; only fields in which something may have to change."""
    found = {}
    for field in descriptor.fields:
        rewrite = _rewrite(field)
        if rewrite is not None:
            found[field.json_name] = rewrite
    return found


def _rewrite(field: FieldDescriptor) -> _Rewrite | None:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        value = _rewrite(message.fields_by_name["value"])
        return value and _in_map(value)
    single = _single(field)
    return _in_list(single) if single is not None and field.is_repeated else single


def _single(field: FieldDescriptor) -> _Rewrite | None:
    if field.enum_type is not None:
        spellings = _spellings(field.enum_type)
        return lambda raw: _enum(raw, spellings)
    message = field.message_type
    if message is None or not _leads_to_change(message):
        return None
    if message is Payload.DESCRIPTOR:
        return _payload
    if message is Payloads.DESCRIPTOR:
        return _payloads
    return lambda raw: _message(raw, message)


@cache
def _leads_to_change(descriptor: Descriptor) -> bool:
    """Whether a message has an enum or a payload somewhere inside."""
    seen: set[str] = set()
    waiting = [descriptor]
    while waiting:
        message = waiting.pop()
        if message.full_name in seen:
            continue
        seen.add(message.full_name)
        if message is Payload.DESCRIPTOR or any(field.enum_type is not None for field in message.fields):
            return True
        waiting += [field.message_type for field in message.fields if field.message_type is not None]
    return False


def _in_map(rewrite: _Rewrite) -> _Rewrite:
    def rewritten(raw: msgspec.Raw) -> msgspec.Raw:
        if not _begins(raw, b"{"):
            return raw
        values = _KEYS.decode(raw)
        new = {key: rewrite(value) for key, value in values.items()}
        same = all(new[key] is value for key, value in values.items())
        return raw if same else msgspec.Raw(msgspec.json.encode(new))

    return rewritten


def _in_list(rewrite: _Rewrite) -> _Rewrite:
    def rewritten(raw: msgspec.Raw) -> msgspec.Raw:
        if not _begins(raw, b"["):
            return raw
        values = _LIST.decode(raw)
        new = [rewrite(value) for value in values]
        same = all(after is before for after, before in zip(new, values, strict=True))
        return raw if same else msgspec.Raw(msgspec.json.encode(new))

    return rewritten


@cache
def _spellings(enum: EnumDescriptor) -> dict[str, str]:
    """Full names of an enum's values by all their other spellings: ``TimerFired``, ``TIMER_FIRED``."""
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    names = [value.name for value in enum.values]
    short = {name.removeprefix(prefix): name for name in names}
    return {pascal_case(name): full for name, full in short.items()} | short


def _enum(raw: msgspec.Raw, spellings: dict[str, str]) -> msgspec.Raw:
    if not _begins(raw, b'"'):
        return raw
    full = spellings.get(msgspec.json.decode(raw, type=str))
    return raw if full is None else msgspec.Raw(msgspec.json.encode(full))


def _payloads(raw: msgspec.Raw) -> msgspec.Raw:
    if _begins(raw, b"n"):
        return raw
    keys = _KEYS.decode(raw) if _begins(raw, b"{") else None
    if keys == {}:
        return raw
    if keys and _begins(keys.get("payloads", msgspec.Raw()), b"["):
        return _message(raw, Payloads.DESCRIPTOR)
    read = JsonValues()(PayloadsValue, msgspec.json.decode(raw))
    return msgspec.Raw(msgspec.json.encode({"payloads": [_stored(payload) for payload in read]}))


def _payload(raw: msgspec.Raw) -> msgspec.Raw:
    value = msgspec.json.decode(raw)
    if value == {}:  # a payload without data
        return raw
    stored = _stored(JsonValues()(StoredPayload, value).payload)
    kept = value if isinstance(value, dict) and ("metadata" in value or "data" in value) else {}
    if kept and stored == {"metadata": kept.get("metadata") or {}, "data": kept.get("data") or ""}:
        return raw
    return msgspec.Raw(msgspec.json.encode(kept | stored))


def _stored(payload: Any) -> dict[str, Any]:
    return {
        "metadata": {key: b64encode(value).decode() for key, value in payload.metadata.items()},
        "data": b64encode(payload.data).decode(),
    }


def _begins(raw: msgspec.Raw, mark: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == mark

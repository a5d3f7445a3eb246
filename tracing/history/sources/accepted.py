"""Will the SDK read this event, and if not, without which of its fields?

``WorkflowHistory.from_json`` refuses a whole history for one value of a wrong kind, even in a field that nobody needs.
"""

from __future__ import annotations

import json
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message_factory import GetMessageClass
from temporalio.api.history.v1 import HistoryEvent

_REFUSED: Final = (ParseError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
_MAX_NAME: Final = 80
_MAX_FIELDS: Final = 1000
_MAX_DEPTH: Final = 200
"""The SDK copies a history level by level, each in calls within calls."""


def accepted(event: bytes, event_id: int) -> tuple[bytes, list[str]]:
    """The event as the SDK reads it, and the names of the fields that it would refuse and that are left out."""
    try:
        tree = json.loads(event)
    except RecursionError:
        return json.dumps({"eventId": str(event_id)}).encode(), ["it, for it is nested too deeply"]
    if _parses(tree, HistoryEvent.DESCRIPTOR):
        return event, []
    dropped: list[str] = []
    kept = _pruned(tree, HistoryEvent.DESCRIPTOR, "", dropped)
    if not _parses(kept, HistoryEvent.DESCRIPTOR):
        kept = {key: kept[key] for key in ("eventTime", "eventType") if key in kept}
        dropped = ["its attributes"]
    return json.dumps({"eventId": str(event_id)} | kept).encode(), dropped


def _pruned(tree: dict[str, Any], descriptor: Descriptor, path: str, dropped: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    fields = {field.json_name: field for field in descriptor.fields}
    oneofs: set[str] = set()
    if len(tree) > _MAX_FIELDS:
        dropped.append(f"{len(tree) - _MAX_FIELDS} of the fields of {path or 'it'}")
    for key, value in list(tree.items())[:_MAX_FIELDS]:
        field = fields.get(key)
        oneof = field.containing_oneof.name if field is not None and field.containing_oneof is not None else ""
        if _parses({key: value}, descriptor) and oneof not in oneofs:
            kept[key] = value
        elif (message := _message_of(field)) and isinstance(value, dict) and oneof not in oneofs:
            kept[key] = _pruned(value, message, f"{path}{key}.", dropped)
        else:
            dropped.append(f"{path}{key}"[:_MAX_NAME])
            continue
        if oneof and value is not None:
            oneofs.add(oneof)
    return kept


def _message_of(field: FieldDescriptor | None) -> Descriptor | None:
    """The message of a field that JSON shows as an object with fields: not of a time, nor of a list or map."""
    message = field.message_type if field is not None and not field.is_repeated else None
    return None if message is None or message.full_name.startswith("google.protobuf.") else message


def _parses(tree: Any, descriptor: Descriptor) -> bool:
    try:
        ParseDict(tree, GetMessageClass(descriptor)(), ignore_unknown_fields=True)
    except _REFUSED:
        return False
    return not _is_too_deep(tree)


def _is_too_deep(tree: Any) -> bool:
    level = [tree]
    for _ in range(_MAX_DEPTH):
        inside = [tuple(each.values()) if isinstance(each, dict) else each for each in level]
        level = [each for values in inside for each in values if isinstance(each, (dict, list))]
        if not level:
            return False
    return True

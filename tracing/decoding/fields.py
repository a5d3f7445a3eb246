"""Which payloads does an event or a pending activity hold, and what is it with others in their place?

Fields are found by the types of ``tracing.history.attributes``, so a new kind of event needs no line here. Search
attributes are left out: no SDK encodes them. Of headers only those that we read are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import NoneType
from typing import Any, Final, Literal, get_args, get_type_hints

import msgspec

from tracing.conventions import FOREIGN_HEADER, HEADER
from tracing.failures import MAX_DEPTH
from tracing.history.attributes.messages import Header, SearchAttributes
from tracing.history.events import Event
from tracing.history.pending import PendingActivity
from tracing.history.values import PayloadMap, Payloads, PayloadsMap, StoredPayload
from tracing.payloads import PayloadMessage

Place = Literal["list", "one", "summary"]
"""Where payloads stand: in a list, alone, or alone as the summary of an event, which is the workflow's own."""

Replace = Callable[[Sequence[PayloadMessage], Place], Sequence[PayloadMessage] | None]
"""Takes the payloads of one field; gives others, or None to leave them."""

_Kind = Literal["payloads", "one", "map", "lists", "message"]

_KINDS: Final[dict[type, _Kind]] = {
    Payloads: "payloads",
    StoredPayload: "one",
    PayloadMap: "map",
    PayloadsMap: "lists",
}

_HEADERS: Final = frozenset({HEADER, FOREIGN_HEADER})

_DEEPEST: Final = MAX_DEPTH + 5
"""Messages below this depth are left as they are: causes so deep are not read either."""


def replaced(event: Event, replace: Replace) -> Event:
    """An event with the payloads that ``replace`` gives, asked field by field, always in the same order."""
    changed: dict[str, Any] = {}
    if event.attributes is not None:
        attributes = _message(event.attributes, replace, 0)
        if attributes is not event.attributes:
            changed["attributes"] = attributes
    summary = replace([event.summary], "summary") if event.summary is not None else None
    if summary is not None:
        changed["summary"] = summary[0]
    return msgspec.structs.replace(event, **changed) if changed else event


def replaced_pending(pending: PendingActivity, replace: Replace) -> PendingActivity:
    """A pending activity likewise."""
    changed: PendingActivity = _message(pending, replace, 0)
    return changed


def _message(message: msgspec.Struct, replace: Replace, depth: int) -> Any:
    if depth > _DEEPEST:
        return message
    if isinstance(message, Header):
        return _header(message, replace)
    changed: dict[str, Any] = {}
    for name, kind in _fields(type(message)):
        value = getattr(message, name)
        if value is None:
            continue
        new = _value(kind, value, replace, depth)
        if new is not value:
            changed[name] = new
    return msgspec.structs.replace(message, **changed) if changed else message


def _value(kind: _Kind, value: Any, replace: Replace, depth: int) -> Any:
    match kind:
        case "message":
            return _message(value, replace, depth + 1)
        case "payloads":
            return _list(value, replace)
        case "one":
            given = replace([value.payload], "one")
            return value if given is None else StoredPayload(given[0])
        case "lists":
            lists = {key: _list(items, replace) for key, items in value.items()}
            return PayloadsMap(lists) if any(lists[key] is not items for key, items in value.items()) else value
        case "map":
            return _map(value, replace)


def _list(items: Payloads, replace: Replace) -> Payloads:
    given = replace(items, "list") if items else None
    return items if given is None else Payloads(given)


def _map(items: PayloadMap, replace: Replace) -> PayloadMap:
    given = {key: replace([item], "one") for key, item in items.items()}
    new = {key: payloads[0] for key, payloads in given.items() if payloads is not None}
    return PayloadMap({**items, **new}) if new else items


def _header(header: Header, replace: Replace) -> Header:
    ours = PayloadMap((key, item) for key, item in header.fields.items() if key in _HEADERS)
    new = _map(ours, replace)
    return header if new is ours else Header(PayloadMap({**header.fields, **new}))


@cache
def _fields(type_: type[msgspec.Struct]) -> tuple[tuple[str, _Kind], ...]:
    found: list[tuple[str, _Kind]] = []
    for name, hint in get_type_hints(type_).items():
        kinds = [kind for kind in get_args(hint) if kind is not NoneType] or [hint]
        kind = kinds[0]
        if kind in _KINDS:
            found.append((name, _KINDS[kind]))
        elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not SearchAttributes:
            found.append((name, "message"))
    return tuple(found)

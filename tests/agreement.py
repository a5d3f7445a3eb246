"""Where do the spans of the two readers differ, and may they? What they may is taken from the reference's own list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from tracing import conventions as c
from tracing.reference.readers import ONE_READER, OneReader
from tracing.runs import Attributes
from tracing.spans.model import Event, Span

Side = Literal["live", "history"]

_ANY_OTHER = "{any other event type}"


def short(span: Span) -> str:
    """A span's name without what varies."""
    return span.name.partition(":")[0].partition(" ")[0]


def entry(kind: str, name: str, side: Side) -> OneReader:
    """The line of the list that allows something on one side only.

    Raises:
        AssertionError: None does.
    """
    names = (name, _ANY_OTHER) if kind == "event" else (name,)
    for allowed in names:
        for found in ONE_READER:
            if (found.kind, found.name) == (kind, allowed) and found.reader in {side, "ledger"}:
                return found
    raise AssertionError(f"{kind} {name}: only {side} shows it, and the reference does not say so")


def differences(live: Span, exported: Span) -> set[OneReader]:
    """What two readings of one span differ in, all of it on the list. Ends are seen at other times, and not compared.

    Raises:
        AssertionError: They differ in what is not on the list.
    """
    assert _facts(live) == _facts(exported)
    needed = _of_attributes(live.attributes, exported.attributes)
    assert live.links == tuple(link for link in exported.links if link in live.links)
    if exported.links != live.links:
        needed.add(entry("link", short(exported), "history"))
    waiting = list(live.events)
    for event in exported.events:
        if waiting and _same(waiting[0], event):
            needed |= _of_attributes(waiting.pop(0).attributes, event.attributes)
        else:
            needed.add(entry("event", event.name, "history"))
    assert waiting == []
    return needed


def needed_by(live: Iterable[Span], exported: Iterable[Span]) -> set[OneReader]:
    """What all spans of a trace differ in, all of it on the list.

    Raises:
        AssertionError: They differ in what is not on the list.
    """
    by_id = {span.span_id: span for span in exported}
    needed = set()
    for span in live:
        other = by_id.pop(span.span_id, None)
        needed |= {entry("span", short(span), "live")} if other is None else differences(span, other)
    return needed | {entry("span", short(span), "history") for span in by_id.values()}


def _same(live: Event, exported: Event) -> bool:
    """Whether they are one event. When it was is seen at other times."""
    shared = {key: value for key, value in exported.attributes.items() if key not in c.READER_ONLY}
    return (live.name, live.attributes) == (exported.name, shared)


def _facts(span: Span) -> dict[str, object]:
    return {
        "trace": span.trace_id,
        "parent": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "status": (span.status, span.status_message),
        "start": span.start,
    }


def _of_attributes(live: Attributes, exported: Attributes) -> set[OneReader]:
    assert {key: live[key] for key in live if key in exported} == {
        key: exported[key] for key in exported if key in live
    }
    only_live = {entry("attribute", key, "live") for key in live.keys() - exported.keys()}
    return only_live | {entry("attribute", key, "history") for key in exported.keys() - live.keys()}


def written(entries: Iterable[OneReader]) -> dict[str, set[str]]:
    """Names of entries by kind and reader, as they stand in a test; without those of ledgers, which depend on luck."""
    names: dict[str, set[str]] = {}
    for it in entries:
        if it.reader != "ledger":
            names.setdefault(f"{it.reader} {it.kind}", set()).add(f"{it.name}, {it.where}" if it.where else it.name)
    return names

"""What does the page show of a span when a reader opens its row?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tracing import conventions as c
from tracing.report.text import NS_PER_MS, duration, instant
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Span

_PANELS: Final = ((c.INPUT_VALUE, c.INPUT_MIME, "Input"), (c.OUTPUT_VALUE, c.OUTPUT_MIME, "Output"))
_SHOWN_IN_PANELS: Final = frozenset({key for value, mime, _ in _PANELS for key in (value, mime)})
_SHOWN_AS_PANEL: Final = frozenset({c.INPUT_MESSAGES, c.OUTPUT_MESSAGES, c.SYSTEM_INSTRUCTIONS})
"""The model's messages: the input and output of a call are made of them, and show them once."""


def details(spans: Sequence[Span]) -> dict[str, Any]:
    """The details of a trace's spans, for the page's script.

    Args:
        spans: The spans, in the order of their rows.

    Returns:
        ``common``: the attributes that all spans repeat, once; ``spans``: the rest of each.
    """
    common = _common(spans)
    return {
        "common": _listed(common),
        "spans": [_detail(span, common) for span in spans],
    }


def _common(spans: Sequence[Span]) -> Attributes:
    first = spans[0].attributes
    return {
        key: value
        for key, value in first.items()
        if key not in _SHOWN_IN_PANELS and all(span.attributes.get(key) == value for span in spans)
    }


def _detail(span: Span, common: Attributes) -> dict[str, Any]:
    own = {key: value for key, value in span.attributes.items() if key not in common and key not in _SHOWN_IN_PANELS}
    if c.INPUT_VALUE in span.attributes:
        own = {key: value for key, value in own.items() if key not in _SHOWN_AS_PANEL}
    return {
        "facts": [
            ["span ID", f"{span.span_id:016x}"],
            ["parent", "none" if span.parent_id is None else f"{span.parent_id:016x}"],
            ["kind", span.kind.name.lower()],
            ["started", instant(span.start)],
            ["took", duration(None if span.end is None else span.end - span.start)],
            *([["error", span.status_message]] if span.status_message else []),
        ],
        "panels": [
            [title, str(span.attributes[value])]
            for value, _, title in _PANELS
            if value in span.attributes and span.attributes[value] != ""
        ],
        "attributes": _listed(own),
        "events": [
            [event.name, f"+{(event.time - span.start) / NS_PER_MS:.0f} ms", _listed(event.attributes)]
            for event in span.events
        ],
        "links": [
            [f"trace {link.trace_id:032x}, span {link.span_id:016x}", _listed(link.attributes)] for link in span.links
        ],
    }


def _listed(attributes: Attributes) -> list[list[str]]:
    return [[key, _written(value)] for key, value in sorted(attributes.items())]


def _written(value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)

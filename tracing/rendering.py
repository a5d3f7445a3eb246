"""What does a trace look like as text?

One line a span, children below their parent, so that a whole trace can be read, and compared in a test, at a glance::

    RunWorkflow:Research SERVER 0..1250 ms
      StartActivity:search_web CLIENT 7.5..480 ms
        temporal.attempts: 2
        RunActivity:search_web SERVER ERROR 'no connection' 12..31 ms
          * exception 31 ms
            exception.type: 'ConnectError'
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from tracing import conventions as c
from tracing.runs import AttributeValue
from tracing.spans.model import Event, Link, Span, StatusCode

_INDENT: Final = "  "
_NS_PER_MS: Final = 1_000_000


def render(
    spans: Iterable[Span],
    *,
    shows: Callable[[str], bool] = lambda key: False,  # noqa: ARG005 - called with a key
    times: bool = True,
) -> str:
    """Render spans as an indented tree.

    Children stand in the order of their start; those of one instant by name, then by activity ID. A span whose parent
    is not among the spans stands at the margin and names that parent. Status is shown where it is set.

    Args:
        spans: Spans of one or several traces.
        shows: Says of an attribute key whether its attribute is shown, on spans, events and links.
        times: Whether to show start and end, in ms since the start of the first span.
    """
    ordered = sorted(spans, key=_order)
    origin = min((span.start for span in ordered), default=0) if times else None
    known = {(span.trace_id, span.span_id) for span in ordered}
    children: defaultdict[tuple[int, int], list[Span]] = defaultdict(list)
    roots: list[Span] = []
    for span in ordered:
        parent = (span.trace_id, span.parent_id) if span.parent_id is not None else None
        (roots if parent is None or parent not in known else children[parent]).append(span)
    lines: list[str] = []
    waiting = [(root, 0) for root in reversed(roots)]
    while waiting:
        span, depth = waiting.pop()
        lines += [_INDENT * depth + line for line in _span_lines(span, shows, origin, orphan=depth == 0)]
        waiting += [(child, depth + 1) for child in reversed(children[span.trace_id, span.span_id])]
    return "\n".join(lines)


def _order(span: Span) -> tuple[int, str, str, int]:
    return span.start, span.name, str(span.attributes.get(c.ACTIVITY_ID, "")), span.span_id


def _span_lines(span: Span, shows: Callable[[str], bool], origin: int | None, *, orphan: bool) -> Sequence[str]:
    words = [span.name, span.kind.name]
    if span.status is not StatusCode.UNSET:
        words.append(span.status.name)
    if span.status_message:
        words.append(repr(span.status_message))
    if origin is not None:
        words.append(f"{_ms(span.start, origin)}..{'' if span.end is None else _ms(span.end, origin)} ms")
    elif span.end is None:
        words.append("open")
    if orphan and span.parent_id is not None:
        words.append(f"(parent {span.parent_id:016x})")
    lines = [" ".join(words), *_attribute_lines(span.attributes, shows, _INDENT)]
    for event in span.events:
        lines += _event_lines(event, shows, origin)
    for link in span.links:
        lines += _link_lines(link, shows)
    return lines


def _event_lines(event: Event, shows: Callable[[str], bool], origin: int | None) -> Sequence[str]:
    when = "" if origin is None else f" {_ms(event.time, origin)} ms"
    return f"{_INDENT}* {event.name}{when}", *_attribute_lines(event.attributes, shows, _INDENT * 2)


def _link_lines(link: Link, shows: Callable[[str], bool]) -> Sequence[str]:
    target = f"{_INDENT}-> trace {link.trace_id:032x} span {link.span_id:016x}"
    return target, *_attribute_lines(link.attributes, shows, _INDENT * 2)


def _attribute_lines(
    attributes: Mapping[str, AttributeValue], shows: Callable[[str], bool], indent: str
) -> Sequence[str]:
    return [f"{indent}{key}: {value!r}" for key, value in sorted(attributes.items()) if shows(key)]


def _ms(time: int, origin: int) -> str:
    return f"{(time - origin) / _NS_PER_MS:.6f}".rstrip("0").rstrip(".")

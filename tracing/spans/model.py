"""What is a span, before it becomes an OpenTelemetry SDK object or OTLP bytes?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import msgspec

from tracing.conventions import SCOPE_NAME
from tracing.runs import Attributes, AttributeValue

NS_PER_US: Final = 1_000
NS_PER_S: Final = 1_000_000_000


class SpanKind(IntEnum):
    """Kind, numbered as in OTLP."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(IntEnum):
    """Status, numbered as in OTLP."""

    UNSET = 0
    OK = 1
    ERROR = 2


class Event(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """Something that happened at one instant of a span (``time`` in ns since the epoch)."""

    name: str
    time: int
    attributes: Attributes = {}


class Link(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """A pointer to a span of this or another trace."""

    trace_id: int
    span_id: int
    attributes: Attributes = {}


class Span(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """One span, as both readers build it.

    Attributes:
        trace_id: 16-byte ID.
        span_id: 8-byte ID.
        parent_id: Parent's span ID in the same trace; None for a root.
        name: Name.
        kind: Kind.
        start: ns since the epoch.
        end: ns since the epoch; None while open, which only files show.
        attributes: Attributes.
        status: Status code.
        status_message: Description of an error; content, so it is "" while content is off.
        events: Events.
        links: Links.
        resource: Resource attributes of the service that made it.
        scope: Name of the instrumentation scope.
    """

    trace_id: int
    span_id: int
    parent_id: int | None
    name: str
    kind: SpanKind
    start: int
    end: int | None
    attributes: Attributes
    status: StatusCode = StatusCode.UNSET
    status_message: str = ""
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    resource: Mapping[str, AttributeValue] = {}
    scope: str = SCOPE_NAME


def truncate_us(time_ns: int) -> int:
    """A time in ns cut to whole µs, in ns: what both readers know of a server's time."""
    return time_ns - time_ns % NS_PER_US


def not_before(start: int, end: int) -> int:
    """An end that is not before its start: event times of real histories run backwards."""
    return max(start, end)

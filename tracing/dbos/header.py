"""What do a workflow's attributes say of its trace and session?

DBOS has no headers. It keeps attributes with a workflow, which its caller sets by ``SetWorkflowAttributes``: there
stands the session, where the caller put it (`session_attributes`), and the caller's span, where it used
``PropagateOtelContext``. A fork gets a copy of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tracing import conventions as c
from tracing.headers import SpanReference, TraceHeader
from tracing.identity import SCHEME

OTEL_CONTEXT: Final = "dbos.otelContext"
"""Attribute in which DBOS keeps the caller's span."""
_MAX_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class StartContext:
    """What was set when a workflow was started.

    Attributes:
        caller: The caller's span.
        header: Session, user, tags, environment.
    """

    caller: SpanReference | None = None
    header: TraceHeader | None = None


NO_CONTEXT: Final = StartContext()
"""Nothing was set."""


def read_attributes(text: Any) -> StartContext:
    """Read a workflow's attributes, which anybody may have written.

    Args:
        text: Their JSON, as stored.
    """
    if not isinstance(text, str) or len(text) > _MAX_BYTES:
        return NO_CONTEXT
    try:
        attributes = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return NO_CONTEXT
    if not isinstance(attributes, dict):
        return NO_CONTEXT
    return StartContext(_caller(attributes.get(OTEL_CONTEXT)), _header(attributes.get(c.HEADER)))


def _caller(carrier: Any) -> SpanReference | None:
    traceparent = carrier.get("traceparent") if isinstance(carrier, dict) else None
    return SpanReference.parse(traceparent) if isinstance(traceparent, str) else None


def _header(value: Any) -> TraceHeader | None:
    try:
        header = msgspec.convert(value, TraceHeader)
    except msgspec.ValidationError:
        return None
    return header if header.v == SCHEME else None

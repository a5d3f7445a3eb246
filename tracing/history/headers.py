"""What does our header in a message of a history say?"""

from __future__ import annotations

from tracing.headers import SpanReference, TraceHeader, read_header
from tracing.history.attributes.messages import Header
from tracing.runs import Run


def header_of(header: Header | None) -> TraceHeader | None:
    """Our header in a message, if any."""
    return read_header(header.fields) if header is not None else None


def own_step_id(told: SpanReference | None, run: Run) -> int | None:
    """Span ID of the step that a message left its run by, as the message tells it; None where it does not.

    After a reset, what is told is a copy that names the base run's span.
    """
    return told.span_id if told is not None and told.trace_id == run.trace_id else None

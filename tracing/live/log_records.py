"""How does a log line of a workflow or an activity name its trace and span?

A filter on the SDK's two loggers sets ``trace_id`` and ``span_id`` on each of their records, for any handler and
formatter. OpenTelemetry's own `LoggingHandler` needs no fields: it reads the current context itself.
"""

from __future__ import annotations

import logging
from typing import Final

import temporalio.activity
import temporalio.workflow
from opentelemetry import trace

from tracing.live.failopen import fail_open


class TraceFields(logging.Filter):
    """Sets the current span's IDs on records, in hex; "" where there is none. It lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the fields, unless whoever logs has set them."""
        with fail_open("a log record"):
            context = trace.get_current_span().get_span_context()
            fields = record.__dict__
            fields.setdefault("trace_id", f"{context.trace_id:032x}" if context.is_valid else "")
            fields.setdefault("span_id", f"{context.span_id:016x}" if context.is_valid else "")
        return True


_FIELDS: Final = TraceFields()


def add_trace_fields() -> None:
    """Let the records of ``workflow.logger`` and ``activity.logger`` carry the IDs; as often as one likes."""
    for adapter in (temporalio.workflow.logger, temporalio.activity.logger):
        adapter.base_logger.addFilter(_FIELDS)

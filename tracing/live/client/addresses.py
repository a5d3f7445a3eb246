"""Where can a user watch the trace of a run that they have just started?"""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry import trace
from temporalio.client import WorkflowHandle

from tracing.backends.straight import trace_address
from tracing.identity import run_trace_id

_continued: WeakKeyDictionary[WorkflowHandle[Any, Any], int] = WeakKeyDictionary()
"""Trace IDs of runs that were started under a span, by the handle of the start."""


def trace_url(run: WorkflowHandle[Any, Any] | str) -> str | None:
    """Address of a run's trace in Langfuse or Phoenix, whichever the environment names by its own variables.

    The first spans arrive when the first workflow task is done. Nothing is asked of the backend.

    Args:
        run: The handle that ``start_workflow`` gave, or the run ID of a run that was started under no span.

    Returns:
        The address; None where neither ``LANGFUSE_PUBLIC_KEY`` and ``LANGFUSE_SECRET_KEY`` nor
        ``PHOENIX_COLLECTOR_ENDPOINT`` are set, or a handle names no run.
    """
    if isinstance(run, str):
        return trace_address(os.environ, run_trace_id(run))
    run_id = run.first_execution_run_id or run.run_id
    trace_id = _continued.get(run) or (run_trace_id(run_id) if run_id else None)
    return trace_address(os.environ, trace_id) if trace_id is not None else None


def remember_trace(handle: Any, span: trace.Span) -> None:
    """Keep in mind which trace a run continues, as long as somebody holds its handle."""
    context = span.get_span_context()
    # Another interceptor may hand on something else.
    if context.is_valid and isinstance(handle, WorkflowHandle):
        _continued[handle] = context.trace_id

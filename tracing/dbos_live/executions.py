"""Which executions of workflows are running in this process, and in which trace is each?"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from tracing.dbos.runs import DbosRun
from tracing.dbos_live.recoveries import Recovery


@dataclass(slots=True)
class Execution:
    """One execution of a workflow in this process.

    Attributes:
        run: The run.
        number: Which execution of the workflow it is, as DBOS counts them; 0 is unknown.
        since: When it began, in ms since the epoch.
        recovery: What it goes on from; None where that is nothing, or nobody counts it.
        implied: Whether it ends with the first attempt of a step, for its own function is not wrapped.
        count: How often the workflow had been begun by then, as DBOS counts it.
        vouched: Whether a ledger of it is written. Until one is, each attempt writes its own, whatever is in it: so
            where a step without one is in the database, the ledger that vouches for it is there before.
    """

    run: DbosRun
    number: int
    since: int
    recovery: Recovery | None = None
    implied: bool = False
    count: int = 0
    vouched: bool = False

    def context(self) -> Context:
        """The current context with the run's span as parent, for spans that workflow code makes."""
        return in_span(self.run, self.run.span_id)


class Running:
    """The executions that run in this process, and the workflows that run here without being traced."""

    def __init__(self) -> None:
        self._executions: dict[str, Execution] = {}
        self._untraced: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, execution: Execution) -> None:
        """One begins."""
        with self._lock:
            self._executions[execution.run.workflow_id] = execution

    def end(self, execution: Execution) -> None:
        """One has ended; another one of the same workflow may have begun meanwhile."""
        with self._lock:
            if self._executions.get(execution.run.workflow_id) is execution:
                del self._executions[execution.run.workflow_id]

    def has(self, workflow_id: str) -> bool:
        """Whether a workflow runs here, traced or not."""
        return workflow_id in self._executions or workflow_id in self._untraced

    def execution(self, workflow_id: str) -> Execution | None:
        """The execution of a workflow; None where it is not traced."""
        return self._executions.get(workflow_id)

    @contextmanager
    def untraced(self, workflow_id: str) -> Iterator[None]:
        """Meanwhile the function of a workflow runs that is not traced; neither are its steps."""
        with self._lock:
            self._untraced[workflow_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._untraced[workflow_id] -= 1
                if not self._untraced[workflow_id]:
                    del self._untraced[workflow_id]


def in_span(run: DbosRun, span_id: int) -> Context:
    """The current context with a span of a run as parent."""
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if run.sampled else trace.TraceFlags.DEFAULT)
    parent = trace.SpanContext(run.trace_id, span_id, is_remote=False, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), otel_context.get_current())

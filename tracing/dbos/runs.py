"""Which trace and session does a workflow belong to, and what do all its spans repeat?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos.reader import Reader
from tracing.dbos.records import Origins, StepRow, WorkflowRow
from tracing.headers import TraceHeader
from tracing.identity import resumed_span_id, run_span_id, run_trace_id, step_span_id
from tracing.runs import Attributes, AttributeValue, Run

_MAX_ANCESTORS: Final = 1_000
"""Rows come from outside: parents that never end are cut."""


@dataclass(frozen=True)
class DbosRun(Run):
    """A workflow of DBOS. Its workflow ID is its run ID as well, for DBOS knows no other; there are no namespaces.

    Attributes:
        part: Which part of the run it is: 0, and one more after each time that it was over and was resumed.
    """

    part: int = 0

    @cached_property
    def span_id(self) -> int:
        """Span ID of this part."""
        return resumed_span_id(self.run_id, self.part) if self.part else run_span_id(self.run_id)

    def left_out(self) -> DbosRun:
        """The run, sampled out."""
        return replace(self, sampled=False)

    def of_part(self, number: int) -> DbosRun:
        """A part of the run; those after the first are below it."""
        if number == self.part:
            return self
        assert not self.part  # parts are made of the first
        return replace(self, part=number, parent=self.span_id)

    def _repeated(self) -> Attributes:
        attributes = super()._repeated() | {c.ENGINE: c.ENGINE_DBOS}
        return {key: value for key, value in attributes.items() if key not in {c.NAMESPACE, c.UI_URL}}


def dbos_run(
    reader: Reader, row: WorkflowRow, config: TracingConfig, resource: Mapping[str, AttributeValue] | None = None
) -> DbosRun:
    """The run of a workflow.

    A child is in the trace of its parent, below the step that started it. A fork has a trace of its own, and shares
    the session of the workflow that it was forked from. A workflow that was started under ``PropagateOtelContext`` is
    below its caller's span.

    Args:
        reader: Reader of its database.
        row: The workflow.
        config: Settings.
        resource: The service that ran it, where that is known; else its application's name stands for it.

    Raises:
        DatabaseError: The database cannot be read.
    """
    line = _ancestors(reader, row)
    first_id, first = line[-1] if line else (row.workflow_id, Origins("", row.forked_from, row.context))
    caller = None if first.forked_from else first.context.caller
    parent = caller.span_id if caller is not None and not line else None
    session_id, header = _session(reader, row)
    run = DbosRun(
        namespace="",
        workflow_id=row.workflow_id,
        run_id=row.workflow_id,
        workflow_type=row.name,
        trace_id=caller.trace_id if caller is not None else run_trace_id(first_id),
        parent=_starting_span(reader, line[0][0], row.workflow_id) if line else parent,
        sampled=caller.sampled if caller is not None else True,
        session_id=session_id,
        user_id=header.user or "" if header is not None else "",
        tags=header.tags if header is not None else (),
        environment=header.environment or "" if header is not None else "",
        resource=resource or {c.SERVICE_NAME: row.application or "unknown_service"},
    )
    return run if config.traces_workflow(row.name) else run.left_out()


def child_uses(steps: Iterable[StepRow]) -> Iterator[tuple[StepRow, int]]:
    """The steps that start children, each with which use of the child's ID in the workflow it is, from 1."""
    uses: Counter[str] = Counter()
    for step in steps:
        if step.starts_child:
            uses[step.child] += 1
            yield step, uses[step.child]


def _starting_span(reader: Reader, parent_id: str, child_id: str) -> int:
    """The parent's step that started a child; where it recorded none, the parent's own span."""
    if reader.starts_child(parent_id, child_id):
        return step_span_id(parent_id, "child_workflow", child_id)
    return run_span_id(parent_id)


def _ancestors(reader: Reader, row: WorkflowRow) -> list[tuple[str, Origins]]:
    """Its parents, nearest first, as far as they are in the database."""
    line: dict[str, Origins] = {}
    above = row.parent
    while above and above != row.workflow_id and above not in line and len(line) < _MAX_ANCESTORS:
        origins = reader.origins(above)
        if origins is None:
            break
        line[above] = origins
        above = origins.parent
    return list(line.items())


def _session(reader: Reader, row: WorkflowRow) -> tuple[str, TraceHeader | None]:
    """The nearest session that was set, going up the parents, and what these were forked from, and so on.

    Where none was, it is the workflow in which all began.
    """
    workflow_id = row.workflow_id
    seen = {workflow_id}
    origins: Origins | None = Origins(row.parent, row.forked_from, row.context)
    header: TraceHeader | None = None
    while origins is not None and len(seen) <= _MAX_ANCESTORS:
        header = header or origins.context.header
        if header is not None and header.session:
            return header.session, header
        before = origins.parent or origins.forked_from
        if not before or before in seen:
            break
        seen.add(before)
        workflow_id = before
        origins = reader.origins(before)
    return workflow_id, header

"""An end after which a workflow may go on is noted in the database before the span of its run is sent.

So that span stays as it is, whatever comes after: the workflow's next execution, wherever that is, and every export
find the note, and make another span of what is done from then on (`tracing.dbos.ends`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dbos import DBOS

from tracing.dbos import Converted
from tracing.dbos.ends import KeptEnd, ends_attributes, missing_steps
from tracing.dbos.parts import may_go_on
from tracing.dbos.times import NS_PER_MS

Note = Callable[[str, Mapping[str, Any]], None]
"""Adds attributes to a workflow, by its ID."""


def add_attributes(workflow_id: str, attributes: Mapping[str, Any]) -> None:
    """Add attributes to a workflow by DBOS, which keeps the others."""
    DBOS.update_workflow_attributes(workflow_id, dict(attributes), merge=True)


def noted(converted: Converted, lost: Iterable[int], note: Note) -> bool:
    """Whether the span of a run that is over can be sent: where it may go on, once its end is noted, and only by us.

    Args:
        converted: The workflow, over.
        lost: Numbers of steps of which an attempt could not be recorded.
        note: Adds attributes to a workflow.

    Raises:
        Exception: What the note raises: it may not have been made.
    """
    row = converted.row
    if not may_go_on(row):
        return True
    end = end_of(converted, lost)
    if end is None:  # somebody else has noted it, and sends it; or there is no room
        return False
    attributes = ends_attributes(row.workflow_id, (*row.ends, end))
    if attributes is None:
        return False
    note(row.workflow_id, attributes)
    return True


def end_of(converted: Converted, lost: Iterable[int] = ()) -> KeptEnd | None:
    """The end that a workflow has come to; None where it is noted already, or cannot be.

    Args:
        converted: The workflow, over.
        lost: Numbers of steps of which an attempt could not be recorded.
    """
    row, part = converted.row, converted.parts[-1]
    missing = missing_steps([step.function_id for step in converted.steps])
    if part.number < len(row.ends) or part.end is None or missing is None or row.completed is None:
        return None
    return KeptEnd(
        status=row.status,
        completed=row.completed,
        end=part.end // NS_PER_MS,
        executions=row.executions,
        executor=row.executor,
        version=row.version,
        last=converted.last_step,
        missing=missing,
        lost=tuple(sorted(set(lost) - {step.function_id for step in converted.steps})),
    )

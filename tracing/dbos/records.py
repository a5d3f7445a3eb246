"""What does the database say of a workflow and its steps? A record for each row; what has the wrong type is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tracing.dbos.ends import KeptEnd
from tracing.dbos.header import NO_CONTEXT, StartContext

_MAX_MS: Final = 1 << 43
"""No time of a row is later, in ms since the epoch: some 250 years from now."""
_MAX_ID: Final = 1 << 31
ENGINE_STEPS: Final = "DBOS."
"""How the names of steps begin that DBOS itself records: DBOS.sleep, DBOS.getResult …"""
GET_RESULT: Final = "DBOS.getResult"
SLEEP: Final = "DBOS.sleep"


@dataclass(frozen=True, slots=True)
class Value:
    """A stored value: its text, and which serialiser wrote it.

    Attributes:
        text: The text; None where it is too long to be read.
        serialization: Name of the serialiser, or "".
        size: Its length, in characters.
    """

    text: str | None
    serialization: str
    size: int


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A row of ``workflow_status``, with inputs and outputs; times in ms since the epoch.

    Attributes:
        workflow_id: Workflow ID; a DBOS workflow has no other.
        name: Name of the workflow's function.
        status: SUCCESS, ERROR, PENDING …, as DBOS spells it.
        created: When it was created; None where unknown.
        completed: When it was completed; of older databases, when the row was last changed.
        forked_from: Workflow ID of the workflow that it was forked from, or "".
        parent: Workflow ID of its parent, or "".
        queue: Its queue, or "".
        executor: ID of its executor, or "".
        version: Version of the application, or "".
        application: Name of the application, or "".
        executions: How often it was begun or recovered; 0 is unknown.
        serialization: Name of the serialiser of its values, or "".
        context: What its attributes say of trace and session.
        ends: How it had ended before it was resumed, or has now, as far as that was noted.
        given: Its inputs.
        result: Its output.
        failure: Its error.
    """

    workflow_id: str
    name: str
    status: str
    created: int | None = None
    completed: int | None = None
    forked_from: str = ""
    parent: str = ""
    queue: str = ""
    executor: str = ""
    version: str = ""
    application: str = ""
    executions: int = 0
    serialization: str = ""
    context: StartContext = NO_CONTEXT
    ends: tuple[KeptEnd, ...] = ()
    given: Value | None = None
    result: Value | None = None
    failure: Value | None = None


@dataclass(frozen=True, slots=True)
class Origins:
    """What a workflow comes from.

    Attributes:
        parent: Workflow ID of its parent, or "".
        forked_from: Workflow ID of the workflow that it was forked from, or "".
        context: What its attributes say of trace and session.
    """

    parent: str
    forked_from: str
    context: StartContext = NO_CONTEXT


@dataclass(frozen=True, slots=True)
class StepRow:
    """A row of ``operation_outputs``; times in ms since the epoch.

    Attributes:
        function_id: Its number in the workflow, from 1.
        name: Name of the step's function, or of the child workflow's.
        started: When it began; None where the row does not say.
        completed: When it was over.
        child: Workflow ID of the child that it started or waited for, or "".
        result: Its output.
        failure: Its error.
    """

    function_id: int
    name: str
    started: int | None = None
    completed: int | None = None
    child: str = ""
    result: Value | None = None
    failure: Value | None = None

    @property
    def of_engine(self) -> bool:
        """Whether DBOS itself recorded it: no function of the user's ran."""
        return self.name.startswith(ENGINE_STEPS)

    @property
    def starts_child(self) -> bool:
        """Whether it is the start of a child workflow."""
        return bool(self.child) and not self.of_engine


def text(value: Any) -> str:
    """A text; "" where it is none."""
    return value if isinstance(value, str) else ""


def milliseconds(value: Any) -> int | None:
    """A time; None where it is none."""
    return value if _is_int(value) and 0 < value < _MAX_MS else None


def number(value: Any) -> int | None:
    """A number of a step; None where it is none."""
    return value if _is_int(value) and 0 <= value < _MAX_ID else None


def stored(data: Any, size: Any, serialization: Any) -> Value | None:
    """A stored value; None where nothing is stored."""
    if not _is_int(size):  # NULL has no length
        return None
    return Value(data if isinstance(data, str) else None, text(serialization), size)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

"""Which tables and columns of DBOS are read (3.4: ``dbos/_schemas/system_database.py``), and how?

Older and newer databases lack columns, or have more: what is missing is unknown. What is too long is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tracing.dbos.database import Database, DatabaseError, Row
from tracing.dbos.records import Value, stored

MAX_VALUE: Final = 16 << 20
"""Longest stored value that is read, in characters."""
STATUS: Final = "workflow_status"
INPUT: Final = "workflow_input"
OUTPUT: Final = "workflow_output"
STEPS: Final = "operation_outputs"
STREAMS: Final = "streams"
ID: Final = "workflow_uuid"
_NEEDED: Final = {STATUS: (ID, "status", "name"), STEPS: (ID, "function_id", "function_name")}
_ATTRIBUTES: Final = "attributes"
_VALUES: Final = frozenset({"inputs", "output", "error"})
_READ: Final = {
    STATUS: (
        "status",
        "name",
        "created_at",
        "updated_at",
        "completed_at",
        "forked_from",
        "parent_workflow_id",
        "queue_name",
        "executor_id",
        "application_version",
        "application_name",
        "recovery_attempts",
        _ATTRIBUTES,
        "serialization",
        "inputs",
        "output",
        "error",
    ),
    INPUT: ("inputs",),
    OUTPUT: ("output", "error"),
    STEPS: (
        "function_id",
        "function_name",
        "started_at_epoch_ms",
        "completed_at_epoch_ms",
        "child_workflow_id",
        "serialization",
        "output",
        "error",
    ),
}
FACTS: Final = tuple(column for column in _READ[STATUS] if column not in _VALUES)
"""Columns of a workflow without its values."""
STEP_FACTS: Final = tuple(column for column in _READ[STEPS] if column != "output")
"""Columns of a step without its result."""


class Tables:
    """The tables of an open database, asked by workflow."""

    def __init__(self, database: Database) -> None:
        """See which columns there are.

        Raises:
            DatabaseError: It is no system database of DBOS, or cannot be read.
        """
        self._database = database
        self._columns = {table: database.columns(table) for table in (STATUS, INPUT, OUTPUT, STEPS, STREAMS)}
        for table, columns in _NEEDED.items():
            missing = [column for column in columns if column not in self._columns[table]]
            if missing:
                raise DatabaseError(
                    f"{database.name} is no system database of DBOS: its table {table} "
                    + (f"lacks {', '.join(missing)}." if self._columns[table] else "is missing.")
                )

    @property
    def name(self) -> str:
        """What messages call the database: no password is in it."""
        return self._database.name

    def have(self, table: str, *columns: str) -> bool:
        """Whether a table has columns."""
        return set(columns) <= self._columns[table]

    def ask(self, table: str, asked: str, conditions: str, values: Sequence[object] = ()) -> list[Row]:
        """Rows of a table.

        Args:
            table: The table.
            asked: What is asked for, as SQL of our own.
            conditions: Which rows, and in which order, as SQL of our own; ``?`` stands for each of the values.
            values: The values.

        Raises:
            DatabaseError: The database cannot be read.
        """
        return self._database.rows(f"SELECT {asked} FROM {self._database.table(table)} {conditions}", values)  # noqa: S608 - ours

    def one(self, table: str, workflow_id: str, *, only: tuple[str, ...] | None = None) -> Row | None:
        """The row of a workflow; None where there is none.

        Raises:
            DatabaseError: The database cannot be read.
        """
        return next(iter(self.rows(table, workflow_id, only=only)), None)

    def rows(
        self,
        table: str,
        workflow_id: str,
        *,
        only: tuple[str, ...] | None = None,
        order: str = "",
        first: int | None = None,
        among: Sequence[int] | None = None,
    ) -> list[Row]:
        """Rows of a workflow, with each column that is read, missing ones as NULL, long values cut to their size.

        Args:
            table: The table.
            workflow_id: The workflow.
            only: The columns; all that are read where None.
            order: Column by which they are ordered; needed with ``first`` or ``among``.
            first: The least value of that; any where None.
            among: The values of that which are asked for, one at least; any where None.

        Raises:
            DatabaseError: The database cannot be read.
        """
        if ID not in self._columns[table]:
            return []
        asked = ", ".join(self._expression(table, column) for column in only or _READ[table])
        which, values = f"WHERE {ID} = ?", list[object]([workflow_id])
        if first is not None:
            which += f" AND {order} >= ?"
            values.append(first)
        if among is not None:
            which += f" AND {order} IN ({', '.join('?' * len(among))})"
            values += among
        ordered = f" ORDER BY {order}" if order else ""
        return self.ask(table, asked, f"{which}{ordered}", values)

    def _expression(self, table: str, column: str) -> str:
        there = column in self._columns[table]
        if column == _ATTRIBUTES and there:
            # A JSON column in PostgreSQL, text in SQLite.
            return f"{cut(f'CAST({column} AS TEXT)')} AS {column}"
        if column not in _VALUES:
            return f"{column if there else 'NULL'} AS {column}"
        if not there:
            return f"NULL AS {column}, NULL AS {column}_size"
        return f"{cut(column)} AS {column}, length({column}) AS {column}_size"


def cut(expression: str, longest: int = MAX_VALUE) -> str:
    """SQL for a value that is not read where it is too long."""
    return f"CASE WHEN length({expression}) <= {longest} THEN {expression} END"


def value_of(row: Row | None, column: str, serialization: object) -> Value | None:
    """A stored value of a row; None where nothing is stored."""
    return None if row is None else stored(row.get(column), row.get(f"{column}_size"), serialization)

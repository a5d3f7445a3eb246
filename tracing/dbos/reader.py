"""How are workflows and steps read from the tables of DBOS? A record for each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from tracing.dbos.database import Database, Row
from tracing.dbos.ends import read_ends
from tracing.dbos.header import read_attributes
from tracing.dbos.ledgers import MAX_ENTRY, STREAMS, RecordedAttempt, read_entry
from tracing.dbos.records import ENGINE_STEPS, Origins, StepRow, WorkflowRow, milliseconds, number, text
from tracing.dbos.serializers import Serializer
from tracing.dbos.tables import FACTS, ID, INPUT, OUTPUT, STATUS, STEP_FACTS, STEPS, Tables, cut, value_of
from tracing.dbos.tables import STREAMS as STREAM_ROWS

_MOST_NUMBERS: Final = 500
"""How many steps one query names at most: SQLite before 3.32 takes 999 values."""


class Reader:
    """Reads workflows of an open database."""

    def __init__(self, database: Database, serializer: Serializer | None = None) -> None:
        """See which columns there are.

        Args:
            database: The database.
            serializer: A serialiser of the user's, for ledgers that it wrote.

        Raises:
            DatabaseError: It is no system database of DBOS, or cannot be read.
        """
        self._tables = Tables(database)
        self._serializer = serializer

    @property
    def name(self) -> str:
        """What messages call the database: no password is in it."""
        return self._tables.name

    def workflow_ids(self) -> list[str]:
        """IDs of all workflows, in the order they were created. What is no text is no ID.

        Raises:
            DatabaseError: The database cannot be read.
        """
        order = f"ORDER BY {'created_at, ' if self._tables.have(STATUS, 'created_at') else ''}{ID}"
        return [found for row in self._tables.ask(STATUS, f"{ID} AS id", order) if (found := text(row["id"]))]

    def state(self, workflow_id: str) -> tuple[object, ...] | None:
        """What tells that a workflow has changed, without its values; None where there is none of this ID.

        Raises:
            DatabaseError: The database cannot be read.
        """
        row = self._tables.one(STATUS, workflow_id, only=FACTS)
        if row is None:
            return None
        return (
            *(row[column] for column in FACTS),
            *(self._count(table, workflow_id) for table in (STEPS, STREAM_ROWS)),
        )

    def _count(self, table: str, workflow_id: str) -> object:
        if not self._tables.have(table, ID):
            return 0
        return self._tables.ask(table, "count(*) AS found", f"WHERE {ID} = ?", (workflow_id,))[0]["found"]

    def workflow(self, workflow_id: str, *, values: bool = True) -> WorkflowRow | None:
        """A workflow; None where there is none of this ID.

        Args:
            workflow_id: Workflow ID.
            values: Whether its inputs and outputs are read, which may be large.

        Raises:
            DatabaseError: The database cannot be read.
        """
        row = self._tables.one(STATUS, workflow_id, only=None if values else FACTS)
        if row is None:
            return None
        kept = row["serialization"]
        given, output = (self._tables.one(table, workflow_id) if values else None for table in (INPUT, OUTPUT))
        status = text(row["status"])
        return WorkflowRow(
            workflow_id=workflow_id,
            name=text(row["name"]) or "unknown",
            status=status,
            created=milliseconds(row["created_at"]),
            completed=milliseconds(row["completed_at"]) or milliseconds(row["updated_at"]),
            forked_from=text(row["forked_from"]),
            parent=text(row["parent_workflow_id"]),
            queue=text(row["queue_name"]),
            executor=text(row["executor_id"]),
            version=text(row["application_version"]),
            application=text(row["application_name"]),
            executions=number(row["recovery_attempts"]) or 0,
            serialization=text(kept),
            context=read_attributes(row["attributes"]),
            ends=read_ends(row["attributes"], workflow_id),
            given=value_of(given, "inputs", kept) or value_of(row, "inputs", kept),
            result=value_of(output, "output", kept) or value_of(row, "output", kept),
            failure=value_of(output, "error", kept) or value_of(row, "error", kept),
        )

    def origins(self, workflow_id: str) -> Origins | None:
        """What a workflow comes from, without its values; None where there is none of this ID.

        Raises:
            DatabaseError: The database cannot be read.
        """
        row = self._tables.one(STATUS, workflow_id, only=("parent_workflow_id", "forked_from", "attributes"))
        if row is None:
            return None
        context = read_attributes(row["attributes"])
        return Origins(text(row["parent_workflow_id"]), text(row["forked_from"]), context)

    def starts_child(self, workflow_id: str, child_id: str) -> bool:
        """Whether a step of a workflow says that it started this child.

        Raises:
            DatabaseError: The database cannot be read.
        """
        if not self._tables.have(STEPS, "child_workflow_id"):
            return False
        which = f"WHERE {ID} = ? AND child_workflow_id = ? AND substr(function_name, 1, {len(ENGINE_STEPS)}) <> ?"
        return bool(self._tables.ask(STEPS, "1", which, (workflow_id, child_id, ENGINE_STEPS)))

    def attempts(self, workflow_id: str, *, first: int = 0) -> dict[int, list[RecordedAttempt]]:
        """What was recorded of attempts of steps, in the order they ended, by the number of the step.

        Args:
            workflow_id: Workflow ID.
            first: Number of the first step that is asked for.

        Raises:
            DatabaseError: The database cannot be read.
        """
        if not self._tables.have(STREAM_ROWS, ID, "key", "value", "offset", "function_id"):
            return {}
        by = "serialization" if self._tables.have(STREAM_ROWS, "serialization") else "NULL"
        asked = f"function_id, {cut('value', MAX_ENTRY)} AS value, {by} AS serialization"
        which = f"WHERE {ID} = ? AND substr(key, 1, {len(STREAMS)}) = ? AND function_id >= ?"
        order = 'ORDER BY function_id, "offset"'
        attempts: dict[int, list[RecordedAttempt]] = {}
        for row in self._tables.ask(STREAM_ROWS, asked, f"{which} {order}", (workflow_id, STREAMS, first)):
            function_id = number(row["function_id"])
            if function_id is None:
                continue
            read = read_entry(
                text(row["value"]),
                workflow_id=workflow_id,
                function_id=function_id,
                serialization=text(row["serialization"]),
                serializer=self._serializer,
            )
            if read is not None:
                attempts.setdefault(function_id, []).append(read)
        return attempts

    def step_numbers(self, workflow_id: str, *, first: int) -> list[int]:
        """The numbers of a workflow's steps, without anything else of them.

        Args:
            workflow_id: Workflow ID.
            first: The first that is asked for.

        Raises:
            DatabaseError: The database cannot be read.
        """
        rows = self._tables.rows(STEPS, workflow_id, only=("function_id",), order="function_id", first=first)
        return [found for row in rows if (found := number(row["function_id"])) is not None]

    def steps(
        self, workflow_id: str, *, numbers: Collection[int] | None = None, results: bool = True
    ) -> tuple[list[StepRow], int]:
        """The steps of a workflow by their numbers, and how many rows are none that can be read.

        Args:
            workflow_id: Workflow ID.
            numbers: Numbers of those that are asked for, each once; all where None.
            results: Whether their results are read, which may be large.

        Raises:
            DatabaseError: The database cannot be read.
        """
        steps: list[StepRow] = []
        unread = 0
        for row in self._step_rows(workflow_id, None if results else STEP_FACTS, numbers):
            function_id = number(row["function_id"])
            if function_id is None:
                unread += 1
                continue
            steps.append(
                StepRow(
                    function_id=function_id,
                    name=text(row["function_name"]) or "unknown",
                    started=milliseconds(row["started_at_epoch_ms"]),
                    completed=milliseconds(row["completed_at_epoch_ms"]),
                    child=text(row["child_workflow_id"]),
                    result=value_of(row, "output", row["serialization"]),
                    failure=value_of(row, "error", row["serialization"]),
                )
            )
        return steps, unread

    def _step_rows(
        self, workflow_id: str, only: tuple[str, ...] | None, numbers: Collection[int] | None
    ) -> Iterator[Row]:
        if numbers is None:
            yield from self._tables.rows(STEPS, workflow_id, only=only, order="function_id")
            return
        asked = sorted(numbers)
        for start in range(0, len(asked), _MOST_NUMBERS):
            among = asked[start : start + _MOST_NUMBERS]
            yield from self._tables.rows(STEPS, workflow_id, only=only, order="function_id", among=among)

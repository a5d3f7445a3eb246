"""How is a system database of DBOS opened and asked, so that nothing in it can change or run?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

Row = Mapping[str, Any]

SCHEMA: Final = "dbos"
"""Schema of DBOS's tables in PostgreSQL."""
_POSTGRESQL: Final = frozenset({"postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"})


class DatabaseError(Exception):
    """The database cannot be read: one sentence that says why, and what helps."""


class Database:
    """An open database."""

    def __init__(
        self,
        name: str,
        connection: Any,
        errors: tuple[type[Exception], ...],
        *,
        schema: str = "",
        transaction: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Take an open connection.

        Args:
            name: What messages call it: no password is in it.
            connection: A connection by Python's DB-API (PEP 249).
            errors: What its driver raises.
            schema: Schema of the tables, or "".
            transaction: A transaction, around each query.
        """
        self._transaction = transaction
        self.name = name
        self._connection = connection
        self._errors = errors
        self._schema = schema
        self._mark = "%s" if schema else "?"

    def table(self, name: str) -> str:
        """A table's name as SQL has it."""
        return f'"{self._schema}"."{name}"' if self._schema else f'"{name}"'

    def columns(self, table: str) -> frozenset[str]:
        """Columns of a table; none where there is no such table.

        Raises:
            DatabaseError: The database cannot be read.
        """
        # A view could compute without end: what is read must be a table.
        if self._schema:
            asked = (
                "SELECT c.column_name FROM information_schema.columns c JOIN information_schema.tables t "
                "USING (table_schema, table_name) WHERE t.table_type = 'BASE TABLE' "
                "AND c.table_schema = ? AND c.table_name = ?"
            )
            return frozenset(str(row["column_name"]) for row in self.rows(asked, (self._schema, table)))
        asked = "SELECT i.name FROM sqlite_master m, pragma_table_info(m.name) i WHERE m.type = 'table' AND m.name = ?"
        return frozenset(str(row["name"]) for row in self.rows(asked, (table,)))

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Rows of a query, all at once: while a query is not at its end, SQLite lets nobody write.

        Args:
            sql: The query; ``?`` stands for each of the values.
            values: The values.

        Raises:
            DatabaseError: The database cannot be read.
        """
        try:
            with self._transaction(), closing(self._connection.cursor()) as cursor:
                cursor.execute(sql.replace("?", self._mark), tuple(values))
                names = [column[0] for column in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except self._errors as error:
            raise DatabaseError(f"{self.name} cannot be read ({_said(error)}).") from error


@contextmanager
def connect(url: str) -> Iterator[Database]:
    """Open a system database, read-only.

    Args:
        url: As DBOS's ``system_database_url``: ``sqlite:///relative/path``, ``sqlite:////absolute/path`` or
            ``postgresql://user:password@host/database``, which needs psycopg (the extra ``dbos``).

    Raises:
        DatabaseError: There is none, or it cannot be opened.
    """
    scheme = url.partition("://")[0]
    opener = _sqlite if scheme == "sqlite" else _postgresql if scheme in _POSTGRESQL else None
    if opener is None:
        raise DatabaseError(
            "The URL of a DBOS database begins with sqlite:/// or postgresql://, as its system_database_url does."
        )
    database, close = opener(url)
    try:
        yield database
    finally:
        close()


def _sqlite(url: str) -> tuple[Database, Callable[[], None]]:
    path = Path(url.removeprefix("sqlite://").removeprefix("/").partition("?")[0])
    name = f"sqlite:///{path}"
    if not path.is_file():
        raise DatabaseError(f"{name} is no file: give the URL that DBOS has as system_database_url.")
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise DatabaseError(_no_sqlite(name, error)) from error
    try:
        # Text that is none is shown as far as it goes.
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        # Whoever wrote the schema may not make our queries call functions, or have pages trusted that are damaged.
        for setting in ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise DatabaseError(_no_sqlite(name, error)) from error
    return Database(name, connection, (sqlite3.Error,)), connection.close


def _postgresql(url: str) -> tuple[Database, Callable[[], None]]:
    parts = urlsplit(url)
    name = f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"
    try:
        psycopg = import_module("psycopg")
    except ImportError as error:
        raise DatabaseError(
            f"{name} needs psycopg, which is not installed: pip install 'durable-trace[dbos]'."
        ) from error
    try:
        # A transaction for each query: a long one would keep the server from cleaning up. Nothing is set or prepared in
        # the session: behind a pooler of transactions (PgBouncer) it is the application's, too.
        address = f"postgresql://{url.partition('://')[2]}"
        connection = psycopg.connect(address, autocommit=True, connect_timeout=10, prepare_threshold=None)
        connection.read_only = True  # each transaction says so of itself
    except psycopg.Error as error:
        raise DatabaseError(f"{name} cannot be reached ({_said(error)}).") from error
    database = Database(name, connection, (psycopg.Error,), schema=SCHEMA, transaction=connection.transaction)
    return database, connection.close


def _no_sqlite(name: str, error: sqlite3.Error) -> str:
    return f"{name} cannot be read ({_said(error)}): is it a SQLite database?"


def _said(error: Exception) -> str:
    """What a driver says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__

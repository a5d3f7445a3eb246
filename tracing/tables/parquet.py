"""How are rows written as Parquet, so that the same rows give the same bytes?

pyarrow is an optional package, the extra ``parquet``: it is imported when a table is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tracing.tables.cells import Row
from tracing.tables.columns import USD_PRECISION, USD_SCALE, Column

GROUP_ROWS: Final = 25_000
"""Most rows of a row group; a group is held in memory, as Arrow's arrays, until it is written."""
GROUP_CHARACTERS: Final = 32 * 1024 * 1024
"""Most text of a row group, in characters."""
_BATCH_ROWS: Final = 1_000
"""Most rows that are held as Python's objects, which take ten times the memory of arrays."""

SETTINGS: Final = {
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": True,
    "write_statistics": True,
    # Arrow's own copy of the schema: other readers do not need it, and it differs between versions.
    "store_schema": False,
}
"""What could change with a version of pyarrow is said."""


class TablesError(ValueError):
    """Tables that cannot be written, and what to do about it."""


def load_pyarrow() -> tuple[Any, Any]:
    """The modules ``pyarrow`` and ``pyarrow.parquet``.

    Raises:
        TablesError: When they are not installed.
    """
    try:
        import_module("pyarrow.compute")
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise TablesError("Parquet needs a package: pip install 'durable-trace[parquet]'") from None


class TableFile:
    """One Parquet file of a table, written row group by row group.

    Attributes:
        rows: How many rows it has got so far.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column],
        *,
        group_rows: int = GROUP_ROWS,
        group_characters: int = GROUP_CHARACTERS,
    ) -> None:
        self._pa, pq = load_pyarrow()
        self._schema = _schema(self._pa, columns)
        self._names = [column.name for column in columns]
        self._waiting: list[Row] = []
        self._group_rows = group_rows
        self._group_characters = group_characters
        self._batches: list[Any] = []
        self._held = 0
        self._characters = 0
        self.rows = 0
        self._writer = pq.ParquetWriter(path, self._schema, **SETTINGS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error_type is None:
                self._flush()
        finally:
            self._writer.close()

    def write(self, row: Row) -> None:
        """Add a row; each column must be in it."""
        self._waiting.append(row)
        self._characters += sum([len(cell) for cell in row.values() if isinstance(cell, str)])
        self.rows += 1
        self._held += 1
        if self._held >= self._group_rows or self._characters >= self._group_characters:
            self._flush()
        elif len(self._waiting) >= _BATCH_ROWS:
            self._pack()

    def _pack(self) -> None:
        """Turn the rows that wait into arrays."""
        arrays = [
            self._pa.array([row[name] for row in self._waiting], type=field.type)
            for name, field in zip(self._names, self._schema, strict=True)
        ]
        self._batches.append(self._pa.record_batch(arrays, schema=self._schema))
        self._waiting.clear()

    def _flush(self) -> None:
        """Write a row group."""
        if self._waiting:
            self._pack()
        if self._held:
            table = self._pa.Table.from_batches(self._batches, schema=self._schema)
            self._writer.write_table(table, row_group_size=self._held)
        self._batches.clear()
        self._held = self._characters = 0


def _schema(pa: Any, columns: Sequence[Column]) -> Any:
    types = {
        "string": pa.string(),
        "json": pa.string(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        # µs: every reader of Parquet has them, start times are whole µs, and durations have a column of their own.
        "timestamp": pa.timestamp("us", tz="UTC"),
        "decimal": pa.decimal128(USD_PRECISION, USD_SCALE),
        "strings": pa.list_(pa.string()),
    }
    return pa.schema([pa.field(column.name, types[column.type]) for column in columns])

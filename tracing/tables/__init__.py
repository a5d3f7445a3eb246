"""Tables of spans, steps and runs, as Parquet."""

from __future__ import annotations

from tracing.tables.columns import TABLES, Column
from tracing.tables.parquet import TablesError
from tracing.tables.write import VIEWS, Tables, write_tables

__all__ = ["TABLES", "VIEWS", "Column", "Tables", "TablesError", "write_tables"]

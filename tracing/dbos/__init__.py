"""Workflows of DBOS, from its system database: SQL rows → typed records → the spans of `tracing.spans`.

The database is opened read-only and read by plain SQL. DBOS itself is not needed, and none of its serialisers is ever
called: its default one is pickle, which runs whatever a row says.
"""

from tracing.dbos.conversion import Converted, convert
from tracing.dbos.database import DatabaseError, connect
from tracing.dbos.reader import Reader

__all__ = ["Converted", "DatabaseError", "Reader", "connect", "convert"]

"""Where does the agent keep its workflows?

A file of SQLite in the current folder, or what `DBOS_SYSTEM_DATABASE_URL` names: with more than one process that is
PostgreSQL, such as `postgresql://postgres:secret@localhost/agent`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dbos import DBOSPortableJSONSerializer

if TYPE_CHECKING:
    from dbos import DBOSConfig

NAME = "research-agent"
DATABASE_URL = os.environ.get("DBOS_SYSTEM_DATABASE_URL") or "sqlite:///research-agent.sqlite"


def dbos_config() -> DBOSConfig:
    """Return DBOS's settings.

    Results are stored as JSON. DBOS's default is pickle, which only Python reads, and which runs whatever it says.
    """
    return {
        "name": NAME,
        "system_database_url": DATABASE_URL,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "ERROR",
    }

"""What does the team's own archive, a PostgreSQL database, know of a query?"""

from __future__ import annotations

import os
from typing import Final

import psycopg
from temporalio import activity

from agent.research.payloads import SearchResult

ARCHIVE_URL: Final = "ARCHIVE_URL"
"""The variable with the database's address: `postgresql://USER@HOST:PORT/DATABASE`."""

TABLE: Final = """
CREATE TABLE notes (topic text NOT NULL, title text NOT NULL, body text NOT NULL, url text NOT NULL);
INSERT INTO notes VALUES
  ('durable execution', 'Review', 'Our review of last year compares three engines.', 'https://example.com/review'),
  ('green tea', 'Tasting', 'Twelve of us tasted nine sorts.', 'https://example.com/tasting');
"""
"""What makes the archive."""

LOOK_UP: Final = "SELECT title, body, url FROM notes WHERE position(topic IN lower(%s)) > 0 ORDER BY title"


@activity.defn
async def look_up(query: str) -> list[SearchResult]:
    """Look for notes of our own on what a query asks.

    Args:
        query: What is searched for.

    Returns:
        The notes whose topic the query names.

    Raises:
        psycopg.OperationalError: The database cannot be reached, or the connection was lost. Another attempt connects
            again.
    """
    async with await psycopg.AsyncConnection.connect(os.environ[ARCHIVE_URL]) as connection:
        found = await connection.execute(LOOK_UP, [query])
        return [SearchResult(title, body, url) for title, body, url in await found.fetchall()]


def make_archive(url: str) -> None:
    """Make the archive in an empty database.

    Raises:
        psycopg.Error: The database cannot be reached, or has the table already.
    """
    with psycopg.connect(url) as connection:
        connection.execute(TABLE)

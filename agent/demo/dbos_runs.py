"""How are the runs of a story exported from a database of DBOS, and replayed?"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.demo.exported import ReplayedRun
from tracing.dbos import Reader, connect, convert
from tracing.tracefile import run_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracing import TracingConfig
    from tracing.dbos import Converted
    from tracing.tracefile import Span

Fork = Callable[[str, int, str], Awaitable[None]]
"""Forks a workflow from a step, under an ID, and waits for the fork's end."""


@dataclass(frozen=True)
class DbosRuns:
    """A workflow of DBOS.

    Attributes:
        database: URL of the system database.
        workflow_id: Workflow ID.
        fork: Forks it, for the replay.
    """

    database: str
    workflow_id: str
    fork: Fork

    async def export(self, config: TracingConfig) -> list[DbosRun]:
        """Read and convert it."""
        converted = await asyncio.to_thread(converted_workflow, self.database, self.workflow_id, config)
        return [DbosRun(self.database, converted, self.fork)]


@dataclass(frozen=True)
class DbosRun:
    """A workflow, as its database has it."""

    database: str
    converted: Converted
    fork: Fork

    @property
    def name(self) -> str:
        """What its files are called."""
        return run_name(self.converted.row.workflow_id, self.converted.row.workflow_id)

    @property
    def spans(self) -> Sequence[Span]:
        """Its spans."""
        return self.converted.spans

    def write_history(self, folder: Path) -> None:
        """There is no such file: the database is the history."""

    async def replay(self, config: TracingConfig) -> ReplayedRun:
        """Fork it from behind its last step: today's code runs, and takes each step's result from the database."""
        own, last = self.converted.row, self.converted.last_step
        replay_id = f"{own.workflow_id}-replay-{uuid.uuid4().hex[:8]}"
        await self.fork(own.workflow_id, last + 1, replay_id)
        replayed = await asyncio.to_thread(converted_workflow, self.database, replay_id, config)
        return ReplayedRun(
            (replayed.row.status, replayed.row.result, replayed.last_step) == (own.status, own.result, last),
            replayed.spans,
        )


def converted_workflow(database: str, workflow_id: str, config: TracingConfig) -> Converted:
    """A workflow as spans.

    Raises:
        LookupError: The database has none of this ID.
    """
    with connect(database) as opened:
        converted = convert(Reader(opened), workflow_id, config)
    if converted is None:
        raise LookupError(f"{database} has no workflow {workflow_id}.")
    return converted

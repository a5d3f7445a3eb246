"""How are the runs of a story exported from a Temporal server, and replayed?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.client import Client

from agent.demo.exported import ReplayedRun
from tracing.history import Fetched, Server, to_spans
from tracing.replay import replay, replay_spans
from tracing.tracefile import run_name, write_history

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from temporalio.worker import Plugin

    from tracing import TracingConfig
    from tracing.tracefile import Span


@dataclass(frozen=True)
class TemporalRuns:
    """A run on a Temporal server, with all that belongs to it: the runs continued from it, its children, and theirs.

    Attributes:
        address: Address of the server.
        workflow_id: Workflow ID.
        run_id: Run ID of any run of the chain.
        workflows: Workflow classes, for the replay: those of the run and of its children.
        plugins: Plugins of the worker, besides that of tracing, for the replay.
    """

    address: str
    workflow_id: str
    run_id: str
    workflows: tuple[type, ...]
    plugins: tuple[Plugin, ...] = ()

    async def export(self, config: TracingConfig) -> list[TemporalRun]:
        """Fetch the histories and convert them, in the order in which the runs began."""
        server = Server(await Client.connect(self.address))
        runs = []
        async for fetched in server.chain(self.workflow_id, self.run_id, children=True):
            assert isinstance(fetched, Fetched)  # histories of our own server are whole
            runs.append(TemporalRun(fetched, to_spans(fetched.history(), config), self.workflows, self.plugins))
        return sorted(runs, key=lambda run: run.spans[0].start)


@dataclass(frozen=True)
class TemporalRun:
    """One run of a Temporal server.

    Attributes:
        fetched: What the server sent.
        spans: The spans that its history makes.
        workflows: Workflow classes, for the replay.
        plugins: Plugins, for the replay.
    """

    fetched: Fetched
    spans: Sequence[Span]
    workflows: tuple[type, ...]
    plugins: tuple[Plugin, ...] = ()

    @property
    def name(self) -> str:
        """What its files are called."""
        return run_name(self.fetched.run.workflow_id, self.fetched.run.run_id)

    def write_history(self, folder: Path) -> Path:
        """Write its raw history."""
        run = self.fetched.run
        return write_history(folder, self.name, self.fetched.sdk(), run_id=run.run_id, namespace=run.namespace)

    async def replay(self, config: TracingConfig) -> ReplayedRun:
        """Run the workflow's code against its history."""
        run = self.fetched.run
        replayed = await replay(
            (self.fetched.sdk(), run.run_id), self.workflows, namespace=run.namespace, plugins=self.plugins
        )
        return ReplayedRun(replayed.outcome == "reproduced", replay_spans(replayed, self.spans, config))

"""Which servers do the experiments need, and how do all of them end?"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agent.failures.archive import make_archive
from agent.local.control_client import ControlClient
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from agent.servers.collector import Collector, start_collector
from agent.servers.environment import without_settings
from agent.servers.postgresql import postgresql
from agent.servers.process import SupervisedProcess
from agent.servers.temporal import TemporalServer, start_temporal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from typing import Self

    from agent.servers.progress import Progress

# A process that stops gracefully is not killed, however slow the machine is.
_GRACE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Side:
    """What one side of an experiment works with: servers of its own, whose counts are its own.

    Attributes:
        name: Its name.
        folder: For its logs and files.
        control: Asks and steers its model server.
        environ: The variables of its processes.
        laboratory: The servers that all share.
        stack: Ends what is entered into it, at the end of the side.
    """

    name: str
    folder: Path
    control: ControlClient
    environ: Mapping[str, str]
    laboratory: Laboratory
    stack: AsyncExitStack

    def process(self, name: str, command: list[str], environ: Mapping[str, str]) -> SupervisedProcess:
        """Prepare a process, which has ended at the end of the side; it is not started yet."""
        log = self.folder / f"{name}.log"
        process = SupervisedProcess(
            name, command, log=log, environ={**self.environ, **environ}, grace_seconds=_GRACE_SECONDS
        )
        self.stack.push_async_callback(asyncio.to_thread, process.stop)
        return process


class Laboratory:
    """Servers of all experiments, started when entered; what was started here has ended when it is left.

    Args:
        folder: For logs, the server's database and the Collector's files.
        progress: Says what is being waited for.
    """

    temporal: TemporalServer
    collector: Collector

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        # Temporal's as well: the experiments have servers of their own.
        self.environ = without_settings(os.environ, "TEMPORAL_")
        self._stack = ExitStack()
        self._archive_lock = asyncio.Lock()
        self._archive_port: int | None = None

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._start)
        except BaseException:
            await asyncio.to_thread(self._stack.close)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._stack.close)

    def _start(self) -> None:
        with self.progress.step("Starting Temporal and a Collector"):
            self.temporal = self._stack.enter_context(
                start_temporal(self.folder / "temporal", environ=self.environ, progress=self.progress)
            )
            self.collector = self._stack.enter_context(
                start_collector(self.folder / "collector", environ=self.environ, progress=self.progress)
            )

    async def archive_port(self) -> int:
        """The port of a PostgreSQL server with the archive, started when it is first asked for.

        Raises:
            ServerNotFoundError: PostgreSQL is not installed.
        """
        async with self._archive_lock:
            if self._archive_port is None:
                self._archive_port = await asyncio.to_thread(self._start_archive)
            return self._archive_port

    def _start_archive(self) -> int:
        server = self._stack.enter_context(postgresql())
        make_archive(f"{server}/postgres")
        port = urlsplit(server).port
        assert port is not None  # it has one
        return port

    @asynccontextmanager
    async def side(self, name: str) -> AsyncIterator[Side]:
        """Start the servers of one side."""
        folder = self.folder / name
        folder.mkdir()
        async with AsyncExitStack() as stack:
            model = await stack.enter_async_context(model_server())
            search = await stack.enter_async_context(search_server())
            addresses = {"OPENAI_BASE_URL": model.url, "SEARCH_BASE_URL": search.url}
            environ = {**self.environ, **addresses}
            yield Side(name, folder, ControlClient(model.control), environ, self, stack)

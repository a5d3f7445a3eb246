"""Which servers and workers does a demo need, and how do all of them end?"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.local.control_client import ControlClient
from agent.local.serving import LocalServer
from agent.servers.collector import Collector, start_collector
from agent.servers.environment import without_settings
from agent.servers.locate import ServerNotFoundError
from agent.servers.phoenix import Phoenix, find_phoenix, start_phoenix
from agent.servers.process import SupervisedProcess
from agent.servers.temporal import TemporalServer, start_temporal
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

    from agent.servers.progress import Progress
    from tracing.tracefile import Span

SERVICE_NAME: Final = "research-agent"
CONTENT: Final = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
"""The demo shows messages; by default they are off."""

_READY_SECONDS: Final = 30.0


class Stage:
    """Servers of a demo, started when entered; all that was started here has ended when it is left.

    Several stories can be told on one stage, one after the other: each begins with `prepare`.

    Args:
        folder: For logs, the server's database and the Collector's files.
        progress: Says what is being waited for.
        with_temporal: Whether to start a Temporal server.
        with_phoenix: Whether to start Phoenix, where it is installed.
        collector_settings: More variables for the Collector.
    """

    collector: Collector
    phoenix: Phoenix | None
    model: LocalServer
    search: LocalServer

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        *,
        with_temporal: bool = True,
        with_phoenix: bool = True,
        collector_settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.progress = progress
        self._with_temporal = with_temporal
        self._with_phoenix = with_phoenix
        self._temporal: TemporalServer | None = None
        self._collector_settings = collector_settings or {}
        self._stack = ExitStack()
        self._environ = without_settings(os.environ)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self.progress.step("Stopping all servers"):
            self._stack.close()

    @property
    def temporal(self) -> TemporalServer:
        """The Temporal server.

        Raises:
            RuntimeError: The stage was told to do without.
        """
        if self._temporal is None:
            raise RuntimeError("There is no Temporal server on this stage: the pattern's engine is another one.")
        return self._temporal

    async def prepare(self) -> None:
        """Make the servers as good as new for another story: counts and faults forgotten, the Collector running."""
        for server in (self.model, self.search):
            await ControlClient(server.control).reset()
        if not self.collector.process.running:
            self.collector.start()

    def collected(self, trace_ids: Iterable[int]) -> list[Span]:
        """The live spans of some traces. Stops the Collector, for only then has it surely written what it has."""
        self.collector.stop()
        wanted = frozenset(trace_ids)
        return [span for span in read_trace(self.collector.traces_file) if span.trace_id in wanted]

    def _start(self) -> None:
        if self._with_temporal:
            with self.progress.step("Starting Temporal"):
                self._temporal = self._stack.enter_context(
                    start_temporal(self.folder / "temporal", progress=self.progress)
                )
        self.phoenix = self._start_phoenix()
        with self.progress.step("Starting the OpenTelemetry Collector"):
            backend = {"PHOENIX_COLLECTOR_ENDPOINT": self.phoenix.base_url} if self.phoenix else {}
            self.collector = self._stack.enter_context(
                start_collector(
                    self.folder / "collector",
                    environ={**self._environ, **backend, **self._collector_settings},
                    progress=self.progress,
                )
            )
        with self.progress.step("Starting the local model and search servers"):
            self.model = self._local("model_server")
            self.search = self._local("search_server")

    def _start_phoenix(self) -> Phoenix | None:
        if not self._with_phoenix:
            return None
        try:
            find_phoenix(progress=self.progress, quick=True)
        except ServerNotFoundError:
            return None
        with self.progress.step("Starting Phoenix"):
            return self._stack.enter_context(start_phoenix(self.folder / "phoenix", progress=self.progress))

    def _local(self, module: str) -> LocalServer:
        log = self.folder / f"{module}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        process = self._process(module, [sys.executable, "-m", f"agent.local.{module}"], {})
        process.wait_until(lambda: "\n" in log.read_text(), condition="listened", timeout_seconds=_READY_SECONDS)
        ready = json.loads(log.read_text().splitlines()[0])
        return LocalServer(url=ready["url"], control=ready["control"])

    def control(self) -> ControlClient:
        """What the model server counts, and what it can be told."""
        return ControlClient(self.model.control)

    def start_worker(
        self,
        name: str,
        settings: Mapping[str, str] | None = None,
        *,
        module: str = "agent.research.worker",
        service: str = SERVICE_NAME,
        arguments: Sequence[str] = (),
    ) -> SupervisedProcess:
        """Start a worker as a process of its own, and wait until it says that it polls.

        Args:
            name: Its identity, given as ``--identity``.
            settings: More variables for it.
            module: The module that is run; that of the research agent by default.
            service: What its spans call the service.
            arguments: More arguments of the module.
        """
        process = self.start_process(name, module, ("--identity", name, *arguments), settings, service=service)
        process.wait_until(
            lambda: "polls" in process.log.read_text(), condition="polled its queue", timeout_seconds=_READY_SECONDS
        )
        return process

    def start_process(
        self,
        name: str,
        module: str,
        arguments: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        *,
        service: str = SERVICE_NAME,
    ) -> SupervisedProcess:
        """Start a module of an agent, with the addresses of all servers in its environment.

        Args:
            name: What messages and its log call it.
            module: The module that is run.
            arguments: Its arguments.
            settings: More variables for it.
            service: What its spans call the service.
        """
        return self._process(
            name,
            [sys.executable, "-m", module, *arguments],
            {
                **({} if self._temporal is None else {"TEMPORAL_ADDRESS": self._temporal.address}),
                "OPENAI_BASE_URL": self.model.url,
                "SEARCH_BASE_URL": self.search.url,
                "OTEL_SERVICE_NAME": service,
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.otlp_http,
                **CONTENT,
                **(settings or {}),
            },
        )

    def _process(self, name: str, command: list[str], environ: Mapping[str, str]) -> SupervisedProcess:
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        process = SupervisedProcess(name, command, log=log, environ={**self._environ, **environ})
        return self._stack.enter_context(process)

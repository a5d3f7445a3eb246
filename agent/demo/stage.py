"""Which servers and workers does the demo need, and how do all of them end?"""

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
from agent.servers.locate import ServerNotFoundError
from agent.servers.phoenix import Phoenix, find_phoenix, start_phoenix
from agent.servers.process import SupervisedProcess
from agent.servers.temporal import TemporalServer, start_temporal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from agent.servers.progress import Progress

SERVICE_NAME: Final = "research-agent"
CONTENT: Final = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
"""The demo shows messages; by default they are off."""

_READY_SECONDS: Final = 30.0
# Not those of other OpenTelemetry, Phoenix or model settings: the demo must not write to a real backend.
_FOREIGN: Final = ("OTEL_", "PHOENIX_", "LANGFUSE_", "OPENAI_", "SEARCH_", "RESEARCH_", "COLLECTOR_")


class Stage:
    """Servers of the demo, started when entered; all that was started here has ended when it is left.

    Args:
        folder: For logs, the server's database and the Collector's files.
        progress: Says what is being waited for.
        with_phoenix: Whether to start Phoenix, where it is installed.
    """

    temporal: TemporalServer
    collector: Collector
    phoenix: Phoenix | None
    model: LocalServer
    search: LocalServer

    def __init__(self, folder: Path, progress: Progress, *, with_phoenix: bool = True) -> None:
        self.folder = folder
        self.progress = progress
        self._with_phoenix = with_phoenix
        self._stack = ExitStack()
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}

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

    def _start(self) -> None:
        with self.progress.step("Starting Temporal"):
            self.temporal = self._stack.enter_context(start_temporal(self.folder / "temporal", progress=self.progress))
        self.phoenix = self._start_phoenix()
        with self.progress.step("Starting the OpenTelemetry Collector"):
            backend = {"PHOENIX_COLLECTOR_ENDPOINT": self.phoenix.base_url} if self.phoenix else {}
            self.collector = self._stack.enter_context(
                start_collector(self.folder / "collector", environ=self._environ | backend, progress=self.progress)
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

    def start_worker(self, name: str) -> SupervisedProcess:
        """Start a worker of the research agent as a process of its own, and wait until it polls."""
        process = self._process(
            name,
            [sys.executable, "-m", "agent.research.worker", "--identity", name],
            {
                "TEMPORAL_ADDRESS": self.temporal.address,
                "OPENAI_BASE_URL": self.model.url,
                "SEARCH_BASE_URL": self.search.url,
                "OTEL_SERVICE_NAME": SERVICE_NAME,
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.otlp_http,
                **CONTENT,
            },
        )
        process.wait_until(
            lambda: "polls" in process.log.read_text(), condition="polled its queue", timeout_seconds=_READY_SECONDS
        )
        return process

    def _process(self, name: str, command: list[str], environ: Mapping[str, str]) -> SupervisedProcess:
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        process = SupervisedProcess(name, command, log=log, environ={**self._environ, **environ})
        return self._stack.enter_context(process)

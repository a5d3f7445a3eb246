"""How does one get, configure, start and stop an OpenTelemetry Collector?"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agent.servers.cache import Cache, project_file
from agent.servers.endpoints import LOOPBACK, answers_http, free_port
from agent.servers.go_build import GoBuild
from agent.servers.locate import Address, Program, Source, SourceError, address, in_cache, locate, on_path
from agent.servers.process import SupervisedProcess
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

ADDRESS_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_OPTIONAL_FILES: Final = (
    ("phoenix.yaml", ("PHOENIX_COLLECTOR_ENDPOINT",)),
    ("phoenix-auth.yaml", ("PHOENIX_COLLECTOR_ENDPOINT", "PHOENIX_API_KEY")),
    ("langfuse.yaml", ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")),
    ("metrics.yaml", ("COLLECTOR_PROMETHEUS_ENDPOINT",)),
)
_WAYS_TO_MEND: Final = (
    "start a Collector (`docker compose up -d collector`) and set OTEL_EXPORTER_OTLP_ENDPOINT to its http://host:4318;",
    "install the Collector's contrib distribution, so that PATH has `otelcol-contrib`;",
    "install Go 1.25 or newer, so that PATH has `go`, and let it build the Collector (4 to 10 minutes, once).",
)
_READY_SECONDS: Final = 30.0


def collector_config_files(environ: Mapping[str, str]) -> list[Path]:
    """The Collector's ``--config`` files, in order: the base, and one for each backend that these variables turn on.

    ``PHOENIX_COLLECTOR_ENDPOINT`` turns Phoenix on (``PHOENIX_API_KEY`` adds the key), ``LANGFUSE_PUBLIC_KEY`` with
    ``LANGFUSE_SECRET_KEY`` Langfuse, ``COLLECTOR_PROMETHEUS_ENDPOINT`` metrics. An empty variable counts as not set.
    """
    folder = project_file("collector")
    wanted = [name for name, variables in _OPTIONAL_FILES if all(environ.get(variable) for variable in variables)]
    return [folder / name for name in ("base.yaml", *wanted)]


def find_collector(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Address | Program:
    """The endpoint that OpenTelemetry's variables name, else a Collector's program, built if need be.

    Args:
        environ: The environment to look in; this process's when ``None``.
        progress: Shows what takes long.
        quick: Do not build.

    Raises:
        ServerNotFoundError: No way worked; the message says how to mend it.
    """
    environ = os.environ if environ is None else environ
    return address(ADDRESS_VARIABLES, environ) or collector_program(environ, progress=progress, quick=quick)


def collector_program(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Program:
    """A Collector's program, as :func:`find_collector` finds it, whether or not an endpoint is set."""
    environ = os.environ if environ is None else environ
    cache = Cache.from_environment(environ)
    manifest = project_file("collector/manifest.yaml")
    # A change of the manifest asks for another program, not for the one that was built before it.
    name = f"otelcol-durable-trace-{hashlib.sha256(manifest.read_bytes()).hexdigest()[:8]}"
    sources = [
        _usable(on_path(["otelcol-contrib"], environ), environ),
        in_cache([name], cache),
        Source(
            "a build with Go",
            lambda: GoBuild(cache, environ, progress or Progress()).collector(manifest, name=name),
            slow=True,
        ),
    ]
    return locate("OpenTelemetry Collector", sources, _WAYS_TO_MEND, quick=quick)


def validate_config(program: Path, files: Sequence[Path], environ: Mapping[str, str]) -> str:
    """What a Collector's program has against configuration files: its message, or an empty string."""
    done = subprocess.run(  # noqa: S603 - the program that was located
        [program, "validate", *(f"--config={file}" for file in files)],
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stderr or f"status {done.returncode}").strip() if done.returncode else ""


def _usable(source: Source, environ: Mapping[str, str]) -> Source:
    def find() -> Path | None:
        path = source.find()
        if path is not None and (refusal := validate_config(path, collector_config_files({}), environ)):
            raise SourceError(f"{path} refuses collector/base.yaml: {refusal.splitlines()[-1]}")
        return path

    return Source(source.name, find)


@dataclass(frozen=True)
class Collector:
    """A Collector that runs here. As a context manager, it is stopped at the end.

    Attributes:
        otlp_http: Base endpoint for OTLP over HTTP, as ``OTEL_EXPORTER_OTLP_ENDPOINT`` takes it.
        otlp_grpc: Endpoint for OTLP over gRPC.
        own_metrics: ``host:port`` of what it counts of itself, where ``metrics.yaml`` is among its files.
        traces_file: The file that it writes spans to, one ``ExportTraceServiceRequest`` in OTLP JSON a line.
        process: Its process; ``stop``, ``kill`` and :meth:`start` again keep ports, files and queue.
    """

    otlp_http: str
    otlp_grpc: str
    own_metrics: str
    traces_file: Path
    process: SupervisedProcess
    _health_port: int = field(repr=False)

    def start(self) -> None:
        """Start it and wait until it is healthy.

        Raises:
            ProcessError: It ended instead, or did not become healthy in time.
        """
        self.process.start()
        self.process.wait_until(
            lambda: answers_http(self._health_port, "/"), condition="was healthy", timeout_seconds=_READY_SECONDS
        )

    def stop(self) -> None:
        """Stop it; it sends what it can first, and keeps the rest in its queue on disk."""
        self.process.stop()

    def kill(self) -> None:
        """Kill it with SIGKILL, as a crash would."""
        self.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_collector(
    folder: Path, *, environ: Mapping[str, str] | None = None, progress: Progress | None = None
) -> Collector:
    """A Collector on free ports of the loopback address, healthy.

    Args:
        folder: For its trace file, its queue and its log. The queue of an earlier Collector there is sent on.
        environ: Chooses the backends (see :func:`collector_config_files`); this process's environment when ``None``.
        progress: Shows what takes long.

    Raises:
        ServerNotFoundError: There is no program.
        ProcessError: It did not become healthy.
    """
    environ = os.environ if environ is None else environ
    program = collector_program(environ, progress=progress)
    grpc, http, health, telemetry = free_port(), free_port(), free_port(), free_port()
    collector = Collector(
        otlp_http=f"http://{LOOPBACK}:{http}",
        otlp_grpc=f"http://{LOOPBACK}:{grpc}",
        own_metrics=f"{LOOPBACK}:{telemetry}",
        traces_file=folder / "traces" / "traces.otlp.jsonl",
        process=SupervisedProcess(
            "OpenTelemetry Collector",
            [program.path, *(f"--config={file}" for file in collector_config_files(environ))],
            log=folder / "collector.log",
            environ={
                # A variable that is set to nothing would beat the configuration's defaults.
                **{name: value for name, value in environ.items() if value},
                "COLLECTOR_OTLP_GRPC_ENDPOINT": f"{LOOPBACK}:{grpc}",
                "COLLECTOR_OTLP_HTTP_ENDPOINT": f"{LOOPBACK}:{http}",
                "COLLECTOR_HEALTH_ENDPOINT": f"{LOOPBACK}:{health}",
                "COLLECTOR_TELEMETRY_PORT": str(telemetry),
                "COLLECTOR_TRACES_DIR": str(folder / "traces"),
                "COLLECTOR_QUEUE_DIR": str(folder / "queue"),
            },
        ),
        _health_port=health,
    )
    collector.start()
    return collector

"""How does one get, start and stop a Temporal dev server?"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.servers.cache import Cache
from agent.servers.commands import run_command
from agent.servers.endpoints import LOOPBACK, accepts_connections, free_port
from agent.servers.go_build import GoBuild
from agent.servers.locate import Address, Program, Source, address, in_cache, locate, on_path
from agent.servers.process import SupervisedProcess
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

ADDRESS_VARIABLE: Final = "TEMPORAL_ADDRESS"
CLI_VERSION: Final = "1.5.1"

_MODULE: Final = f"github.com/temporalio/cli/cmd/temporal@v{CLI_VERSION}"
_BUILT: Final = f"temporal-{CLI_VERSION}"
_WAYS_TO_MEND: Final = (
    "start a Temporal server (`docker compose up -d temporal`) and set TEMPORAL_ADDRESS to its host:port;",
    "install the Temporal CLI, so that PATH has `temporal`;",
    "install Go 1.25 or newer, so that PATH has `go`, and let it build the CLI (about 3 minutes, once).",
)
_READY_SECONDS: Final = 60.0
QUEUE_SETTINGS: Final = (
    "history.transferProcessorMaxPollRPS=1000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)
"""How tasks come to the workers that wait for them, as dynamic configuration.

By default a shard reads its queue of tasks to hand out 20 times a second. The dev server has one shard for all its
runs, and a step is two reads, one for its activity task and one for the workflow task after it: it took 100 ms, most
of which both tasks waited. And a task queue is four partitions, which serve many servers: in half the runs of 50 steps
one activity task waited 2 s, and in none with one partition.
"""
# Not synced at each commit: what the server has written outlives its process, as files do; only a machine that goes
# down takes the last writes along.
_SQLITE: Final = ("journal_mode=wal", "synchronous=1")
# No profile file and no TEMPORAL_* variable of the user may turn the probe to another server.
_HERMETIC: Final = ("--disable-config-file", "--disable-config-env")


@dataclass(frozen=True)
class TemporalServer:
    """A Temporal server to connect to. As a context manager, it stops what was started.

    Attributes:
        address: ``host:port`` of its gRPC frontend.
        process: The dev server, or ``None`` where the environment named a server that ran already.
    """

    address: str
    process: SupervisedProcess | None = None
    _is_ready: Callable[[], bool] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the server again, at the same address and with the histories of its database file.

        Raises:
            ProcessError: It did not become ready.
            RuntimeError: It was not started here, or is running already.
        """
        if self.process is None or self._is_ready is None:
            raise RuntimeError(f"The Temporal server at {self.address} was not started here, so it cannot be again")
        self.process.start()
        self.process.wait_until(self._is_ready, condition="listed workflows", timeout_seconds=_READY_SECONDS)

    def stop(self) -> None:
        """Stop the server if it was started here."""
        if self.process is not None:
            self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def find_temporal(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Address | Program:
    """A running server that ``TEMPORAL_ADDRESS`` names, else the Temporal CLI, downloaded or built if need be.

    Args:
        environ: The environment to look in; this process's when ``None``.
        progress: Shows what takes long.
        quick: Neither download nor build.

    Raises:
        ServerNotFoundError: No way worked; the message says how to mend it.
    """
    environ = os.environ if environ is None else environ
    return address([ADDRESS_VARIABLE], environ) or temporal_cli(environ, progress=progress, quick=quick)


def temporal_cli(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Program:
    """The Temporal CLI, as :func:`find_temporal` finds it, whether or not ``TEMPORAL_ADDRESS`` is set."""
    environ = os.environ if environ is None else environ
    progress = progress or Progress()
    cache = Cache.from_environment(environ)
    downloaded = f"temporal-sdk-{version('temporalio')}"
    sources = [
        on_path(["temporal"], environ),
        in_cache([_BUILT, downloaded], cache),
        Source("the SDK's download", lambda: _download(downloaded, cache, environ, progress), slow=True),
        Source(
            "a build with Go",
            lambda: GoBuild(cache, environ, progress).program(_MODULE, name=_BUILT, takes="3 to 6 minutes"),
            slow=True,
        ),
    ]
    return locate("Temporal dev server", sources, _WAYS_TO_MEND, quick=quick)


def start_temporal(
    folder: Path,
    *,
    environ: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    arguments: Sequence[str] = (),
) -> TemporalServer:
    """A Temporal server that is ready: the one that ``TEMPORAL_ADDRESS`` names, else a dev server on a free port.

    Args:
        folder: For the dev server's SQLite file and log. A file that is there already is used again, so that a server
            started a second time has the first one's histories.
        environ: The environment; this process's when ``None``.
        progress: Shows what takes long.
        arguments: More arguments for ``temporal server start-dev``.

    Raises:
        ServerNotFoundError: There is no server and no program.
        ProcessError: The dev server did not become ready.
    """
    environ = os.environ if environ is None else environ
    found = find_temporal(environ, progress=progress)
    if isinstance(found, Address):
        return TemporalServer(found.value)
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    process = SupervisedProcess(
        "Temporal dev server",
        [
            *(found.path, "server", "start-dev", "--headless", "--ip", LOOPBACK, "--port", str(port)),
            *("--db-filename", folder / "temporal.db", "--log-level", "warn"),
            *(part for setting in QUEUE_SETTINGS for part in ("--dynamic-config-value", setting)),
            *(part for pragma in _SQLITE for part in ("--sqlite-pragma", pragma)),
            *arguments,
        ],
        log=folder / "temporal.log",
        environ=_without_settings(environ),
    )

    def is_ready() -> bool:
        return accepts_connections(port) and _lists_workflows(found.path, port, environ)

    server = TemporalServer(f"{LOOPBACK}:{port}", process, is_ready)
    server.start()
    return server


def _lists_workflows(cli: Path, port: int, environ: Mapping[str, str]) -> bool:
    # The port opens before the namespace and its visibility store can be used. Listing needs all three.
    return (
        subprocess.run(  # noqa: S603 - the program that was located
            [cli, "workflow", "list", "--limit", "1", "--address", f"{LOOPBACK}:{port}", *_HERMETIC],
            env=_without_settings(environ),
            capture_output=True,
            check=False,
        ).returncode
        == 0
    )


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("TEMPORAL_")}


def _download(name: str, cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path:
    def make(work: Path) -> Path:
        run_command(
            "Downloading the Temporal CLI with the SDK",
            [sys.executable, "-m", "agent.servers.sdk_download", work],
            log=cache.log(name),
            environ=_without_settings(environ),
            cwd=Path(__file__).parents[2],  # where `agent` can be imported from
            progress=progress,
        )
        return next(path for path in work.iterdir() if os.access(path, os.X_OK) and path.is_file())

    return cache.get(name, make, progress)

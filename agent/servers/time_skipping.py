"""How does one get, start and stop Temporal's test server, in which waiting takes no time?

Whenever a run only waits, for a timer or for a retry, its clock jumps to the end of the wait. It keeps nothing on disk.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from agent.servers.cache import Cache
from agent.servers.commands import run_command
from agent.servers.endpoints import LOOPBACK, accepts_connections, free_port
from agent.servers.locate import Program, Source, SourceError, in_cache, locate, on_path
from agent.servers.process import SupervisedProcess
from agent.servers.progress import Progress
from agent.servers.temporal import TemporalServer

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER_VERSION: Final = "1.30.1"

_BUILT: Final = f"temporal-test-server-{SERVER_VERSION}"
_ARTIFACT: Final = ("io.temporal", "temporal-test-server", SERVER_VERSION)
_MAIN_CLASS: Final = "io.temporal.testserver.TestServer"
_WAYS_TO_MEND: Final = (
    "install Temporal's test server, so that PATH has `temporal-test-server`;",
    "install Java 17 or newer and Maven, so that PATH has `java` and `mvn`, and let Maven get it (15 seconds, once).",
)
_READY_SECONDS: Final = 60.0


def find_time_skipping(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Program:
    """Temporal's test server, downloaded if need be.

    Args:
        environ: The environment to look in; this process's when ``None``.
        progress: Shows what takes long.
        quick: Do not download.

    Raises:
        ServerNotFoundError: No way worked; the message says how to mend it.
    """
    environ = os.environ if environ is None else environ
    progress = progress or Progress()
    cache = Cache.from_environment(environ)
    downloaded = f"temporal-test-server-sdk-{version('temporalio')}"
    sources = [
        on_path(["temporal-test-server"], environ),
        in_cache([_BUILT, downloaded], cache),
        Source("the SDK's download", lambda: _download(downloaded, cache, environ, progress), slow=True),
        Source("Maven", lambda: _from_maven(cache, environ, progress), slow=True),
    ]
    return locate("Temporal test server", sources, _WAYS_TO_MEND, quick=quick)


def start_time_skipping(
    folder: Path, *, environ: Mapping[str, str] | None = None, progress: Progress | None = None
) -> TemporalServer:
    """A Temporal test server on a free port, ready, which skips time whenever nothing runs.

    Args:
        folder: For its log.
        environ: The environment; this process's when ``None``.
        progress: Shows what takes long.

    Raises:
        ServerNotFoundError: There is no program.
        ProcessError: It did not become ready.
    """
    found = find_time_skipping(environ, progress=progress)
    port = free_port()
    process = SupervisedProcess(
        "Temporal test server",
        [found.path, str(port), "--enable-time-skipping"],
        log=folder / "temporal-test-server.log",
        environ=environ,
    )
    process.start()
    process.wait_until(
        lambda: accepts_connections(port), condition="accepted connections", timeout_seconds=_READY_SECONDS
    )
    return TemporalServer(f"{LOOPBACK}:{port}", process)


def _download(name: str, cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path:
    def make(work: Path) -> Path:
        run_command(
            "Downloading Temporal's test server with the SDK",
            [sys.executable, "-m", "agent.servers.sdk_download", work, "--time-skipping"],
            log=cache.log(name),
            environ=environ,
            cwd=Path(__file__).parents[2],  # where `agent` can be imported from
            progress=progress,
        )
        return next(path for path in work.iterdir() if os.access(path, os.X_OK) and path.is_file())

    return cache.get(name, make, progress)


def _from_maven(cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path:
    """Get the server's jars with Maven, and write the script that starts them; the script, in the cache."""
    maven, java = (shutil.which(name, path=environ.get("PATH", "")) for name in ("mvn", "java"))
    if maven is None or java is None:
        raise SourceError("there is no Maven or no Java on PATH")

    def make(work: Path) -> Path:
        jars = cache.folder / "jars" / _BUILT
        (work / "pom.xml").write_text(_project())
        run_command(
            f"Getting Temporal's test server {SERVER_VERSION} with Maven (about 15 seconds)",
            [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}", "-DincludeScope=runtime"],
            log=cache.log(_BUILT),
            environ=environ,
            cwd=work,
            progress=progress,
        )
        script = work / _BUILT
        # Found from where the script is, so that the cache may be moved.
        place = f'"$(dirname "$0")/../jars/{_BUILT}/*"'
        script.write_text(f'#!/bin/sh\nexec java -cp {place} {_MAIN_CLASS} "$@"\n')
        script.chmod(0o755)
        return script

    return cache.get(_BUILT, make, progress)


def _project() -> str:
    """A Maven project that needs nothing but the server."""
    names = ("groupId", "artifactId", "version")
    needed = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in zip(names, _ARTIFACT, strict=True))
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>durable-trace</groupId><artifactId>time-skipping</artifactId><version>1</version>"
        f"<dependencies><dependency>{needed}</dependency></dependencies></project>\n"
    )

"""How does one get, start, ask and stop a Prometheus?"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

from agent.servers.cache import Cache
from agent.servers.commands import run_command
from agent.servers.endpoints import LOOPBACK, answers_http, free_port
from agent.servers.locate import Program, Source, SourceError, in_cache, locate, on_path
from agent.servers.process import SupervisedProcess
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

_WAYS_TO_MEND: Final = (
    "install Prometheus (https://prometheus.io/download), so that PATH has `prometheus` and `promtool`;",
    "on Debian or Ubuntu, have internet access, so that `apt-get` can download the package `prometheus`.",
)
_READY_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 30.0


def find_prometheus(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Program:
    """Prometheus's program: on PATH, in the cache, or of Debian's package, which is unpacked and not installed.

    Args:
        environ: The environment to look in; this process's when ``None``.
        progress: Shows what takes long.
        quick: Do not download.

    Raises:
        ServerNotFoundError: No way worked; the message says how to mend it.
    """
    return _find("prometheus", environ, progress, quick=quick)


def find_promtool(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Program:
    """The tool that checks and tests Prometheus's rules, as :func:`find_prometheus` finds the server."""
    return _find("promtool", environ, progress, quick=quick)


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that runs here. As a context manager, it is stopped at the end.

    Attributes:
        base_url: Its address.
        process: Its process.
    """

    base_url: str
    process: SupervisedProcess

    def ask(self, path: str, **parameters: str | float) -> Any:
        """The ``data`` of an answer of its HTTP API.

        Args:
            path: Below ``/api/v1/``, as ``query``.
            **parameters: Those of the request, as ``query`` and ``time``.

        Raises:
            urllib.error.HTTPError: Prometheus refused the request.
        """
        url = f"{self.base_url}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - the address is our own
            return json.load(answer)["data"]

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_prometheus(
    folder: Path, config: Path, *, environ: Mapping[str, str] | None = None, progress: Progress | None = None
) -> Prometheus:
    """A Prometheus on a free port of the loopback address, ready.

    Args:
        folder: For its database and log.
        config: Its configuration file.
        environ: Its environment; this process's when ``None``.
        progress: Shows what takes long.

    Raises:
        ServerNotFoundError: There is no program.
        ProcessError: It did not become ready.
    """
    environ = os.environ if environ is None else environ
    program, port = find_prometheus(environ, progress=progress), free_port()
    process = SupervisedProcess(
        "Prometheus",
        [
            program.path,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
        ],
        log=folder / "prometheus.log",
        environ=environ,
        cwd=config.parent,
    )
    process.start()
    process.wait_until(lambda: answers_http(port, "/-/ready"), condition="was ready", timeout_seconds=_READY_SECONDS)
    return Prometheus(f"http://{LOOPBACK}:{port}", process)


def _find(name: str, environ: Mapping[str, str] | None, progress: Progress | None, *, quick: bool) -> Program:
    environ = os.environ if environ is None else environ
    cache = Cache.from_environment(environ)
    sources = [
        on_path([name], environ),
        in_cache([name], cache),
        Source("Debian's package", partial(_unpack, name, cache, environ, progress or Progress()), slow=True),
    ]
    return locate("Prometheus" if name == "prometheus" else name, sources, _WAYS_TO_MEND, quick=quick)


def _unpack(name: str, cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path | None:
    if not all(shutil.which(tool, path=environ.get("PATH")) for tool in ("apt-get", "dpkg-deb")):
        return None

    def make(work: Path) -> Path:
        unpacked = _download(work, cache, environ, progress)
        cache.get("promtool", lambda _: unpacked / "promtool", progress)
        return unpacked / "prometheus"

    # Both lie in one package, and are got together, whichever is asked for.
    cache.get("prometheus", make, progress)
    return cache.program(name)


def _download(work: Path, cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path:
    """Download and unpack the package. Installing it would start a service, and need root."""
    run = partial(run_command, environ={**environ, "DEBIAN_FRONTEND": "noninteractive"}, cwd=work, progress=progress)
    log = cache.log("prometheus")
    # Package lists of our own: those of the machine may be missing, and are not ours to change.
    (work / "lists/partial").mkdir(parents=True)
    apt = ["apt-get", "-qq", "-o", f"Dir::State::Lists={work / 'lists'}", "-o", f"Dir::Cache={work}"]
    run("Reading Debian's package lists", [*apt, "update"], log=log)
    run("Downloading Prometheus from Debian's packages", [*apt, "download", "prometheus"], log=log)
    packages: Sequence[Path] = list(work.glob("prometheus_*.deb"))
    if not packages:
        raise SourceError(f"apt-get put no package into {work}")
    run("Unpacking Prometheus", ["dpkg-deb", "--extract", packages[0], work / "unpacked"], log=log)
    return work / "unpacked/usr/bin"

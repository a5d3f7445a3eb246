"""How does one get, start and stop Phoenix, from the Python package?"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.servers.cache import Cache, project_file
from agent.servers.commands import run_command
from agent.servers.endpoints import LOOPBACK, answers_http, free_port
from agent.servers.locate import Address, Program, Source, SourceError, address, locate, on_path
from agent.servers.process import SupervisedProcess
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

ADDRESS_VARIABLE: Final = "PHOENIX_COLLECTOR_ENDPOINT"

_OLDEST_PYTHON: Final = (3, 11)
_NEWEST_PYTHON: Final = (3, 14)
_WHOLE: Final = ".whole"
_WAYS_TO_MEND: Final = (
    "start Phoenix (`docker compose up -d phoenix`) and set PHOENIX_COLLECTOR_ENDPOINT to its http://host:6006;",
    "install the package arize-phoenix, so that PATH has `phoenix`;",
    "have a package index and a Python 3.11 to 3.14 within reach of `python -m agent.servers phoenix` (850 MB, once).",
)
_READY_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Phoenix:
    """A Phoenix to send traces to and read them from. As a context manager, it stops what was started.

    Attributes:
        base_url: Base address of its user interface, its API and OTLP over HTTP (protobuf, ``/v1/traces``).
        process: The server, or ``None`` where the environment named one that ran already.
    """

    base_url: str
    process: SupervisedProcess | None = None

    def stop(self) -> None:
        """Stop the server if it was started here."""
        if self.process is not None:
            self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def find_phoenix(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Address | Program:
    """A running server that ``PHOENIX_COLLECTOR_ENDPOINT`` names, else Phoenix's program, installed if need be.

    Args:
        environ: The environment to look in; this process's when ``None``.
        progress: Shows what takes long.
        quick: Do not install.

    Raises:
        ServerNotFoundError: No way worked; the message says how to mend it.
    """
    environ = os.environ if environ is None else environ
    return address([ADDRESS_VARIABLE], environ) or phoenix_program(environ, progress=progress, quick=quick)


def phoenix_program(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Program:
    """Phoenix's program, as :func:`find_phoenix` finds it, whether or not an address is set."""
    environ = os.environ if environ is None else environ
    progress = progress or Progress()
    requirements = project_file("requirements/phoenix.txt")
    cache = Cache.from_environment(environ)
    # Other requirements are another environment: one in use is never changed.
    folder = cache.folder / "phoenix" / hashlib.sha256(requirements.read_bytes()).hexdigest()[:8]
    sources = [
        Source("this Python environment", _beside_this_python),
        _serving(on_path(["phoenix"], environ)),
        Source("cache", lambda: _installed(folder)),
        Source("an install from the package index", lambda: _install(folder, cache, environ, progress), slow=True),
    ]
    return locate("Phoenix", sources, _WAYS_TO_MEND, quick=quick)


def start_phoenix(
    folder: Path, *, environ: Mapping[str, str] | None = None, progress: Progress | None = None, port: int | None = None
) -> Phoenix:
    """A Phoenix that is ready: the one that ``PHOENIX_COLLECTOR_ENDPOINT`` names, else one started on a free port.

    Args:
        folder: For its SQLite database and its log. A database that is there already is used again.
        environ: The environment; this process's when ``None``.
        progress: Shows what takes long.
        port: The port of its user interface, API and OTLP over HTTP, instead of a free one.

    Raises:
        ServerNotFoundError: There is no server and no program.
        ProcessError: It did not become ready.
    """
    environ = os.environ if environ is None else environ
    found = find_phoenix(environ, progress=progress)
    if isinstance(found, Address):
        return Phoenix(found.value.rstrip("/"))
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    process = SupervisedProcess(
        "Phoenix",
        [found.path, "serve"],
        log=folder / "phoenix.log",
        environ={
            # None of the user's settings: they may name another database, or turn authentication on.
            **{name: value for name, value in environ.items() if not name.startswith(("PHOENIX_", "OTEL_"))},
            "PHOENIX_HOST": LOOPBACK,
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_WORKING_DIR": str(folder.absolute()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        },
    )
    process.start()
    process.wait_until(lambda: answers_http(port, "/readyz"), condition="was ready", timeout_seconds=_READY_SECONDS)
    return Phoenix(f"http://{LOOPBACK}:{port}", process)


def _beside_this_python() -> Path | None:
    try:
        distribution("arize-phoenix")
    except PackageNotFoundError:
        return None
    program = Path(sys.executable).with_name("phoenix")
    return program if program.exists() else None


def _serving(source: Source) -> Source:
    # Other projects have programs of this name.
    def find() -> Path | None:
        path = source.find()
        if path is None:
            return None
        done = subprocess.run(  # noqa: S603 - the program that PATH names
            [path, "serve", "--help"], capture_output=True, text=True, check=False
        )
        if "usage: phoenix serve" not in done.stdout:
            raise SourceError(f"{path} is another program: it does not know `phoenix serve`")
        return path

    return Source(source.name, find)


def _installed(folder: Path) -> Path | None:
    return folder / "bin" / "phoenix" if (folder / _WHOLE).exists() else None


def _install(folder: Path, cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path:
    """Make the environment in its final place, for scripts in it name it; the mark that it is whole comes last."""
    with cache.locked("phoenix", progress):
        if found := _installed(folder):
            return found
        python, requirements = _python(environ), project_file("requirements/phoenix.txt")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        run = partial(run_command, log=cache.log("phoenix"), environ=environ, cwd=folder.parent, progress=progress)
        try:
            run("Making a Python environment for Phoenix", [python, "-m", "venv", str(folder)])
            # The lock is complete: nothing may be looked up beside it.
            install = ["install", "--no-deps", "--require-hashes", "--requirement", str(requirements)]
            run(
                "Installing Phoenix (about 850 MB; 1 to 10 minutes)",
                [str(folder / "bin" / "python"), "-m", "pip", *install],
            )
            (folder / _WHOLE).touch()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder / "bin" / "phoenix"


def _python(environ: Mapping[str, str]) -> str:
    """A Python that Phoenix supports: this one, else the newest on PATH."""
    if _OLDEST_PYTHON <= sys.version_info[:2] <= _NEWEST_PYTHON:
        return sys.executable
    for minor in range(_NEWEST_PYTHON[1], _OLDEST_PYTHON[1] - 1, -1):
        for folder in environ.get("PATH", "").split(os.pathsep):
            found = shutil.which(f"python3.{minor}", path=folder)
            if found and _makes_environments(found):
                return found
    raise SourceError(
        f"Phoenix needs Python 3.11 to 3.14; this is {sys.version_info.major}.{sys.version_info.minor}, "
        "and PATH has no other"
    )


def _makes_environments(python: str) -> bool:
    # Version managers put names on PATH that only explain why they do not work.
    done = subprocess.run(  # noqa: S603 - the Python that PATH names
        [python, "-c", "import ensurepip, venv"], capture_output=True, check=False
    )
    return done.returncode == 0

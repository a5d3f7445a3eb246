"""How does one get, start and stop a PostgreSQL server?"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.servers.endpoints import LOOPBACK, free_port
from agent.servers.locate import Program, Source, locate, on_path
from agent.servers.process import SupervisedProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.servers.progress import Progress

USER: Final = "postgres"
"""The database's superuser; and who owns the server's process where this one is root's, as whom it refuses to run."""

_DEBIAN: Final = Path("/usr/lib/postgresql")
_WAYS_TO_MEND: Final = ("install PostgreSQL (`apt-get install postgresql`, `brew install postgresql`).",)
_READY_SECONDS: Final = 60.0
# SIGTERM lets it wait for the last client to go.
_GRACE_SECONDS: Final = 2.0


def find_postgresql(
    environ: Mapping[str, str] | None = None,
    *,
    progress: Progress | None = None,  # noqa: ARG001 - as each server is looked for; nothing here takes long
    quick: bool = False,
) -> Program:
    """PostgreSQL's server program, with `initdb` beside it. It is neither downloaded nor built.

    Args:
        environ: The environment to look in; this process's when ``None``.
        progress: Shows what takes long.
        quick: Neither download nor build.

    Raises:
        ServerNotFoundError: It is not installed.
    """
    environ = os.environ if environ is None else environ
    # Debian does not put the server's programs on the path.
    debian = Source("Debian's folder", lambda: next(iter(sorted(_DEBIAN.glob("*/bin/postgres"), reverse=True)), None))
    return locate("PostgreSQL", [on_path(["postgres"], environ), debian], _WAYS_TO_MEND, quick=quick)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server on a free port, with its files in a folder that goes with it.

    Yields:
        A URL without a database: `postgresql://postgres@127.0.0.1:PORT`. Its own database is `/postgres`.

    Raises:
        ServerNotFoundError: It is not installed.
        ProcessError: It did not become ready.
    """
    # Its other programs are where it really is, which may not be where PATH finds it.
    program = find_postgresql().path.resolve()
    as_user = _as_another_user() if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="postgresql-") as home:
        if as_user:
            shutil.chown(home, USER)
        data = f"{home}/data"
        subprocess.run(  # noqa: S603 - the program that was located
            [*as_user, program.with_name("initdb"), "-D", data, "-A", "trust", "-U", USER, "--no-sync"],
            cwd=home,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        port = free_port()
        settings = (f"listen_addresses={LOOPBACK}", "unix_socket_directories=", "fsync=off")
        server = SupervisedProcess(
            "PostgreSQL",
            [*as_user, program, "-D", data, "-p", str(port), *(part for each in settings for part in ("-c", each))],
            log=Path(home) / "log",
            cwd=Path(home),
            grace_seconds=_GRACE_SECONDS,
        )
        with server:
            server.wait_until(
                lambda: _is_ready(program.with_name("pg_isready"), port),
                condition="accepted connections",
                timeout_seconds=_READY_SECONDS,
            )
            yield f"postgresql://{USER}@{LOOPBACK}:{port}"


def _as_another_user() -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


def _is_ready(pg_isready: Path, port: int) -> bool:
    # The port opens before the server lets anybody in.
    asked = subprocess.run(  # noqa: S603 - beside the program that was located
        [pg_isready, "--quiet", "--host", LOOPBACK, "--port", str(port)], check=False
    )
    return asked.returncode == 0

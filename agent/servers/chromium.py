"""Where is a Chromium, to look at reports as a person does?"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.servers.cache import Cache
from agent.servers.commands import run_command
from agent.servers.locate import Program, Source, SourceError, locate, on_path
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM_VARIABLE: Final = "CHROMIUM"

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_WAYS_TO_MEND: Final = (
    "install Chromium or Chrome (Debian: `apt-get install chromium`), so that PATH has it;",
    "set CHROMIUM to the program of a Chromium;",
    "have internet access, so that `python -m playwright install chromium` can download one.",
)


def find_chromium(
    environ: Mapping[str, str] | None = None, *, progress: Progress | None = None, quick: bool = False
) -> Program:
    """A Chromium: the one that ``CHROMIUM`` names, on PATH, Playwright's download, or Debian's package.

    Args:
        environ: The environment to look in; this process's when ``None``.
        progress: Shows what takes long.
        quick: Neither download nor install.

    Raises:
        ServerNotFoundError: No way worked; the message says how to mend it.
    """
    environ = os.environ if environ is None else environ
    progress = progress or Progress()
    cache = Cache.from_environment(environ)
    sources = [
        Source(PROGRAM_VARIABLE, lambda: Path(environ[PROGRAM_VARIABLE]) if environ.get(PROGRAM_VARIABLE) else None),
        on_path(_NAMES, environ),
        Source("Playwright's download", partial(_downloaded, cache)),
        Source("Debian's package", partial(_install, cache, environ, progress), slow=True),
        Source("Playwright's download", partial(_download, cache, environ, progress), slow=True),
    ]
    return locate("Chromium", sources, _WAYS_TO_MEND, quick=quick)


def _downloaded(cache: Cache) -> Path | None:
    return next(iter(sorted((cache.folder / "playwright").glob("chromium-*/chrome-*/chrome"))), None)


def _install(cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path | None:
    # Only where it needs no password: a user's machine is not changed behind the user's back.
    if not shutil.which("apt-get", path=environ.get("PATH")) or os.geteuid() != 0:
        return None
    settings = {**environ, "DEBIAN_FRONTEND": "noninteractive"}
    run = partial(run_command, environ=settings, cwd=cache.folder, progress=progress)
    with cache.locked("chromium", progress):
        run("Reading Debian's package lists", ["apt-get", "update", "-qq"], log=cache.log("chromium"))
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        run("Installing Chromium from Debian's packages", install, log=cache.log("chromium"))
    return on_path(_NAMES, environ).find()


def _download(cache: Cache, environ: Mapping[str, str], progress: Progress) -> Path:
    folder = cache.folder / "playwright"
    with cache.locked("chromium", progress):
        run_command(
            "Downloading Chromium with Playwright",
            [sys.executable, "-m", "playwright", "install", "chromium"],
            log=cache.log("playwright"),
            environ={**environ, "PLAYWRIGHT_BROWSERS_PATH": str(folder)},
            cwd=cache.folder,
            progress=progress,
        )
    found = _downloaded(cache)
    if found is None:
        raise SourceError(f"Playwright put no Chromium into {folder}")
    return found

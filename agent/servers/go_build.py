"""How are the Temporal CLI and the Collector built from source, with a Go toolchain and a module proxy?"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from agent.servers.commands import run_command
from agent.servers.locate import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.servers.cache import Cache
    from agent.servers.progress import Progress

COLLECTOR_BUILDER: Final = "go.opentelemetry.io/collector/cmd/builder@v0.158.0"


class GoBuild:
    """Builds programs into the cache.

    The module proxy and whatever else Go needs come from the environment, and a newer toolchain is fetched by Go itself
    where ``GOTOOLCHAIN`` lets it.

    Args:
        cache: Where the programs go.
        environ: The environment that Go runs in, with ``PATH``.
        progress: Shows what is being built and for how long.
    """

    def __init__(self, cache: Cache, environ: Mapping[str, str], progress: Progress) -> None:
        self._cache = cache
        self._environ = environ
        self._progress = progress

    def program(self, module: str, *, name: str, takes: str) -> Path:
        """Build one command of a module.

        Args:
            module: Its import path and version, as ``go install`` takes them.
            name: The program's name in the cache.
            takes: How long that takes, in words.

        Returns:
            The program, in the cache.

        Raises:
            SourceError: There is no Go, or the build failed.
        """
        go = self._go()

        def make(work: Path) -> Path:
            run_command(
                f"Building {module} with Go ({takes})",
                [go, "install", module],
                log=self._cache.log(name),
                environ={**self._go_environ(go), "GOBIN": str(work)},
                cwd=work,
                progress=self._progress,
            )
            return next(path for path in work.iterdir() if path.is_file())

        return self._cache.get(name, make, self._progress)

    def collector(self, manifest: Path, *, name: str) -> Path:
        """Build the Collector that a manifest describes.

        Args:
            manifest: The Collector builder's manifest, with ``dist.output_path: dist``.
            name: The program's name in the cache.

        Returns:
            The program, in the cache.

        Raises:
            SourceError: There is no Go, or the build failed.
        """
        environ = self._go_environ(self._go())
        version = COLLECTOR_BUILDER.rpartition("@")[2]
        builder = self.program(COLLECTOR_BUILDER, name=f"otelcol-builder-{version}", takes="about 10 seconds")

        def make(work: Path) -> Path:
            run_command(
                f"Building the OpenTelemetry Collector {version} with Go (4 to 10 minutes)",
                [builder, "--config", manifest],
                log=self._cache.log(name),
                environ=environ,
                cwd=work,
                progress=self._progress,
            )
            return next(path for path in (work / "dist").iterdir() if path.name.startswith("otelcol"))

        return self._cache.get(name, make, self._progress)

    def _go(self) -> str:
        go = shutil.which("go", path=self._environ.get("PATH", ""))
        if go is None:
            raise SourceError("there is no Go on PATH")
        return go

    def _go_environ(self, go: str) -> dict[str, str]:
        flags = subprocess.run(  # noqa: S603 - the Go that PATH names
            [go, "env", "GOFLAGS"], env=dict(self._environ), capture_output=True, text=True, check=False
        ).stdout
        # The work folder may lie in a checkout: neither its version control nor a workspace file concerns the build.
        return {**self._environ, "GOFLAGS": f"{flags.strip()} -buildvcs=false".strip(), "GOWORK": "off"}

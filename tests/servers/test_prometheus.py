"""How Prometheus is got from Debian's package, without installing it. apt-get and dpkg-deb are stand-ins here."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from agent.servers.cache import Cache
from agent.servers.locate import Program, ServerNotFoundError
from agent.servers.progress import Progress
from agent.servers.prometheus import find_prometheus, find_promtool

if TYPE_CHECKING:
    from pathlib import Path

APT_GET = """
case "$*" in
    *update) ;;
    *"download prometheus") echo package > prometheus_2.42.0_amd64.deb ;;
    *) echo "unexpected: $*"; exit 1 ;;
esac
"""
DPKG_DEB = """
[ "$1" = --extract ] && mkdir -p "$3/usr/bin"
for name in prometheus promtool; do
    printf '#!/bin/sh\\n' > "$3/usr/bin/$name" && chmod 755 "$3/usr/bin/$name"
done
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path / 'path'}:/usr/bin:/bin", "DURABLE_TRACE_CACHE_DIR": str(tmp_path / "cache")}


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("find", "name"), [(find_prometheus, "prometheus"), (find_promtool, "promtool")])
def test_both_programs_come_from_one_package(find: object, name: str, environ: dict[str, str], tmp_path: Path) -> None:
    assert callable(find)
    script(tmp_path / "path/apt-get", APT_GET)
    script(tmp_path / "path/dpkg-deb", DPKG_DEB)
    found = find(environ, progress=Progress(io.StringIO()))
    assert found == Program(tmp_path / "cache/bin" / name, "Debian's package")
    cache = Cache.from_environment(environ)
    assert (cache.program("prometheus") is not None, cache.program("promtool") is not None) == (True, True)
    assert find(environ, quick=True) == Program(found.path, "cache")


def test_a_package_that_cannot_be_downloaded_is_named_with_the_ways_to_mend_it(
    environ: dict[str, str], tmp_path: Path
) -> None:
    script(tmp_path / "path/apt-get", "echo 'E: no such host'; exit 100")
    script(tmp_path / "path/dpkg-deb", DPKG_DEB)
    with pytest.raises(ServerNotFoundError) as raised:
        find_prometheus(environ, progress=Progress(io.StringIO()))
    message = str(raised.value)
    assert "Debian's package: failed with status 100" in message
    assert "E: no such host" in message
    assert "install Prometheus (https://prometheus.io/download)" in message


def test_elsewhere_there_is_no_package(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path / "path"), "DURABLE_TRACE_CACHE_DIR": str(tmp_path / "cache")}
    with pytest.raises(ServerNotFoundError, match="Debian's package: not there"):
        find_prometheus(environ)


def test_what_is_on_the_path_is_used(tmp_path: Path) -> None:
    program = script(tmp_path / "path/prometheus", "exit 0\n")
    environ = {"PATH": str(tmp_path / "path"), "DURABLE_TRACE_CACHE_DIR": str(tmp_path / "cache")}
    assert find_prometheus(environ, quick=True) == Program(program, "PATH")

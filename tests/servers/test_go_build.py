"""What is asked of Go. A script stands in for it: `make servers` builds the real programs, in minutes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from agent.servers.cache import Cache
from agent.servers.go_build import GoBuild
from agent.servers.locate import SourceError
from agent.servers.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

# Answers `go env GOFLAGS`; "installs" a program that, run as the Collector's builder, "builds" a Collector.
GO = """#!/bin/sh
if [ "$1" = env ]; then echo "-mod=mod"; exit; fi
echo "go $* GOFLAGS=$GOFLAGS GOWORK=$GOWORK" >> "$CALLS"
cat > "$GOBIN/program" <<'EOS'
#!/bin/sh
echo "builder $* GOFLAGS=$GOFLAGS GOWORK=$GOWORK" >> "$CALLS"
mkdir dist && echo '#!/bin/sh' > dist/otelcol-built && chmod 755 dist/otelcol-built
EOS
chmod 755 "$GOBIN/program"
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path}/path:/usr/bin:/bin", "CALLS": str(tmp_path / "calls"), "GOFLAGS": "-mod=mod"}


def go_build(tmp_path: Path, environ: dict[str, str], go: str) -> GoBuild:
    program = tmp_path / "path/go"
    program.parent.mkdir()
    program.write_text(go)
    program.chmod(0o755)
    return GoBuild(Cache(tmp_path / "cache"), environ, Progress(io.StringIO()))


def test_a_command_is_installed_into_the_cache_once(tmp_path: Path, environ: dict[str, str]) -> None:
    build = go_build(tmp_path, environ, GO)
    for _ in range(2):
        path = build.program("example.org/tool@v1.2.3", name="tool-1.2.3", takes="no time")
        assert path == tmp_path / "cache/bin/tool-1.2.3"
    assert (tmp_path / "calls").read_text() == (
        "go install example.org/tool@v1.2.3 GOFLAGS=-mod=mod -buildvcs=false GOWORK=off\n"
    )


def test_the_collector_is_built_by_its_builder_from_the_manifest(tmp_path: Path, environ: dict[str, str]) -> None:
    build = go_build(tmp_path, environ, GO)
    manifest = tmp_path / "manifest.yaml"
    assert build.collector(manifest, name="otelcol-1") == tmp_path / "cache/bin/otelcol-1"
    assert (tmp_path / "calls").read_text() == (
        "go install go.opentelemetry.io/collector/cmd/builder@v0.158.0 "
        "GOFLAGS=-mod=mod -buildvcs=false GOWORK=off\n"
        f"builder --config {manifest} GOFLAGS=-mod=mod -buildvcs=false GOWORK=off\n"
    )


def test_a_build_that_fails_shows_the_end_of_its_log(tmp_path: Path, environ: dict[str, str]) -> None:
    build = go_build(tmp_path, environ, "#!/bin/sh\n[ $1 = env ] || { echo 'requires go >= 1.25' >&2; exit 1; }\n")
    with pytest.raises(SourceError) as raised:
        build.program("example.org/tool@v1.2.3", name="tool-1.2.3", takes="no time")
    assert str(raised.value) == (
        f"failed with status 1. Its log, {tmp_path}/cache/logs/tool-1.2.3.log, ends with:\n    requires go >= 1.25"
    )
    assert list((tmp_path / "cache/work").iterdir()) == []


def test_without_go_nothing_is_tried(tmp_path: Path) -> None:
    build = GoBuild(Cache(tmp_path), {"PATH": str(tmp_path)}, Progress(io.StringIO()))
    with pytest.raises(SourceError, match=r"^there is no Go on PATH$"):
        build.program("example.org/tool@v1.2.3", name="tool", takes="no time")
